"""A user's own `build(choose)` function as a search space: what it chooses, in its order, is the space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tunesmith.code import load_function, source_hash
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.spaces._training import Training


@dataclass(frozen=True)
class Code(Space):
    """The space of `build`, a function or the place of one (`model.py:build`, `package.module:build`).

    `build(choose)` returns a Keras model, or a `tunesmith.Training` with the model's batch size and epochs.
    """

    build: str | Callable[[Chooser], Any]
    quick: ClassVar[bool] = False
    own_metrics: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.function()

    def function(self) -> Callable[[Chooser], Any]:
        """Return the user's function; raises SpecError where it cannot be found."""
        return load_function(self.build, "build") if isinstance(self.build, str) else self.build

    def define(self, choose: Chooser) -> Any:
        return self.function()(choose)

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        """Return what `build` makes of `candidate`; raises SpecError where that is no network."""
        import keras

        del info
        built = self.realize(candidate)
        training = Training(built) if isinstance(built, keras.Model) else built
        if not isinstance(training, Training) or not isinstance(training.model, keras.Model):
            raise SpecError(f"build: returned {type(built).__name__}; needs a keras.Model or a tunesmith.Training with one")
        return training

    def to_json(self) -> dict[str, Any]:
        function = self.function()
        place = self.build if isinstance(self.build, str) else getattr(function, "__qualname__", type(function).__qualname__)
        return {"kind": "code", "build": place, "sha256": source_hash(function)}
