"""A study's process beside those of earlier studies."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from tests.strategies.gp.test_earlier import BOWL, CUBE, UPSIDE_DOWN, drawn, earlier, seen, view
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.earlier import Earlier, processes
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.joint import Joint
from tunesmith.strategies._gp.kernel import features, pairs_of, together
from tunesmith.strategies._gp.model import Fitted, Posterior, _surprise, fit, prior_of
from tunesmith.strategies._gp.warp import warp
from tunesmith.strategies.gp import GP
from tunesmith.study import EarlierStudy, Objective, StudyView

SHUFFLED = earlier(drawn(60), list(np.random.default_rng(3).permutation(BOWL.losses)))
PARTIAL = earlier([{"x": candidate["x"]} for candidate in drawn(60)], [abs(candidate["x"] - 0.2) for candidate in drawn(60)])
PRIOR = prior_of(together(CUBE.encode(drawn(1)), CUBE.columns))


def told(*studies: EarlierStudy) -> tuple[Earlier, ...]:
    return tuple(process for _, process in processes(view(*studies), CUBE))


def fitted_to(count: int, *studies: EarlierStudy) -> Fitted:
    units = CUBE.encode(drawn(count, seed=1))
    return fitted(CUBE.columns, units, warp(seen(count)[1]), 0, (0.0,), told(*studies))[0]


def joint(count: int, *studies: EarlierStudy) -> Joint:
    kernel, follows = fitted_to(count, *studies)
    values = warp(seen(count)[1])
    return Joint(told(*studies), kernel, follows, seen(count)[0], values)


def off(process: Joint | Posterior) -> float:
    """How far off a process is over the space, in the rank correlation with the truth that it misses."""
    asked, truth = seen(300)
    return 1 - float(np.corrcoef(process.predict(asked)[0], warp(truth))[0, 1])


def test_a_related_study_is_followed_a_shuffled_or_opposite_one_is_not() -> None:
    for study, least, most in ((BOWL, 0.5, 2.5), (SHUFFLED, 0.0, 0.35), (UPSIDE_DOWN, 0.0, 0.05)):
        follow = float(fitted_to(25, study)[1][0])
        assert least <= follow <= most


def test_with_few_trials_a_related_study_tells_of_the_rest() -> None:
    few, values = seen(4)
    alone = Posterior(fit(pairs_of(few), warp(values), np.random.default_rng(0), PRIOR)[0], few, warp(values))
    assert off(joint(4, BOWL)) < 0.5 * off(alone)


def test_it_agrees_with_what_it_has_seen() -> None:
    asked, values = seen(12)
    mean, deviation = joint(12, BOWL).predict(asked)
    np.testing.assert_allclose(mean, warp(values), atol=0.2)
    assert (deviation < 0.3).all()


def test_without_trust_it_is_the_studys_own_process_and_a_level() -> None:
    few, values = seen(9)
    kernel = fit(pairs_of(few), warp(values), np.random.default_rng(0), PRIOR)[0]
    unmoved = Joint(told(BOWL), kernel, np.zeros(1), few, warp(values))
    asked = seen(20)[0]
    np.testing.assert_allclose(unmoved.predict(asked)[0], Posterior(kernel, few, warp(values)).predict(asked)[0], atol=0.6)


@pytest.mark.parametrize("studies", [(BOWL,), (BOWL, PARTIAL), (BOWL, UPSIDE_DOWN, SHUFFLED)])
def test_the_slope_is_that_of_the_values(studies: tuple[EarlierStudy, ...]) -> None:
    process = joint(9, *studies)
    one = features(np.array([[0.43, 0.31, 0.5]]), CUBE.columns)

    def of(at: np.ndarray, which: int) -> float:
        return float(process.predict(replace(one, numbers=at[None, :]))[which][0])

    mean, deviation, up, wider = process.slope(one.numbers[0], one.options[0])
    assert (mean, deviation) == pytest.approx((of(one.numbers[0], 0), of(one.numbers[0], 1)))
    np.testing.assert_allclose(up, np.asarray(approx_fprime(one.numbers[0], of, 1e-7, 0)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(wider, np.asarray(approx_fprime(one.numbers[0], of, 1e-7, 1)), rtol=1e-3, atol=1e-4)


def test_the_fits_gradient_is_that_of_its_value() -> None:
    few, values = seen(15)
    given = [each.foretold(few) for each in told(BOWL, PARTIAL)]
    prior, pairs = PRIOR.joined(2, 0.5, 0.5, 0.0, 2.5), pairs_of(few)

    def value(at: np.ndarray) -> float:
        return _surprise(at, pairs, warp(values), prior, given)[0]

    point = prior.mean + 0.2
    slope = _surprise(point, pairs, warp(values), prior, given)[1]
    np.testing.assert_allclose(slope, np.asarray(approx_fprime(point, value, 1e-6)), rtol=2e-3, atol=2e-3)


def test_beside_a_study_that_misleads_the_design_still_covers_the_space() -> None:
    """Every second trial is guided or not; the others alone have candidates in every quarter of every number."""
    line = Parameters({"x": {"uniform": [0, 1]}})
    study = StudyView(line, Objective("loss"), earlier=(EarlierStudy("old", ({"x": 0.1}, {"x": 0.2}), (0.0, 1.0)),))
    designed = [GP().propose(replace(study, issued=number), 1)[0].candidate["x"] for number in range(1, 8, 2)]
    assert sorted(int(4 * float(x)) for x in designed) == [0, 1, 2, 3]  # type: ignore[arg-type]
