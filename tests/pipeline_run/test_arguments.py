from typing import Any

import pytest

from tunesmith.errors import SpecError
from tunesmith.pipeline_run.arguments import check, data_spec, search_content, with_whole_numbers

SPACE = {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}}
ARGUMENTS: dict[str, Any] = {
    "data_uri": "digits",
    "target_column": "",
    "validation_share": 0.25,
    "search_space": SPACE,
    "strategy": "random",
    "trials": 5,
    "early_stopping_patience": 0,
    "trial_memory_limit": "",
    "random_seed": 3,
    "export_formats": ["onnx"],
}


def test_parameters_become_the_search_file_they_stand_for() -> None:
    assert search_content(ARGUMENTS) == {
        "data": {"uri": "digits", "validation": 0.25, "seed": 3},
        "space": SPACE,
        "strategy": {"name": "random", "seed": 3},
        "budget": {"trials": 5},
    }


def test_a_limit_that_is_set_is_kept() -> None:
    content = search_content({"early_stopping_patience": 2, "trial_memory_limit": "1Gi", "trial_scheduler": "median"})
    assert content == {
        "evaluation": {"early_stopping": {"patience": 2}},
        "resources": {"memory": "1Gi"},
        "scheduler": {"name": "median"},
    }


def test_what_a_trial_trains_on_is_told_only_where_it_is_not_the_whole() -> None:
    assert "evaluation" not in search_content({"training_examples": "all", "training_share": 1.0, "training_by": "classes"})
    content = search_content({"training_examples": "growing", "training_share": 0.25, "training_by": "clusters"})
    assert content == {"evaluation": {"examples": "growing", "share": 0.25, "by": "clusters"}}


def test_kubeflows_floats_become_whole_numbers_at_any_depth() -> None:
    assert with_whole_numbers({"a": [2.0, {"b": 3.0}], "c": 0.5, "d": True}) == {"a": [2, {"b": 3}], "c": 0.5, "d": True}
    assert isinstance(with_whole_numbers([2.0])[0], int)


def test_arguments_without_a_mistake_pass() -> None:
    check(ARGUMENTS)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("validation_share", 1.5, "validation_share: got 1.5"),
        ("trials", 0, "trials: got 0"),
        ("training_by", "cluster", "training_by: got 'cluster': .*'clusters'"),
        ("strategy", "tpee", "strategy: 'tpee' is unknown; allowed: .*did you mean 'tpe'"),
        ("trial_scheduler", "medan", "trial_scheduler: 'medan' is unknown"),
        ("trial_memory_limit", "many", "trial_memory_limit: got 'many'"),
        ("search_space", {"kind": "layer"}, "search_space.kind: 'layer' is unknown"),
        ("search_space", {"kind": "parameters", "parameters": {}}, "search_space.parameters: is empty"),
        ("random_seed", -1, "random_seed: got -1"),
        ("task", "sorting", "task: got 'sorting'"),
        ("export_formats", ["onx"], "export_formats: 'onx' is unknown; .*did you mean 'onnx'"),
        ("export_formats", [], "export_formats: got .*needs a list of"),
        ("min_test_accuracy", 95.0, "min_test_accuracy: got 95.0; needs a number up to 1"),
        ("min_test_r2", 2.0, "min_test_r2: got 2.0"),
    ],
)
def test_a_mistake_is_told_by_the_parameters_name(name: str, value: object, words: str) -> None:
    with pytest.raises(SpecError, match=f"^{words}"):
        check({**ARGUMENTS, name: value})


def test_a_limit_of_the_other_task_is_refused() -> None:
    with pytest.raises(SpecError, match="min_test_accuracy: is for a classification, task is 'regression'; use min_test_r2"):
        check({**ARGUMENTS, "task": "regression", "min_test_accuracy": 0.9})


def test_the_data_section_is_checked_alone() -> None:
    assert data_spec({"data_uri": "a.csv", "target_column": "y"}).target == "y"
    with pytest.raises(SpecError, match=r"^test_share: got 0"):
        data_spec({"data_uri": "a.csv", "test_share": 0.0})
