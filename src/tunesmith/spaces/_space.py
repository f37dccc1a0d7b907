"""The space seam: one method, `define(choose)`, called with a chooser that decides every parameter.

All else follows from the chooser handed in: sampling, replaying a candidate, checking one, listing all of a finite space.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean
from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogNormal, LogUniform, Normal, Uniform, Value

Candidate = Mapping[str, Value]
# Made once: json.dumps makes one at every call, which takes longer than the encoding.
_TEXT = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Chooser:
    """Decides each parameter through `pick(name, distribution)` and remembers what it decided, in order."""

    def __init__(self, pick: Callable[[str, Distribution], Value]) -> None:
        self._pick = pick
        self.candidate: dict[str, Value] = {}
        self.distributions: dict[str, Distribution] = {}

    def __call__(self, name: str, distribution: Distribution) -> Any:
        """Return the value of parameter `name`; raises SpecError when the name was used before."""
        if name in self.candidate:
            raise SpecError(f"parameter {name!r} is chosen twice; every parameter needs a name of its own")
        value = self._pick(name, distribution)
        self.candidate[name] = value
        self.distributions[name] = distribution
        return value

    def uniform(self, name: str, low: float, high: float, step: float | None = None) -> float:
        """Choose a number between low and high."""
        return self(name, Uniform(low, high, step))

    def loguniform(self, name: str, low: float, high: float) -> float:
        """Choose a number between low and high on a logarithmic scale."""
        return self(name, LogUniform(low, high))

    def logint(self, name: str, low: int, high: int) -> int:
        """Choose a whole number from low to high on a logarithmic scale."""
        return self(name, LogInt(low, high))

    def normal(self, name: str, mean: float, deviation: float, clip: tuple[float, float] | None = None) -> float:
        """Choose a normally distributed number."""
        return self(name, Normal(mean, deviation, clip=clip))

    def lognormal(self, name: str, mean: float, deviation: float) -> float:
        """Choose a number whose logarithm is normally distributed."""
        return self(name, LogNormal(mean, deviation))

    def choice(self, name: str, options: list[Any]) -> Any:
        """Choose one of the options."""
        return self(name, Choice(tuple(options)))

    # The last one, since its name hides the builtin from the annotations below it.
    def int(self, name: str, low: int, high: int, step: int = 1) -> int:
        """Choose a whole number from low to high."""
        return self(name, Int(low, high, step))


class Space(ABC):
    """Everything that may be chosen. A subclass is a frozen dataclass whose fields are its keys in the search file.

    `quick`: whether `define` may be called a thousand times for one proposal. `own_metrics`: whether its networks may come with
    metrics of their own, so that what their training reports is not known before. `parametric`: whether its candidates are told
    by where their parameters' values lie in the unit interval, so that what lies near is alike.
    """

    quick: ClassVar[bool] = True
    own_metrics: ClassVar[bool] = False
    parametric: ClassVar[bool] = True

    @abstractmethod
    def define(self, choose: Chooser) -> Any:
        """Call `choose(name, distribution)` for every parameter, in order; return what the candidate stands for."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the keys of the search file that make this space again, `kind` included."""

    def fit_to(self, data: DatasetInfo) -> "Space":
        """Return the space for this data set; raises SpecError where it cannot serve it."""
        del data
        return self

    def settled(self) -> Mapping[str, Value]:
        """Return the values of what might be searched and is not, by key; that of `x` is also that of every `conv1.x`."""
        return {}

    def identity(self, candidate: Candidate) -> str:
        """Return one text for all candidates that stand for the same; raises SpecError where it does not fit the space."""
        return canonical(candidate)

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        """Draw a candidate from the prior."""
        return self.choose(lambda _, distribution: distribution.quantile(rng.random()))

    def choose(self, pick: Callable[[str, Distribution], Value]) -> dict[str, Value]:
        """Make the candidate that `pick` decides parameter by parameter."""
        chooser = Chooser(pick)
        self.define(chooser)
        return chooser.candidate

    def realize(self, candidate: Candidate) -> Any:
        """Return what `candidate` stands for; raises SpecError where it does not fit the space."""
        chooser = Chooser(_replay(candidate))
        built = self.define(chooser)
        surplus = sorted(set(candidate) - set(chooser.candidate))
        if surplus:
            known = list(chooser.candidate)
            raise SpecError(
                f"candidate.{surplus[0]}: is no active parameter; active: {', '.join(known)}{did_you_mean(surplus[0], known)}"
            )
        return built

    def enumerate(self) -> Iterator[dict[str, Value]]:
        """Yield every candidate of a finite space, lazily; raises ValueError at a continuous parameter."""
        path: list[_Branch] | None = []
        while path is not None:
            walk = _Walk(path)
            yield self.choose(walk.pick)
            path = walk.next_path()


def _replay(candidate: Candidate) -> Callable[[str, Distribution], Value]:
    def pick(name: str, distribution: Distribution) -> Value:
        if name not in candidate:
            raise SpecError(f"candidate.{name}: is missing; allowed: {distribution.describe()}")
        if not distribution.contains(candidate[name]):
            raise SpecError(f"candidate.{name}: got {candidate[name]!r}; allowed: {distribution.describe()}")
        return candidate[name]

    return pick


@dataclass
class _Branch:
    position: int
    size: int


class _Walk:
    """One depth-first step through a finite space: follows `path`, then takes the first value everywhere."""

    def __init__(self, path: list[_Branch]) -> None:
        self.path = path
        self.depth = 0

    def pick(self, name: str, distribution: Distribution) -> Value:
        if distribution.size == float("inf"):
            raise ValueError(f"{name} is continuous, the space has no end")
        if self.depth == len(self.path):
            self.path.append(_Branch(0, int(distribution.size)))
        branch = self.path[self.depth]
        self.depth += 1
        return distribution.value_at(branch.position)

    def next_path(self) -> list[_Branch] | None:
        path = self.path[: self.depth]
        while path and path[-1].position + 1 == path[-1].size:
            path.pop()
        if not path:
            return None
        path[-1].position += 1
        return path


def canonical(candidate: Candidate) -> str:
    """Return one text for equal candidates, whatever the order of their keys."""
    return _TEXT.encode(candidate)
