"""The search file: what it may say, and what is said of its mistakes."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.sections import parse_bytes
from tunesmith.spec import load_spec, parse_spec
from tunesmith.strategies.auto import Auto
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Constraint, Objective
from tunesmith.yaml_text import read_yaml, write_yaml

FULL: dict[str, Any] = {
    "data": {"uri": "digits", "validation": 0.2},
    "space": {"kind": "parameters", "parameters": {"lr": {"loguniform": [1e-4, 0.1]}, "n": {"int": [1, 30]}}},
    "strategy": {"name": "tpe", "seed": 3, "startup": 5},
    "objectives": [{"metric": "val_accuracy", "goal": "maximize"}],
    "evaluation": {"epochs": 5, "early_stopping": {"patience": 3}},
    "budget": {"trials": 30, "parallel": 2, "hours": 1},
    "cluster": {"namespace": "team-a", "storage": "s3://studies"},
    "resources": {"memory": "8Gi", "seconds": 600},
}
SMALL = "space: {kind: parameters, parameters: {x: {uniform: [0, 1]}}}\nevaluation: {kind: function, function: 'a.py:f'}\n"


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full search file with one value set; `path` is dotted, its last key may be new."""
    content = copy.deepcopy(FULL)
    *parents, last = path.split(".")
    section: Any = content
    for part in parents:
        section = section[int(part) if part.isdigit() else part]
    section[int(last) if last.isdigit() else last] = value
    return content


def message_of(content: object) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(content, "search.yaml")
    return str(caught.value)


def test_a_full_file_is_read() -> None:
    spec = parse_spec(FULL)
    assert spec.strategy == TPE(startup=5)
    assert spec.seed == 3
    assert spec.objective == Objective("val_accuracy", "maximize")
    assert spec.file.budget.trials == 30
    assert spec.file.resources.memory == 8 * 2**30
    assert spec.file.evaluation.early_stopping is not None


def test_everything_but_the_space_and_the_data_has_a_default() -> None:
    spec = parse_spec({"data": {"uri": "digits"}, "space": FULL["space"]})
    assert spec.strategy == Auto()
    assert spec.seed == 0
    assert spec.objective is None
    assert spec.file.budget.trials == 30


def test_the_written_form_holds_every_default_and_is_read_back_alike() -> None:
    spec = parse_spec({"data": {"uri": "digits"}, "space": FULL["space"], "strategy": {"name": "tpe"}})
    content = spec.to_json()
    assert content["strategy"] == {"name": "tpe", "seed": 0, "startup": 10, "gamma": 0.1, "draws": 8}
    assert content["budget"] == {"trials": 30, "parallel": 1}
    for form in (json.loads(json.dumps(content)), read_yaml(write_yaml(content), "s")):
        assert parse_spec(form).to_json() == content


def test_the_objective_follows_from_the_task_where_none_is_given() -> None:
    spec = parse_spec({"data": {"uri": "digits"}, "space": FULL["space"]})
    images = DatasetInfo("images", "classification", (8, 8, 1), ("0", "1"), {"train": 1}, "f", "digits")
    table = DatasetInfo("table", "regression", (3,), (), {"train": 1}, "f", "a.csv")
    assert spec.for_data(images).objective == Objective("val_accuracy", "maximize")
    assert spec.for_data(table).objective == Objective("val_loss", "minimize")
    assert parse_spec(FULL).for_data(table).objective == Objective("val_accuracy", "maximize")
    assert parse_spec(read_yaml(SMALL, "s")).objective == Objective("loss", "minimize")


TRADE_OFF = FULL | {
    "objectives": [{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "latency_ms", "goal": "minimize"}],
    "constraints": ["parameters<=1e6"],
}


def test_several_objectives_and_constraints_are_read_and_written_in_one_form() -> None:
    spec = parse_spec(TRADE_OFF)
    assert spec.objective == Objective("val_accuracy", "maximize")
    assert spec.others == (Objective("latency_ms"),)
    assert spec.constraints == (Constraint("parameters", "<=", 1e6),)
    content = spec.to_json()
    assert content["objectives"] == TRADE_OFF["objectives"]
    assert content["constraints"] == ["parameters <= 1000000"]
    assert parse_spec(content).to_json() == content


TRAINED: dict[str, Any] = FULL | {"space": {"kind": "layers"}}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"objectives": [{"metric": "val_loss", "goal": "minimize"}, {"metric": "latency_onnxms", "goal": "minimize"}]},
            (
                "search.yaml: objectives.1.metric: 'latency_onnxms' is no metric of a training; allowed: val_accuracy, "
                "val_mae, val_loss, accuracy, mae, loss, parameters, macs, peak_memory, latency_ms, latency_onnx_ms, "
                "latency_litert_ms (did you mean 'latency_onnx_ms'?)"
            ),
        ),
        (
            {"constraints": ["macs <= 5", "latncy_ms <= 5"]},
            "search.yaml: constraints.1: 'latncy_ms' is no metric of a training",
        ),
        ({"constraints": ["latncy_ms <= 5"], "objectives": None}, "(did you mean 'latency_ms'?)"),
    ],
)
def test_a_metric_that_no_training_has_is_refused_with_what_was_meant(asked: dict[str, Any], message: str) -> None:
    assert message in message_of(TRAINED | asked)


@pytest.mark.parametrize("metric", ["val_loss", "mae", "val_accuracy", "peak_memory", "latency_litert_ms"])
def test_what_a_training_reports_or_a_network_is_measured_by_may_be_asked_for(metric: str) -> None:
    parse_spec(TRAINED | {"objectives": [{"metric": metric, "goal": "minimize"}], "constraints": [f"{metric} <= 1"]})


def test_a_metric_of_the_other_task_is_refused_once_the_data_are_known() -> None:
    images = DatasetInfo("images", "classification", (8, 8, 1), ("0", "1"), {"train": 1}, "f", "digits")
    table = DatasetInfo("table", "regression", (3,), (), {"train": 1}, "f", "a.csv")
    told = (
        r"objectives\.0\.metric: 'val_accuracy' is no metric of the training of a regression; allowed: val_mae, val_loss, mae"
    )
    with pytest.raises(SpecError, match=told):
        parse_spec(TRAINED).for_data(table)
    parse_spec(TRAINED).for_data(images)


@pytest.mark.parametrize(
    "asked",
    [
        {"space": {"kind": "code", "build": lambda choose: None}},
        {"evaluation": {"kind": "function", "function": "a.py:f"}, "space": FULL["space"], "data": None},
    ],
)
def test_what_the_user_s_own_code_reports_is_not_known_before(asked: dict[str, Any]) -> None:
    parse_spec(TRAINED | {"objectives": [{"metric": "val_f1", "goal": "maximize"}], "constraints": ["val_x >= 0"]} | asked)


def test_a_search_without_constraints_is_written_without_the_key() -> None:
    assert "constraints" not in parse_spec(FULL).to_json()


def test_trials_are_not_stopped_by_one_of_several_objectives() -> None:
    assert "scheduler: stops trials by a single objective" in message_of(TRADE_OFF | {"scheduler": {"name": "median"}})
    parse_spec(TRADE_OFF | {"scheduler": {"name": "median"}, "objectives": FULL["objectives"]})


def test_whole_floats_are_whole_numbers_everywhere() -> None:
    content = json.loads(json.dumps(FULL), parse_int=float)
    spec = parse_spec(content)
    assert json.dumps(spec.to_json()) == json.dumps(parse_spec(FULL).to_json())
    assert (spec.seed, type(spec.seed)) == (3, int)
    assert type(spec.file.budget.trials) is int


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("budgett", {}, "budgett: unknown key; allowed: data, space, strategy, "),
        ("budgett", {}, "(did you mean 'budget'?)"),
        ("data.ur", "digits", "data.ur: unknown key; allowed: uri, task, "),
        ("data.ur", "digits", "(did you mean 'uri'?)"),
        (
            "budget.trails",
            3,
            "budget.trails: unknown key; allowed: trials, parallel, hours, gpu_hours (did you mean 'trials'?)",
        ),
        ("evaluation.epoch", 3, "evaluation.epoch: unknown key"),
        ("evaluation.early_stopping.patince", 3, "evaluation.early_stopping.patince: unknown key; allowed: patience (did"),
        ("resources.mem", "1Gi", "resources.mem: unknown key; allowed: memory, seconds"),
        ("objectives.0.gaol", "x", "objectives.0.gaol: unknown key; allowed: metric, goal (did you mean 'goal'?)"),
        ("strategy.startups", 3, "strategy.startups: unknown key; allowed: startup, gamma, draws (did you mean 'startup'?)"),
        ("space.parameter", {}, "space.parameter: unknown key; allowed: parameters (did you mean 'parameters'?)"),
        (
            "space.parameters.lr",
            {"loguniforn": [1, 2]},
            "space.parameters.lr: got {'loguniforn': [1, 2]}; needs exactly one of:",
        ),
        ("space.parameters.lr", {"loguniforn": [1, 2]}, "(did you mean 'loguniform'?)"),
        ("space.parameters.lr", {"loguniform": [0, 1]}, "space.parameters.lr: loguniform: low must be above 0"),
        ("space.parameters.n", {"int": [1, 2.5]}, "space.parameters.n: int: needs whole numbers"),
        ("space", [], "space: got []: needs keys with values, such as {key: value}"),
        ("space.kind", "parameter", "space.kind: 'parameter' is unknown; allowed: "),
        ("space.kind", "parameter", "(did you mean 'parameters'?)"),
        ("space.kind", None, "space.kind: None is unknown; allowed: "),
        ("space.parameters", {}, "space.parameters: is empty; needs at least one parameter"),
        ("space.parameters", [1], "space.parameters: got [1]: needs keys with values"),
        ("space.parameters", {1: {"uniform": [0, 1]}}, "space.parameters.1: got 1: Input should be a valid string"),
        ("space", {}, "space.kind: is missing; one of: "),
        ("strategy", {}, "strategy.name: is missing; one of: auto, "),
        ("strategy", "tpe", "strategy: got 'tpe': needs keys with values, such as {key: value}"),
        ("strategy.name", "tpee", "strategy.name: 'tpee' is unknown; allowed: "),
        ("strategy.name", "tpee", "(did you mean 'tpe'?)"),
        ("strategy.name", ["tpe"], "strategy.name: ['tpe'] is unknown; allowed: "),
        ("strategy.name", "_strategy", "strategy.name: '_strategy' is unknown; allowed: "),
        ("strategy.seed", -1, "strategy.seed: got -1; needs a whole number from 0"),
        ("strategy.seed", 0.5, "strategy.seed: got 0.5; needs a whole number from 0"),
        ("strategy.seed", True, "strategy.seed: got True; needs a whole number from 0"),
        ("strategy.seed", "x", "strategy.seed: got 'x'; needs a whole number from 0"),
        ("strategy.seed", float("nan"), "strategy.seed: got nan; needs a whole number from 0"),
        ("strategy.seed", float("inf"), "strategy.seed: got inf; needs a whole number from 0"),
        ("strategy.startup", 0, "strategy.startup: got 0; needs a whole number from 1"),
        ("strategy.startup", "few", "strategy.startup: got 'few': Input should be a valid integer"),
        ("strategy.startup", True, "strategy.startup: got True: needs a number"),
        ("budget.trials", "many", "budget.trials: got 'many': Input should be a valid integer"),
        ("budget.trials", "30", "budget.trials: got '30': Input should be a valid integer, not a text"),
        ("evaluation.size", {"stages": "2"}, "evaluation.size.stages: got '2': Input should be a valid integer"),
        ("budget.trials", -3, "budget.trials: got -3: Input should be greater than or equal to 1"),
        ("budget.trials", 0, "budget.trials: got 0: Input should be greater than or equal to 1"),
        ("budget.trials", 2.5, "budget.trials: got 2.5: Input should be a valid integer"),
        ("budget.trials", True, "budget.trials: got True: needs a number"),
        ("budget.trials", [30], "budget.trials: got [30]: Input should be a valid integer"),
        ("budget.parallel", 1000, "budget.parallel: got 1000: Input should be less than or equal to 256"),
        ("budget.hours", 0, "budget.hours: got 0: Input should be greater than 0"),
        ("resources.gpu", -1, "resources.gpu: got -1: Input should be greater than or equal to 0"),
        ("budget.gpu_hours", 0, "budget.gpu_hours: got 0: Input should be greater than 0"),
        ("cluster.namespac", "a", "cluster.namespac: unknown key; allowed: namespace, image, storage, "),
        ("cluster.namespace", "Team A", "cluster.namespace: got 'Team A'"),
        (
            "cluster.tolerations",
            [{"kee": "x"}],
            "cluster.tolerations.0.kee: unknown key; allowed: key, operator, value, effect",
        ),
        ("cluster.volumes", [{"claim": "data", "path": "data"}], "cluster.volumes.0.path: got 'data'"),
        ("cluster.gpu_resource", "gpu", "cluster.gpu_resource: got 'gpu'"),
        ("warm_start", [], "warm_start: got []"),
        ("budget.hours", True, "budget.hours: got True: needs a number"),
        ("budget", None, "budget: got None: needs keys with values, such as {key: value}"),
        ("budget", 30, "budget: got 30: needs keys with values"),
        ("resources.memory", "8GB", "resources.memory: got '8GB': needs a quantity of memory such as 512Mi or 8Gi, not '8GB'"),
        ("resources.memory", "-8Gi", "resources.memory: got '-8Gi': needs a quantity of memory"),
        ("resources.memory", 0, "resources.memory: got 0: needs a quantity of memory"),
        ("data.validation", 1, "data.validation: got 1: Input should be less than 1"),
        ("data.validation", "20%", "data.validation: got '20%': Input should be a valid number"),
        ("data.task", "ranking", "data.task: got 'ranking': Input should be 'auto', 'classification' or 'regression'"),
        ("data", {}, "data.uri: is missing"),
        ("data", None, "data: is missing; a training needs data, for example {uri: digits}"),
        ("objectives", [], "objectives: got []: List should have at least 1 item"),
        (
            "objectives",
            {"metric": "a", "goal": "minimize"},
            "objectives: got {'metric': 'a', 'goal': 'minimize'}: Input should be a valid list",
        ),
        ("objectives.0.goal", "max", "objectives.0.goal: got 'max': Input should be 'minimize' or 'maximize'"),
        ("objectives.0", {"metric": "a"}, "objectives.0.goal: is missing"),
        ("objectives.0.metric", "", "objectives.0.metric: got ''"),
        (
            "objectives",
            [{"metric": "a", "goal": "minimize"}, {"metric": "a", "goal": "maximize"}],
            "objectives.1.metric: 'a' is an objective already; name each metric once",
        ),
        ("constraints", [], "constraints: got []: List should have at least 1 item"),
        ("constraints", "latency_ms <= 5", "constraints: got 'latency_ms <= 5': Input should be a valid list"),
        ("constraints", [5], "constraints.0: got 5: Input should be a valid string"),
        (
            "constraints",
            ["a <= 1", "latency_ms < 5"],
            "constraints.1: got 'latency_ms < 5'; needs a metric, <= or >=, and a number, such as 'latency_ms <= 5'",
        ),
        ("evaluation.kind", "function", "evaluation.function: is missing; needs file.py:function or package.module:function"),
        ("evaluation.kind", "functions", "evaluation.kind: got 'functions': Input should be 'training' or 'function'"),
        ("evaluation.early_stopping", {}, "evaluation.early_stopping.patience: is missing"),
    ],
)
def test_a_mistake_is_named_with_file_path_value_and_what_is_allowed(path: str, value: object, message: str) -> None:
    text = message_of(changed(path, value))
    assert message in text
    assert all(line.startswith("search.yaml: ") for line in text.splitlines())


def test_all_mistakes_of_the_sections_are_named_at_once() -> None:
    content = changed("budget.trials", 0) | {"resources": {"memory": "x"}, "extra": 1}
    assert len(message_of(content).splitlines()) == 3


@pytest.mark.parametrize(("content", "message"), [(None, "is empty"), ([1], "got [1]"), ("x", "got 'x'"), (3, "got 3")])
def test_a_file_that_is_no_dictionary_is_told_what_one_is(content: object, message: str) -> None:
    assert message_of(content) == (
        f"search.yaml: {message}; a search file is a dictionary with: "
        "data, space, strategy, scheduler, objectives, constraints, evaluation, budget, resources, cluster, warm_start, "
        "final, gate"
    )


def test_keys_that_are_no_texts_are_refused() -> None:
    assert "Keys should be strings" in message_of({**FULL, 1: 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "search.yaml: is empty; a search file is a dictionary with: data, space"),
        (b"# only a comment\n", "search.yaml: is empty"),
        (b"- a\n- b\n", "search.yaml: got ['a', 'b']; a search file is a dictionary"),
        (b"\x89PNG\r\n\x1a\n\xff\x00", "search.yaml: is no text file"),
        (b"a: \x00\x01", "search.yaml: is no text file"),
        (b"budget:\n  trials: 3\n  parallel: 1\n  trials: 4\n", "search.yaml: line 4: duplicate name 'trials'"),
        (b"space: {}\nspace: {}\n", "search.yaml: line 2: duplicate name 'space'"),
        (b"budget: {trials: 3\nspace: 1\n", "search.yaml: line 2: "),
        (b"budget:\n\ttrials: 3\n", "search.yaml: line 2: found character '\\t'"),
        (b"x: !!python/object/apply:os.system [ls]\n", "search.yaml: line 1: could not determine a constructor for the tag"),
        (b"? [a]\n: 1\n", "search.yaml: line 1: found unhashable key"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_where(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "search.yaml"
    path.write_bytes(text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no\.yaml: cannot be read \(No such file or directory\)"):
        load_spec(tmp_path / "no.yaml")
    with pytest.raises(SpecError, match=r"cannot be read \(Is a directory\)"):
        load_spec(tmp_path)


def test_a_file_is_read_as_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(SMALL + "data: {uri: 'Größe.csv'}\n", encoding=encoding)
        spec = load_spec(path)
        assert spec.file.data is not None
        assert spec.file.data.uri == "Größe.csv"
        assert spec.folder == tmp_path.resolve()


def test_a_users_space_is_looked_up_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def build(choose):\n    return choose.int('n', 1, 3)\n")
    (tmp_path / "search.yaml").write_text("data: {uri: digits}\nspace: {kind: code, build: 'model.py:build'}\n")
    assert len(list(load_spec(tmp_path / "search.yaml").space.enumerate())) == 3


def test_numbers_in_scientific_notation_need_no_dot() -> None:
    read = read_yaml("[1e-4, 1E3, -2e+5, .5e1, 1.e2, 1e, e1, '1e-4', 12, 1.5]", "s")
    assert read == [1e-4, 1000.0, -200000.0, 5.0, 100.0, "1e", "e1", "1e-4", 12, 1.5]


def test_texts_that_look_like_numbers_stay_texts_when_written() -> None:
    content = {"a": ["1e-4", "12", "off", "null", "1.5", "x: y"], "b": [1e-5, 1e300, 3, True, None, float("inf")]}
    assert read_yaml(write_yaml(content), "s") == content


@pytest.mark.parametrize(("text", "value"), [("512Mi", 512 * 2**20), ("1.5Gi", 3 * 2**29), ("2G", 2 * 10**9), (1024, 1024)])
def test_memory_is_written_as_kubernetes_does(text: object, value: int) -> None:
    assert parse_bytes(text) == value
