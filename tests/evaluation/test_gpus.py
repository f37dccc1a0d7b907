"""The GPU time of trials on this machine."""

from itertools import count

import pytest

from tunesmith.evaluation import _gpus
from tunesmith.evaluation._gpus import gpu_time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by 10 seconds whenever it is asked."""
    ticks = count(step=10.0)
    monkeypatch.setattr(_gpus.time, "monotonic", lambda: next(ticks))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("gpus", [1, 2])
def test_a_trial_holds_every_gpu_that_is_visible_as_long_as_it_takes(gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gpus, "visible_gpus", lambda: gpus)
    facts = {"epochs": 3.0}
    with gpu_time(facts):
        pass
    assert facts == {"epochs": 3.0, "gpu_seconds": 10.0 * gpus}


@pytest.mark.usefixtures("clock")
def test_the_time_of_a_trial_that_fails_is_paid_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gpus, "visible_gpus", lambda: 1)
    facts: dict[str, float] = {}
    with pytest.raises(ValueError, match="no"), gpu_time(facts):
        raise ValueError("no")
    assert facts == {"gpu_seconds": 10.0}


def test_without_a_gpu_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gpus, "visible_gpus", lambda: 0)
    facts: dict[str, float] = {}
    with gpu_time(facts):
        pass
    assert facts == {}


def test_a_training_tells_its_gpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from tunesmith.aims import Objective
    from tunesmith.evaluation._context import Context
    from tunesmith.evaluation.training import TrainingEvaluator
    from tunesmith.spaces.layers import Layers

    monkeypatch.setattr(_gpus, "visible_gpus", lambda: 1)
    monkeypatch.setattr(TrainingEvaluator, "_train", lambda *_: {"val_loss": 0.5})
    context = Context(0, 0, Path(), lambda *_: None, None)
    evaluator = TrainingEvaluator(Layers(), Path(), Objective("val_loss"), 1)
    assert evaluator.evaluate({}, context) == {"val_loss": 0.5}
    assert context.facts["gpu_seconds"] > 0
