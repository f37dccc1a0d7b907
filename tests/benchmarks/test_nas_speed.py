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


def test_where_a_strategy_cannot_work_it_is_not_measured() -> None:
    (cost,) = (each for each in measure(["sobol"], (8,)) if each.space in ("graphs", "cells_nasbench201"))
    assert cost.space == "cells_nasbench201"
