"""What a space hands over that makes networks: a Keras model and how it wants to be trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tunesmith.data.info import DatasetInfo
from tunesmith.spaces._space import Candidate

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Training:
    """A Keras model with its batch size, and its epochs where it wants others than the search file's.

    A model that is not compiled gets Adam and the loss of the data's task.
    """

    model: "keras.Model"
    batch_size: int = 32
    epochs: int | None = None


@runtime_checkable
class Trainable(Protocol):
    """A space whose candidates are networks."""

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        """Return the untrained network that `candidate` stands for; raises SpecError where it does not fit the space."""
        ...
