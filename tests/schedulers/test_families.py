"""Families of learning curves: what they foretell, and how sure of it they are."""

import math

import numpy as np
import pytest

from tunesmith.schedulers._families import LEAST, Forecast, forecast

STEPS = 50
STEP = np.arange(1, STEPS + 1)
CURVES = {
    "exponential": 0.2 + 0.7 * np.exp(-STEP / 8),
    "weibull": 0.2 + 0.7 * np.exp(-((STEP / 6) ** 0.6)),
    "power": 0.1 + 0.6 * STEP**-0.7,
    "shifted power": 0.1 + 3.0 * (STEP + 5.0) ** -1.2,
    "log-power": 0.3 + 0.5 / (1 + (STEP / 10) ** 1.3),
    "inverse logarithm": 0.1 + 0.4 / np.log(STEP + 1),
}


def foretold(losses: np.ndarray | list[float], step: int = STEPS) -> Forecast:
    found = forecast(list(losses), step)
    assert found is not None
    return found


@pytest.mark.parametrize("family", CURVES)
def test_a_curve_of_a_known_family_is_extrapolated(family: str) -> None:
    curve = CURVES[family]
    found = foretold(curve[:20])
    assert found.mean == pytest.approx(curve[-1], abs=0.05 * (curve[0] - curve[-1]))
    assert abs(found.mean - curve[-1]) < 0.5 * (curve[19] - curve[-1]) + 0.01
    assert abs(found.mean - curve[-1]) < 3 * found.deviation


@pytest.mark.parametrize("family", CURVES)
def test_the_same_with_noise_and_the_truth_is_not_surprising(family: str) -> None:
    noisy = CURVES[family] + 0.01 * np.random.default_rng(0).normal(size=STEPS)
    found = foretold(noisy[:25])
    assert found.mean == pytest.approx(CURVES[family][-1], abs=0.07)
    assert 0.01 < found.chance(CURVES[family][-1]) < 0.99


def test_the_nearer_the_end_the_surer() -> None:
    deviations = [foretold(CURVES["power"][:known]).deviation for known in (8, 16, 32, 49)]
    assert deviations == sorted(deviations, reverse=True)


def test_the_chance_grows_with_what_is_asked_for() -> None:
    found = foretold(CURVES["exponential"][:15])
    chances = [found.chance(loss) for loss in (-1.0, 0.15, 0.2, 0.25, 1.0)]
    assert chances == sorted(chances)
    assert chances[0] < 0.01
    assert chances[-1] > 0.99


def test_losses_of_any_size_and_sign_are_foretold_alike() -> None:
    plain = foretold(CURVES["weibull"][:15])
    for unit, start in ((1e-6, 0.0), (1e6, 0.0), (1.0, -5.0)):
        found = foretold(start + unit * CURVES["weibull"][:15])
        assert found.mean == pytest.approx(start + unit * plain.mean, rel=1e-6)
        assert found.deviation == pytest.approx(unit * plain.deviation, rel=1e-4)


def test_nothing_is_foretold_from_fewer_losses_than_a_family_has_parameters() -> None:
    assert forecast(list(CURVES["power"][: LEAST - 1]), STEPS) is None
    assert forecast(list(CURVES["power"][:LEAST]), STEPS) is not None
    assert forecast([math.nan] * 20 + list(CURVES["power"][: LEAST - 1]), STEPS) is None
    assert forecast([], STEPS) is None


def test_nothing_is_foretold_of_a_step_that_has_been() -> None:
    assert forecast(list(CURVES["power"]), STEPS) is None


def test_losses_that_are_none_are_passed_over() -> None:
    whole, gaps = CURVES["power"][:20], CURVES["power"][:20].copy()
    gaps[[0, 7, 8]] = math.nan, math.inf, -math.inf
    assert foretold(gaps).mean == pytest.approx(foretold(whole).mean, abs=0.02)


def test_a_constant_curve_stays_what_it_is() -> None:
    for loss in (0.0, 0.5, -3.0, 1e-9, 1e300):
        found = foretold([loss] * 12)
        assert found.mean == pytest.approx(loss)
        assert found.chance(loss - 0.1 * (abs(loss) or 1.0)) < 0.01
        assert found.chance(loss + 0.1 * (abs(loss) or 1.0)) > 0.99


def test_a_rising_curve_is_not_expected_to_fall() -> None:
    assert foretold(np.linspace(0.2, 0.9, 20)).mean > 0.4


def test_losses_too_far_apart_for_numbers_are_no_trouble() -> None:
    assert forecast([1e308, -1e308] * 6, STEPS) is None
    assert math.isfinite(foretold([1e308, *([1e-300] * 12)]).mean)


def test_the_answer_is_the_same_every_time() -> None:
    one, other = foretold(CURVES["power"][:20]), foretold(CURVES["power"][:20])
    assert (one.mean, one.deviation) == (other.mean, other.deviation)
