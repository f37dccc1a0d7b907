import math

from tunesmith.data.info import DatasetInfo
from tunesmith.pipeline_run.arguments import search_spec
from tunesmith.steps import finite, study_key

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
