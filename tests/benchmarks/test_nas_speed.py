"""What a proposal costs: every space of architectures is measured with every strategy asked for."""

import pytest

from nas.speed import SPACES, measure

pytestmark = pytest.mark.slow


def test_each_space_is_measured_after_each_number_of_trials() -> None:
    costs = list(measure(["random", "evolution"], (8, 12)))
    assert [(cost.space, cost.strategy, cost.past) for cost in costs] == [
        (space, strategy, past) for space in SPACES for strategy in ("random", "evolution") for past in (8, 12)
    ]
    assert all(cost.cold > 0 and cost.warm > 0 for cost in costs)
