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


@dataclass(frozen=True)
class Size:
    """What decides how much memory a network's training takes; counts of numbers, not bytes.

    `trained` of the `parameters` have a gradient and `slots` numbers of the optimizer each. `activations`: the outputs of all
    layers for one of the `batch_size` examples.
    """

    parameters: int
    trained: int
    slots: int
    activations: int
    batch_size: int


@runtime_checkable
class Trainable(Protocol):
    """A space whose candidates are networks."""

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        """Return the untrained network that `candidate` stands for; raises SpecError where it does not fit the space."""
        ...


@runtime_checkable
class Foreseeable(Protocol):
    """A space that knows the size of its networks before it makes them, which is what allocates their weights; optional."""

    def estimate(self, candidate: Candidate, info: DatasetInfo) -> Size:
        """Return the size that the network of `candidate` will have; raises SpecError where it does not fit the space."""
        ...
