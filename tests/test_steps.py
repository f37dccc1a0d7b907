import json
import math
from pathlib import Path

import pytest

from tests.model_folders import Made
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import GateFailed, SpecError
from tunesmith.evaluate import Evaluation
from tunesmith.pipeline_run.arguments import search_spec
from tunesmith.steps import Uris, check_step, evaluate_step
from tunesmith.steps._figures import finite
from tunesmith.steps._search import study_key

INFO = DatasetInfo("images", "classification", (8, 8, 1), ("a", "b"), {"train": 2}, "abc", "digits")
ARGUMENTS = {
    **{"data_uri": "digits", "strategy": "tpe"},
    "search_space": {"kind": "parameters", "parameters": {"x": {"choice": [1, 2]}}},
}


def key(info: DatasetInfo = INFO, **arguments: object) -> str:
    return study_key(search_spec({**ARGUMENTS, **arguments}), info)


def test_kubeflow_is_not_told_of_numbers_that_are_none() -> None:
    assert finite({"a": 1.0, "b": math.nan, "c": -math.inf, "d": 0}) == {"a": 1.0, "d": 0}


def test_a_study_has_a_name_of_its_own_for_each_search() -> None:
    assert key() == key()
    assert key(strategy="random") != key()
    assert key(random_seed=1) != key()


def test_a_bigger_budget_continues_the_study() -> None:
    assert key(trials=50, parallel_trials=4) == key()


def test_changed_data_begin_another_study() -> None:
    assert key(DatasetInfo(**{**vars(INFO), "fingerprint": "def"})) != key()


def test_a_study_on_a_cluster_is_named_after_its_task_in_its_run() -> None:
    root = "minio://mlpipeline/v2/artifacts/tune"
    first = Uris("minio://d", f"{root}/run-1/search-model/salt/study").place
    again = Uris("minio://d", f"{root}/run-1/search-model/salt/study").place
    other = Uris("minio://d", f"{root}/run-2/search-model/salt/study").place
    assert first
    assert other
    assert first == again, "a retry has the URI of the first attempt"
    assert first.study_id != other.study_id
    assert first.study == f"{root}/run-1/search-model/salt/study"
    assert len(first.study_id) <= 33, "the number of the first trial is yet to come, in a name of at most 40 characters"


@pytest.mark.parametrize("study", ["/tmp/runs/study", "runs/study", "file:///tmp/study"])
def test_a_study_of_a_local_run_has_no_place_that_pods_could_reach(study: str) -> None:
    assert Uris("dataset", study).place is None


@pytest.mark.parametrize("kind", ["image_model", "table_model", "regression_model"])
def test_what_a_step_has_judged_another_reads_whole(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(kind)
    judged = evaluate_step(made.model, made.dataset, None, tmp_path / "evaluation", tmp_path / "report")
    assert Evaluation.load(tmp_path / "evaluation") == judged


def test_a_model_is_judged_first_and_then_held_to_its_limit(image_model: Made, tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    evaluate_step(image_model.model, image_model.dataset, None, folder, tmp_path / "report")
    assert check_step(folder, 0.0, 0.0) == "off"
    assert check_step(folder, 0.001, 0.0) == "passed"
    with pytest.raises(GateFailed, match=r"accuracy 0\.\d+ is below min_accuracy 1 .* on 30 test examples; macro_f1 "):
        check_step(folder, 1.0, 0.0)
    with pytest.raises(SpecError, match="min_r2: is for a regression"):
        check_step(folder, 0.0, 0.5)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"metrics": {}, "intervals": {"accuracy": 1}})])
def test_a_file_that_is_no_evaluation_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(content)
    with pytest.raises(SpecError, match=r"evaluation\.json: is no evaluation of a model"):
        check_step(tmp_path, 0.9, 0.0)
