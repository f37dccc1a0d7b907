"""What to do with each key of the search file next: keep, narrow, widen or fix it, with a reason in figures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunesmith.advice._evidence import Evidence
from tunesmith.advice._importance import FEWEST_TRIALS, Importance
from tunesmith.advice._intervals import between, beyond, wording
from tunesmith.advice._keys import Key
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.study import Trial

# Above this share, a parameter is not called unimportant, even if chance may explain it.
UNIMPORTANT = 0.05
FEWEST_VALUES = 4
# The interval of the good trials has a margin on both sides, and is worth narrowing to where it leaves out a quarter.
MARGIN, WORTHWHILE = 0.05, 0.75
# An end is crowded by half of the good values and by most of the best few, the latter nearer to it.
EDGE, CROWD, BEST, NEARER = 0.15, 0.5, 5, 0.1
DOMINANT, CHANCE = 0.8, 0.05

Action = Literal["keep", "narrow", "widen", "fix"]


@dataclass(frozen=True)
class Move:
    """What to do with a key; `after` is its next distribution, the present one where it is kept.

    `unimportant`: it is fixed because it hardly mattered, not because one value was the best.
    """

    key: Key
    action: Action
    after: Distribution
    reason: str
    unimportant: bool = False


def decide(key: Key, evidence: Evidence, importance: Importance) -> Move:
    """Return what to do with a key, judged by where the best quarter of the trials lie."""
    good = [(trial, value) for trial in evidence.good for value in key.values(trial)]
    if len(good) < FEWEST_VALUES:
        return _keep(key, f"{len(good) or 'none'} of the best {len(evidence.good)} trials have it; {FEWEST_VALUES} are needed")
    if not importance.real:
        return _without_influence(key, evidence, importance, good)
    if isinstance(key.distribution, Choice):
        return _options(key, evidence, [value for _, value in good])
    return _range(key, evidence, key.distribution.cdf([value for _, value in good]))


def _keep(key: Key, reason: str) -> Move:
    return Move(key, "keep", key.distribution, reason)


def _without_influence(key: Key, evidence: Evidence, importance: Importance, good: Sequence[tuple[Trial, Value]]) -> Move:
    overall, better = importance.overall, importance.better
    if better is None:
        explained = f"its importance of {overall.share:.1%} is not above the {overall.chance:.1%} that chance explains"
        needed = f"{2 * FEWEST_TRIALS} trials are needed to call it unimportant, there are {len(evidence.trials)}"
        return _keep(key, f"{explained}; {needed}")
    shares = f"its importance is {overall.share:.1%} among all trials and {better.share:.1%} among the better half"
    if max(overall.share, better.share) > UNIMPORTANT * max(len(overall.parameters), 1):
        return _keep(key, f"{shares}: no more than chance explains, but too much to call it unimportant")
    trial, value = good[0]
    reason = f"{shares}; {wording(value)} is that of trial {trial.number}"
    return Move(key, "fix", Choice((value,)), reason, unimportant=True)


def _options(key: Key, evidence: Evidence, good: Sequence[Value]) -> Move:
    assert isinstance(key.distribution, Choice)
    everywhere = [value for trial in evidence.trials for value in key.values(trial)]
    among_good, among_all = _counts(good), _counts(everywhere)
    first, most = among_good.most_common(1)[0]
    if most >= DOMINANT * len(good) and _surprise(most, len(good), among_all[first], len(everywhere)) <= CHANCE:
        option = _option(key.distribution, first)
        return Move(
            key,
            "fix",
            Choice((option,)),
            f"{most} of the best {len(good)} have {wording(option)}, {_of_all(among_all[first], len(everywhere))}",
        )
    lost = [
        option
        for option in key.distribution.options
        if _absent(_typed(option), among_good, among_all, len(good), len(everywhere))
    ]
    if not lost:
        return _keep(key, f"every option that was tried often is among the best {len(good)}")
    kept = tuple(option for option in key.distribution.options if option not in lost)
    names = ", ".join(wording(option) for option in lost)
    tried = sum(among_all[_typed(option)] for option in lost)
    return Move(key, "narrow", Choice(kept), f"none of the best {len(good)} has {names}, {_of_all(tried, len(everywhere))}")


def _of_all(count: int, everywhere: int) -> str:
    return f"as have {count} of all {everywhere}"


def _typed(value: Value) -> tuple[str, Value]:
    return type(value).__name__, value


def _counts(values: Sequence[Value]) -> Counter[tuple[str, Value]]:
    return Counter(map(_typed, values))


def _option(distribution: Choice, typed: tuple[str, Value]) -> Value:
    return next(option for option in distribution.options if _typed(option) == typed)


def _absent(
    option: tuple[str, Value],
    good: Mapping[tuple[str, Value], int],
    tried: Mapping[tuple[str, Value], int],
    drawn: int,
    everywhere: int,
) -> bool:
    """Tell whether an option is missing among the good ones although it was tried so often that chance would bring it."""
    from scipy.stats import hypergeom

    return not good[option] and bool(hypergeom.pmf(0, everywhere, tried[option], drawn) <= CHANCE)


def _surprise(found: int, drawn: int, marked: int, everywhere: int) -> float:
    """Return how likely so many of `drawn` are marked by chance."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(found - 1, everywhere, marked, drawn))


def _range(key: Key, evidence: Evidence, units: np.ndarray) -> Move:
    margin = max(MARGIN, float(np.ptp(units)) / len(units))
    low, high = float(units.min()) - margin, float(units.max()) + margin
    crowded = _crowded(key.distribution, units)
    lies = f"the best {len(evidence.good)} trials lie between {_value(key, units.min())} and {_value(key, units.max())}"
    if crowded and not key.seen:
        wider = beyond(key.distribution, crowded, low if crowded == "high" else high)
        if wider != key.distribution:
            end = _value(key, 1.0 if crowded == "high" else 0.0)
            return Move(key, "widen", wider, f"{lies}, most of them next to {end}")
    if min(high, 1.0) - max(low, 0.0) > WORTHWHILE:
        return _keep(key, f"{lies}: too far apart to narrow")
    narrower = between(key.distribution, max(low, 0.0), min(high, 1.0))
    if narrower == key.distribution:
        return _keep(key, f"{lies}: there is nothing to leave out")
    return Move(key, "narrow" if narrower.size > 1 else "fix", narrower, lies)


def _crowded(distribution: Distribution, units: np.ndarray) -> Literal["low", "high", ""]:
    """Return the end that the good values, the best first, crowd; where the values are few, the last one alone counts."""
    ends = distribution.cdf([distribution.quantile(0.0), distribution.quantile(1.0)])
    first, last = max(EDGE, float(ends[0])), min(1 - EDGE, float(ends[1]))
    nearest = units[:BEST]
    if np.mean(units <= first) >= CROWD < np.mean(nearest <= max(NEARER, float(ends[0]))):
        return "low"
    if np.mean(units >= last) >= CROWD < np.mean(nearest >= min(1 - NEARER, float(ends[1]))):
        return "high"
    return ""


def _value(key: Key, unit: float) -> str:
    return wording(key.distribution.quantile(float(unit)))
