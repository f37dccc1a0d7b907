"""The mathematics, each against another way to compute the same."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.acquire import Acquisition
from tunesmith.strategies._gp.cube import TreeCube
from tunesmith.strategies._gp.fitting import fitted as fitted_kernels
from tunesmith.strategies._gp.improvement import log_improvement
from tunesmith.strategies._gp.interior import interior_of
from tunesmith.strategies._gp.kernel import Features, Kernel, Together, features, pairs_of, together
from tunesmith.strategies._gp.model import Posterior, Prior, _surprise, fit, prior_of
from tunesmith.strategies._gp.observations import branch_weights, observe
from tunesmith.strategies._gp.plateaus import Plateaus
from tunesmith.strategies._gp.warp import warp
from tunesmith.study import Objective, State, StudyView, Trial

SPACE = Parameters(
    {
        "x": {"uniform": [0, 1]},
        "y": {"loguniform": [1e-4, 1]},
        "c": {"choice": {"a": {"k": {"int": [1, 9]}}, "b": {}}},
        "d": {"choice": ["u", "v", "w"]},
    }
)
CUBE = TreeCube(SPACE)


def some(count: int, seed: int = 0) -> Features:
    return features(CUBE.settle(np.random.default_rng(seed).random((count, len(CUBE.columns)))), CUBE.columns)


def usual(seen: Features) -> Prior:
    """Return the prior of a space without branches."""
    numbers, categories = seen.numbers.shape[1], len(seen.groups)
    return prior_of(Together(np.full(numbers, numbers + categories), np.full(categories, categories)))


def fitted(count: int = 30) -> Posterior:
    seen, rng = some(count), np.random.default_rng(1)
    values = np.sin(5 * seen.numbers[:, 0]) + seen.options[:, 0]
    return Posterior(fit(pairs_of(seen), values, rng, usual(seen))[0], seen, values)


def test_the_kernels_gradient_is_that_of_its_value() -> None:
    seen, values = some(30), np.random.default_rng(2).normal(size=30)
    prior, pairs = usual(seen), pairs_of(seen)
    theta = prior.mean + 0.3

    def value(at: np.ndarray) -> float:
        return _surprise(at, pairs, values, prior)[0]

    slope = _surprise(theta, pairs, values, prior)[1]
    np.testing.assert_allclose(slope, np.asarray(approx_fprime(theta, value)), atol=1e-4 * np.abs(slope).max())


def test_a_covariance_is_the_same_by_pairs_one_by_one_and_all_at_once() -> None:
    seen = some(30)
    kernel, pairs = Kernel(usual(seen).mean + 0.3, seen.numbers.shape[1]), pairs_of(seen)
    covariances = kernel.between(seen, seen)
    np.testing.assert_allclose(kernel.among(pairs)[0], covariances.ravel()[pairs.places], rtol=1e-9)
    np.testing.assert_allclose(kernel.slope(seen.at(np.array([7])), seen)[0], covariances[7], rtol=1e-9)


BRANCHES = Parameters(
    {
        "x": {"uniform": [0, 1]},
        "branch": {
            "choice": {
                "one": {"p": {"uniform": [0, 1]}, "q": {"uniform": [0, 1]}},
                "other": {f"r{i}": {"uniform": [0, 1]} for i in range(9)},
            }
        },
    }
)


def test_lengths_grow_with_the_parameters_of_a_branch_and_not_with_those_of_others() -> None:
    cube = TreeCube(BRANCHES)
    units = cube.settle(np.random.default_rng(0).random((40, len(cube.columns))))
    active = np.isfinite(units).sum(axis=1)
    assert set(active) == {4, 11}
    dimensions = together(units, cube.columns)
    np.testing.assert_allclose(dimensions.numbers, [active.mean(), 4, 4, *[11] * 9])
    np.testing.assert_allclose(dimensions.categories, [1])
    # Where all numbers are the same, trials say nothing of lengths: what is fitted is what was expected.
    same = np.where(np.isfinite(units), 0.5, np.nan)
    same[:, 1] = units[:, 1]
    ((kernel, _),) = fitted_kernels(cube.columns, same, same[:, 1], 0, (0.0,))
    x, p, q, *others = kernel.theta[: len(dimensions.numbers)]
    assert p == pytest.approx(q)
    assert p < x < others[0]


def test_of_a_parameter_that_no_trial_had_yet_the_other_branches_tell() -> None:
    units = np.array([[0.5, 0.2, 0.3, np.nan], [0.1, 0.2, 0.3, np.nan]])
    cube = TreeCube(
        Parameters(
            {"x": {"uniform": [0, 1]}, "c": {"choice": {"a": {"y": {"uniform": [0, 1]}}, "b": {"z": {"uniform": [0, 1]}}}}}
        )
    )
    np.testing.assert_allclose(together(units, cube.columns).numbers, [3, 3, 3])


def test_covariances_make_a_valid_process() -> None:
    seen = some(60)
    kernel = Kernel(usual(seen).mean, seen.numbers.shape[1])
    covariance = kernel.between(seen, seen)
    np.testing.assert_allclose(covariance, covariance.T)
    np.testing.assert_allclose(np.diag(covariance), kernel.variance, rtol=1e-4)
    assert np.linalg.eigvalsh(covariance).min() > -1e-6


def test_the_process_knows_what_it_has_seen_and_is_unsure_elsewhere() -> None:
    posterior = fitted()
    mean, deviation = posterior.predict(posterior.seen)
    values = np.sin(5 * posterior.seen.numbers[:, 0]) + posterior.seen.options[:, 0]
    np.testing.assert_allclose(mean, values, atol=0.2)
    assert posterior.predict(some(200, 9))[1].mean() > deviation.mean()


def test_it_predicts_what_it_has_not_seen() -> None:
    posterior, new = fitted(60), some(100, 5)
    truth = np.sin(5 * new.numbers[:, 0]) + new.options[:, 0]
    assert np.corrcoef(posterior.predict(new)[0], truth)[0, 1] > 0.98


def test_the_expected_improvement_is_the_integral() -> None:
    mean, deviation = np.array([0.3, -0.2, 1.5]), np.array([0.5, 0.1, 0.7])
    z = (0.1 - mean) / deviation
    expected = deviation * (norm.pdf(z) + z * norm.cdf(z))
    np.testing.assert_allclose(np.exp(log_improvement(0.1, mean, deviation)), expected, rtol=1e-9)


def test_hopeless_improvements_are_still_in_order() -> None:
    means = np.array([1.0, 10.0, 100.0, 1e4, 1e6])
    found = log_improvement(0.0, means, np.full(5, 0.5))
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("improving", [0, 2])
def test_the_acquisitions_gradient_is_that_of_its_value(improving: int) -> None:
    posterior = fitted()
    chances = [Plateaus(some(20, 3), 0.3), interior_of(CUBE.columns, some(20, 3), 0.0)]
    acquisition = Acquisition(CUBE, [(posterior, -0.5), (fitted(20), -0.2)][:improving], [fitted(25)], chances)
    start = some(1, 7)

    def value(at: np.ndarray) -> float:
        return acquisition._value_and_slope(at, start)[0]

    slope = acquisition._value_and_slope(start.numbers[0], start)[1]
    np.testing.assert_allclose(slope, np.asarray(approx_fprime(start.numbers[0], value)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_losses_of_any_scale_are_warped_alike_and_in_order(scale: float) -> None:
    losses = np.random.default_rng(0).exponential(size=40)
    warped = warp(losses * scale)
    np.testing.assert_allclose(warped, warp(losses), atol=1e-5)
    good = np.argsort(losses)[:20]
    assert (np.diff(warped[good]) > 0).all()
    assert abs(warped.mean()) < 1e-6


def test_an_outlier_does_not_hide_the_others() -> None:
    losses = np.random.default_rng(0).random(40)
    with_outlier = np.append(losses, 1e12)
    assert np.std(warp(with_outlier)[:40]) > 0.5


def test_a_loss_that_weighs_twice_counts_as_two() -> None:
    losses = np.random.default_rng(0).exponential(size=30)
    twice = np.arange(30) % 3 == 0
    weighed = warp(losses, np.where(twice, 2.0, 1.0))
    repeated = warp(np.concatenate([losses, losses[twice]]))
    np.testing.assert_allclose(weighed, repeated[:30], atol=1e-4)


def test_a_crowd_in_one_branch_does_not_hide_what_the_others_came_to() -> None:
    rng = np.random.default_rng(0)
    units = np.full((46, 3), np.nan)
    units[:40, 0], units[40:43, 1], units[43:, 2] = rng.random(40), rng.random(3), rng.random(3)
    losses = np.concatenate([0.1 + 1e-4 * rng.random(40), [0.2, 0.25, 0.3], [0.4, 0.5, 0.6]])
    alike = warp(losses)[40:]
    assert np.ptp(alike) == 0
    told_apart = warp(losses, branch_weights(units))[40:]
    assert (np.diff(told_apart) > 0.1).all()


def test_a_studys_branches_weigh_alike_in_its_values() -> None:
    crowd = [
        Trial(i, {"x": 0.5, "branch": "one", "p": i / 40, "q": 0.5}, State.FINISHED, {"loss": 0.1 + 1e-6 * i})
        for i in range(40)
    ]
    few = [{"x": 0.5, "branch": "other"} | {f"r{i}": 0.1 * n for i in range(9)} for n in range(3)]
    others = [Trial(40 + n, candidate, State.FINISHED, {"loss": 0.3 + 0.1 * n}) for n, candidate in enumerate(few)]
    study = StudyView(BRANCHES, Objective("loss"), trials=(*crowd, *others), issued=43)
    assert (np.diff(observe(study, TreeCube(BRANCHES)).values[40:]) > 0.1).all()


def test_branches_weigh_alike_and_a_space_without_any_weighs_every_trial_alike() -> None:
    units = np.array([[0.1, np.nan]] * 3 + [[np.nan, 0.5]])
    np.testing.assert_allclose(branch_weights(units), [2 / 3, 2 / 3, 2 / 3, 2])
    assert (branch_weights(np.random.default_rng(0).random((7, 2))) == 1).all()


@pytest.mark.parametrize("losses", [[3.0], [2.0, 2.0, 2.0], [0.0, 0.0]])
def test_equal_losses_say_nothing(losses: list[float]) -> None:
    assert (warp(np.array(losses)) == 0).all()
