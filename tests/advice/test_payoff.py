"""Whether more trials are likely to pay."""

import numpy as np
import pytest

from tunesmith.advice._evidence import Evidence, gather
from tunesmith.advice._gain import WORTH, fit_tail
from tunesmith.advice._payoff import Payoff, payoff
from tunesmith.aims import Aims, Objective
from tunesmith.study import State, Trial

SEEDS = range(8)


def evidence(losses: np.ndarray, **of_each: object) -> Evidence:
    trials = [Trial(i, {"x": i}, State.FINISHED, {"loss": float(loss)}, **of_each) for i, loss in enumerate(losses)]
    return gather(trials, Aims((Objective("loss"),)))


def foreseen(told: Evidence, parallel: int) -> tuple[Payoff | None, str]:
    return payoff(told, fit_tail(told), parallel)


def verdicts(make) -> list[str]:
    found = [foreseen(evidence(make(np.random.default_rng(seed))), 1)[0] for seed in SEEDS]
    return [each.verdict for each in found if each]


def test_a_search_that_goes_on_falling_is_likely_to_pay() -> None:
    falling = verdicts(lambda rng: 1.0 - np.arange(40) / 60 + rng.normal(0, 0.03, 40))
    assert falling.count("likely") >= 7


def test_a_search_that_found_its_best_long_ago_and_since_then_worse_is_unlikely_to_pay() -> None:
    settled = verdicts(lambda rng: np.concatenate([[0.0], rng.uniform(0.4, 1.0, 59)]))
    assert settled == ["unlikely"] * len(SEEDS)


def test_a_search_at_its_floor_is_unlikely_to_pay() -> None:
    floor = verdicts(lambda rng: np.concatenate([rng.uniform(0.5, 2.0, 20), 0.1 + 1e-4 * rng.random(40)]))
    assert floor == ["unlikely"] * len(SEEDS)


def test_more_trials_bring_more_and_the_interval_holds_the_gain() -> None:
    found, _ = foreseen(evidence(np.random.default_rng(1).random(40) ** 0.5), 1)
    assert found is not None
    gains = [found.next_trial, *found.forecasts]
    assert [forecast.trials for forecast in gains] == [1, 10, 20, 40]
    assert sorted(forecast.gain for forecast in gains) == [forecast.gain for forecast in gains]
    assert all(forecast.low <= forecast.gain <= forecast.high for forecast in gains[1:])


def test_random_losses_are_beaten_as_often_as_order_statistics_say() -> None:
    """Of 40 random trials and 40 more, the best is among the latter in every second case."""
    chances = []
    for seed in range(30):
        tail = fit_tail(evidence(np.random.default_rng(seed).random(40)))
        assert tail is not None
        chances.append(tail.forecast(40).chance)
    assert np.mean(chances) == pytest.approx(0.5, abs=0.08)


def halved(losses: np.ndarray) -> Evidence:
    """Trials of which a later one is stopped unless it is among the better quarter of those before it."""
    trials = []
    for number, loss in enumerate(losses):
        ends = number < 3 or loss <= np.quantile(losses[:number], 0.25)
        state = State.FINISHED if ends else State.STOPPED
        trials.append(Trial(number, {"x": number}, state, {"loss": float(loss) if ends else 9.0}))
    return gather(trials, Aims((Objective("loss"),)))


def test_trials_that_were_stopped_early_count_as_worse_and_that_is_said() -> None:
    stopped = halved(np.random.default_rng(3).random(24))
    assert 4 <= len(stopped.finite) < 10
    found, said = foreseen(stopped, 1)
    assert found is not None
    finished = f"the {len(stopped.finite)} finished trials; the {stopped.stopped} stopped ones count as worse"
    assert said == f"whether more trials pay is told by the losses of {finished}"
    assert 0 < found.next_trial.chance < 0.2
    assert 0 < found.forecasts[-1].gain < 1


def test_random_losses_are_beaten_as_often_where_most_trials_were_stopped() -> None:
    chances = []
    for seed in range(30):
        tail = fit_tail(halved(np.random.default_rng(seed).random(40)))
        assert tail is not None
        chances.append(tail.forecast(40).chance)
    assert np.mean(chances) == pytest.approx(0.5, abs=0.1)


def test_too_few_finished_trials_among_stopped_ones_tell_nothing() -> None:
    ends = [Trial(i, {"x": i}, State.FINISHED if i < 3 else State.STOPPED, {"loss": 1.0 / (i + 1)}) for i in range(20)]
    found, said = foreseen(gather(ends, Aims((Objective("loss"),))), 1)
    assert found is None
    assert said.endswith("are needed, 4 of them finished; 3 finished, 17 were stopped")


@pytest.mark.parametrize("dimensions", [2, 5])
def test_forecasts_are_calibrated_on_random_searches(dimensions: int) -> None:
    """The 80 % interval holds what comes, and worthwhile gains come about as often as they are foretold."""
    held, foretold, came, expected, gains = [], [], [], [], []
    for seed in range(40):
        points = np.random.default_rng(seed).random((60, dimensions))
        losses = ((points - 0.4) ** 2).sum(axis=1)
        tail = fit_tail(evidence(losses[:40]))
        assert tail is not None
        forecast, gain = tail.forecast(20), max(losses[:40].min() - losses[40:].min(), 0.0)
        held.append(forecast.low <= gain <= forecast.high)
        foretold.append(forecast.worthwhile)
        came.append(gain >= WORTH * tail.way)
        expected.append(forecast.gain)
        gains.append(gain)
    assert np.mean(held) >= 0.8
    assert 0.5 < np.mean(expected) / np.mean(gains) < 5
    assert np.mean(foretold) == pytest.approx(np.mean(came), abs=0.15)


def test_gain_is_told_by_the_hour_of_all_workers_and_of_a_gpu() -> None:
    losses = np.random.default_rng(0).random(40)
    found, _ = foreseen(evidence(losses, seconds=600.0, facts={"gpu_seconds": 1200.0}), 2)
    assert found is not None
    assert {rate.unit: rate.forecast.trials for rate in found.rates} == {"hour": 12.0, "gpu_hour": 3.0}


def test_an_hour_of_very_short_trials_is_cut_off_where_nothing_can_be_foreseen() -> None:
    found, _ = foreseen(evidence(np.random.default_rng(0).random(40), seconds=0.001), 1)
    assert found is not None
    assert (found.rates[0].forecast.trials, found.rates[0].cut) == (400, True)


@pytest.mark.parametrize(
    ("losses", "why"),
    [(np.random.default_rng(0).random(9), "10 finished trials are needed, there are 9"), (np.ones(30), "all equally good")],
)
def test_what_cannot_be_foreseen_is_said(losses: np.ndarray, why: str) -> None:
    found, said = foreseen(evidence(losses), 1)
    assert found is None
    assert why in said


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_losses_of_any_scale_are_borne(scale: float) -> None:
    found, _ = foreseen(evidence(scale * np.random.default_rng(0).random(40)), 1)
    assert found is not None
    assert 0 < found.forecasts[-1].gain < scale


def test_losses_at_the_ends_of_what_numbers_there_are_make_no_nonsense() -> None:
    found, _ = foreseen(evidence(1.7e308 * (2 * np.random.default_rng(0).random(40) - 1)), 1)
    assert found is None or all(np.isfinite([each.chance, each.gain, each.low, each.high]).all() for each in found.forecasts)
