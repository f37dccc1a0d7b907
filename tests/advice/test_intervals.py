"""Distributions narrowed and widened."""

import pytest
from hypothesis import given, strategies as st

from tunesmith.advice._intervals import between, beyond
from tunesmith.spaces._distributions import Choice, Int, LogInt, LogNormal, LogUniform, Normal, Uniform

ALL = [Uniform(-1, 1), Uniform(0, 1, step=0.05), LogUniform(1e-5, 0.1), Int(0, 9), Int(0, 100, step=5), LogInt(1, 1024)]


@pytest.mark.parametrize("distribution", ALL, ids=lambda distribution: distribution.describe())
@given(ends=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_a_narrower_range_holds_what_it_is_made_for_and_nothing_new(distribution: Uniform, ends: list[float]) -> None:
    narrower = between(distribution, *ends)
    for unit in ends:
        value, low, high = (each.quantile(at) for each, at in ((distribution, unit), (narrower, 0.0), (narrower, 1.0)))
        assert low <= value <= high or min(abs(value - low), abs(value - high)) <= 1e-9 * abs(value)
    for unit in (0.0, 1.0):
        assert distribution.contains(narrower.quantile(unit))


@pytest.mark.parametrize(
    ("before", "ends", "after"),
    [
        (Uniform(0, 1), (0.21234, 0.45678), Uniform(0.212, 0.457)),
        (LogUniform(1e-4, 1), (0.25, 0.5), LogUniform(1e-3, 1e-2)),
        (Uniform(0, 1, step=0.1), (0.2, 0.45), Uniform(0.2, 0.4, step=0.1)),
        (Int(1, 10), (0.42, 0.48), Choice((5,))),
        (Uniform(0, 10, clip=(2, 8)), (0.3, 0.6), Uniform(3, 6)),
        (Normal(0, 1), (0.0228, 0.9772), Normal(0, 1)),
        (Normal(0, 1, clip=(-2, 2)), (0.5, 0.8413), Normal(0.5, 0.25, clip=(-2, 2))),
    ],
)
def test_ranges_are_narrowed_on_their_own_scale_in_round_figures(before, ends, after) -> None:
    found = between(before, *ends)
    assert type(found) is type(after)
    if isinstance(after, Normal):
        assert (found.first, found.second) == pytest.approx((after.first, after.second), abs=2e-3)
        assert found.clip == after.clip
    else:
        assert found == after


@pytest.mark.parametrize(
    ("before", "end", "other", "after"),
    [
        (Uniform(-1, 1), "high", 0.5, Uniform(0, 2)),
        (Uniform(0, 10), "low", 1.0, Uniform(0, 10)),
        (Uniform(2, 10), "low", 1.2, Uniform(0, 10)),
        (Uniform(0, 1), "high", 0.0, Uniform(0, 1)),
        (Uniform(0, 0.9), "high", 0.0, Uniform(0, 0.95)),
        (LogUniform(1e-4, 1e-2), "high", 0.5, LogUniform(1e-3, 1e-1)),
        (LogInt(4, 64), "low", 1.0, LogInt(1, 64)),
        (Int(1, 9), "high", 0.0, Int(1, 13)),
        (Uniform(0, 10, clip=(2, 8)), "high", 0.0, Uniform(0, 10, clip=(2, 8))),
        (Choice((1, 2)), "high", 0.0, Choice((1, 2))),
    ],
)
def test_a_crowded_end_moves_outwards_but_for_natural_limits(before, end, other, after) -> None:
    assert beyond(before, end, other) == after


def test_a_normal_distribution_moves_towards_its_crowded_tail() -> None:
    after = beyond(LogNormal(0, 1), "high", 0.8)
    assert isinstance(after, LogNormal)
    assert after.first > 1
    assert after.second <= 1
