"""Where trials' values lie in the unit interval, each worked out once: every proposal looks at all past trials."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tunesmith.spaces._distributions import Distribution
from tunesmith.study import Trial

# Of so many candidates the units of a parameter are remembered.
MOST_REMEMBERED = 20_000


def units_of(trials: Sequence[Trial], name: str, distribution: Distribution) -> np.ndarray:
    """Return one parameter's units of trials, NaN for those that lack it, or have it outside of its range.

    A branch may give the same name another range; what does not fit is as good as absent.
    """
    return _remembered(name, distribution).of(trials)


@lru_cache(maxsize=512)
def _remembered(name: str, distribution: Distribution) -> "_Units":
    return _Units(name, distribution)


class _Units:
    def __init__(self, name: str, distribution: Distribution) -> None:
        self.name, self.distribution = name, distribution
        self.known: dict[str, float] = {}

    def of(self, trials: Sequence[Trial]) -> np.ndarray:
        keys = [trial.key for trial in trials]
        units = list(map(self.known.get, keys))
        if None not in units:
            return np.array(units, dtype=float)
        new = self._worked_out([trial for trial, unit in zip(trials, units, strict=True) if unit is None])
        # Another thread may be reading what is known: it is replaced, not changed.
        self.known = (self.known if len(self.known) < MOST_REMEMBERED else {}) | new
        return np.array([new[key] if unit is None else unit for key, unit in zip(keys, units, strict=True)])

    def _worked_out(self, trials: Sequence[Trial]) -> dict[str, float]:
        values = {trial.key: trial.candidate[self.name] for trial in trials if self.name in trial.candidate}
        fitting = {key: value for key, value in values.items() if self.distribution.contains(value)}
        units = self.distribution.cdf(list(fitting.values())).tolist()
        return dict.fromkeys((trial.key for trial in trials), np.nan) | dict(zip(fitting, units, strict=True))
