"""Training on a growing share of the examples."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.evaluation.sets import ACCURACY, CLASSIFIER, LOSS, REGRESSOR, make_context
from tunesmith.aims import Aims
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import TrialStopped
from tunesmith.evaluation._feed import Examples
from tunesmith.evaluation._growing import growing_counts, growing_order
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.search import make_evaluator, study_content
from tunesmith.sections import EvaluationSpec
from tunesmith.spec import parse_spec

GOOD = {"learning_rate": 0.01}
SETS = {"pictures": CLASSIFIER, "houses": REGRESSOR}


def evaluator(space: str, folder: Path, epochs: int, examples: str = "growing") -> TrainingEvaluator:
    aims = Aims((ACCURACY if space == "pictures" else LOSS,))
    asked = EvaluationSpec.model_validate({"epochs": epochs, "examples": examples})
    return TrainingEvaluator.for_aims(SETS[space], folder, aims, asked)


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many examples each course of a training is given."""
    counts: list[int] = []
    batches = Examples.batches

    def counted(self: Examples, size: int, shuffle_seed: int | None = None) -> object:
        if shuffle_seed is not None:
            counts.append(len(self))
        return batches(self, size, shuffle_seed)

    monkeypatch.setattr(Examples, "batches", counted)
    return counts


@given(st.lists(st.integers(0, 6), min_size=1, max_size=200), st.booleans())
def test_the_order_holds_every_example_once(labels: list[int], has_classes: bool) -> None:
    assert sorted(growing_order(np.array(labels), has_classes)) == list(range(len(labels)))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.floats(0.1, 1))
def test_every_beginning_of_the_order_is_mixed_as_the_whole_is(labels: list[int], share: float) -> None:
    y = np.array(labels)
    classes = np.unique(y)
    count = max(int(share * len(y)), len(classes))
    beginning = y[growing_order(y, has_classes=True)[:count]]
    for label in classes:
        assert (beginning == label).any()
        assert abs((beginning == label).sum() - (y == label).mean() * count) <= len(classes) + 1


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 600))
def test_the_share_grows_to_all(examples: int, epochs: int, least: int) -> None:
    counts = list(growing_counts(examples, epochs, least))
    assert len(counts) == epochs
    assert counts == sorted(counts)
    assert counts[0] >= min(least, examples)
    assert counts[-1] == examples


@pytest.mark.parametrize("name", list(SETS))
def test_epochs_train_on_growing_shares_and_the_last_on_all(
    name: str, tmp_path: Path, trained_on: list[int], request: pytest.FixtureRequest
) -> None:
    folder, (context, reports) = request.getfixturevalue(name), make_context(tmp_path)
    evaluator(name, folder, 5).evaluate(GOOD, context)
    whole = {"pictures": 100, "houses": 120}[name]
    assert trained_on == [whole * part // 5 for part in range(1, 6)]
    assert [step for step, _ in reports] == [1, 2, 3, 4, 5]


def test_a_share_is_at_least_a_batch(tmp_path: Path, pictures: Path, trained_on: list[int]) -> None:
    evaluator("pictures", pictures, 20).evaluate(GOOD, make_context(tmp_path)[0])
    assert trained_on[:4] == [16, 16, 16, 20]


def test_a_stopped_trial_has_seen_few_examples(tmp_path: Path, pictures: Path, trained_on: list[int]) -> None:
    context, _ = make_context(tmp_path, stop_at=2)
    with pytest.raises(TrialStopped):
        evaluator("pictures", pictures, 5).evaluate(GOOD, context)
    assert trained_on == [20, 40]
    assert context.facts["epochs"] == 2


def test_it_learns_as_well_in_the_end(tmp_path: Path, pictures: Path) -> None:
    assert evaluator("pictures", pictures, 20).evaluate(GOOD, make_context(tmp_path)[0])["val_accuracy"] > 0.9


def test_the_same_trial_comes_to_the_same(tmp_path: Path, pictures: Path) -> None:
    found = [evaluator("pictures", pictures, 3).evaluate(GOOD, make_context(tmp_path)[0]) for _ in range(2)]
    assert found[0] == found[1]


def test_a_single_epoch_trains_on_all(tmp_path: Path, pictures: Path, trained_on: list[int]) -> None:
    evaluator("pictures", pictures, 1).evaluate(GOOD, make_context(tmp_path)[0])
    assert trained_on == [100]


def test_other_searches_train_on_all_in_one_course(tmp_path: Path, pictures: Path, trained_on: list[int]) -> None:
    evaluator("pictures", pictures, 3, "all").evaluate(GOOD, make_context(tmp_path)[0])
    assert trained_on == [100]


def test_a_search_tells_its_trials_pods(pictures: Path) -> None:
    asked = {"space": {"kind": "layers"}, "data": {"uri": "pictures"}, "evaluation": {"epochs": 3, "examples": "growing"}}
    info = DatasetInfo.load(pictures)
    told = study_content(parse_spec(asked).for_data(info), info.fingerprint)
    evaluator = make_evaluator(parse_spec(told).for_data(info), pictures)
    assert isinstance(evaluator, TrainingEvaluator)
    assert evaluator.growing
