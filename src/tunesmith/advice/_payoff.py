"""Whether further trials are likely to pay, by trial, by hour and by hour of a GPU."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from tunesmith.advice._evidence import Evidence
from tunesmith.advice._gain import FEWEST_FINISHED, FEWEST_TRIALS, Forecast, too_few
from tunesmith.study import Trial

LIKELY, UNLIKELY = 0.5, 0.2
HOUR = 3600.0
# Nobody can foresee more than so many times the trials there are: an hour of shorter trials is cut off there.
FARTHEST = 10
GPU_SECONDS = "gpu_seconds"


class Outlook(Protocol):
    """What foretells gains: the tail of one objective's losses, or of a front's hypervolume."""

    def forecast(self, trials: float) -> Forecast:
        """Return what so many further trials bring."""
        ...


@dataclass(frozen=True)
class Rate:
    """The gain of an hour: of the search as it runs (`hour`), or of one GPU (`gpu_hour`).

    `cut`: an hour has more trials than can be foreseen; the forecast is that of its first ones.
    """

    unit: str
    seconds_per_trial: float
    forecast: Forecast
    cut: bool


@dataclass(frozen=True)
class Payoff:
    """What a quarter, half and all of the present number of trials would bring again, and the same of one trial and of an hour.

    `verdict`: `likely`, `unclear` or `unlikely` to bring a worthwhile gain within half as many trials again.
    """

    verdict: str
    next_trial: Forecast
    forecasts: tuple[Forecast, ...]
    rates: tuple[Rate, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the payoff as plain data."""
        return {
            "verdict": self.verdict,
            "next_trial": asdict(self.next_trial),
            "forecasts": [asdict(forecast) for forecast in self.forecasts],
            "rates": [asdict(rate) for rate in self.rates],
        }


def payoff(evidence: Evidence, tail: Outlook | None, parallel: int) -> tuple[Payoff | None, str]:
    """Return the payoff of further trials and what is to be known of it, or None and why it cannot be told.

    tail: what the evidence foretells; None where it foretells nothing.
    """
    if too_few(evidence):
        return None, f"whether more trials pay: {_lacking(evidence)}"
    if tail is None:
        return None, "whether more trials pay: the later trials are all equally good, so there is nothing to extrapolate"
    count = len(evidence.trials)
    half = max(1, count // 2)
    forecasts = {trials: tail.forecast(trials) for trials in sorted({max(1, count // 4), half, count})}
    rates = []
    for unit, seconds in _costs(evidence.trials, parallel):
        trials = min(HOUR / seconds, FARTHEST * count)
        rates.append(Rate(unit, seconds, tail.forecast(trials), trials < HOUR / seconds))
    found = Payoff(_verdict(forecasts[half]), tail.forecast(1), tuple(forecasts.values()), tuple(rates))
    return found, _censored(evidence)


def _lacking(evidence: Evidence) -> str:
    finished, stopped = len(evidence.finite), evidence.stopped
    if not stopped:
        return f"{FEWEST_TRIALS} finished trials are needed, there are {finished}"
    needed = f"{FEWEST_TRIALS} trials that finished or were stopped are needed, {FEWEST_FINISHED} of them finished"
    return f"{needed}; {finished} finished, {stopped} were stopped"


def _censored(evidence: Evidence) -> str:
    """Say on how few losses the forecast rests."""
    if not evidence.stopped:
        return ""
    known = f"the losses of the {len(evidence.finite)} finished trials"
    return f"whether more trials pay is told by {known}; the {evidence.stopped} stopped ones count as worse"


def _verdict(forecast: Forecast) -> str:
    if forecast.worthwhile >= LIKELY:
        return "likely"
    return "unlikely" if forecast.worthwhile < UNLIKELY else "unclear"


def _costs(trials: Sequence[Trial], parallel: int) -> list[tuple[str, float]]:
    """Return (unit, seconds of it that a trial takes), failed and stopped trials included: they are paid for as well."""
    seconds = [trial.seconds for trial in trials if trial.seconds > 0]
    held = [trial.facts[GPU_SECONDS] for trial in trials if trial.facts.get(GPU_SECONDS, 0) > 0]
    costs = [("hour", sum(seconds) / len(seconds) / max(parallel, 1))] if seconds else []
    return costs + ([("gpu_hour", sum(held) / len(held))] if held else [])
