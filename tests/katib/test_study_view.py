"""How a request of Katib's becomes a study."""

import json
from typing import Any

import pytest

from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import encode, trial_name
from tunesmith.katib.study_view import read_spec, study_view
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Objective, State, StudyView

SPEC: dict[str, Any] = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
    "strategy": {"name": "tpe", "seed": 5, "startup": 3},
    "evaluation": {"kind": "function", "function": "a.py:f"},
}
TEXT = json.dumps(SPEC)
Status = api_pb2.TrialStatus


def experiment(spec: str | None = TEXT, **settings: str) -> api_pb2.Experiment:
    made = api_pb2.Experiment(name="exp")
    made.spec.parameter_specs.parameters.add(name="candidate", parameter_type=api_pb2.CATEGORICAL)
    made.spec.objective.objective_metric_name = "val_accuracy"
    made.spec.objective.type = api_pb2.MAXIMIZE
    given = ({"spec": spec} if spec is not None else {}) | settings
    for name, value in given.items():
        made.spec.algorithm.algorithm_settings.add(name=name, value=value)
    return made


def trial(number: int, condition: int, experiment: str = "exp", **metrics: str) -> api_pb2.Trial:
    text = encode({"x": number / 100})
    made = api_pb2.Trial(name=trial_name(experiment, TEXT, number, text), status=Status(condition=condition))  # type: ignore[arg-type]  # an enum's number
    made.spec.parameter_assignments.assignments.add(name="candidate", value=text)
    for name, value in metrics.items():
        made.status.observation.metrics.add(name=name, value=value)
    return made


def view(trials: list[api_pb2.Trial], total: int, current: int = 1, **settings: str) -> StudyView:
    request = api_pb2.GetSuggestionsRequest(
        experiment=experiment(**settings), trials=trials, current_request_number=current, total_request_number=total
    )
    return study_view(request, read_spec(request.experiment))


def test_the_spec_comes_from_a_setting_and_the_objective_from_the_experiment() -> None:
    spec = read_spec(experiment())
    assert spec.strategy == TPE(startup=3)
    assert spec.seed == 5
    assert spec.objective == Objective("val_accuracy", "maximize")


@pytest.mark.parametrize(
    ("condition", "metrics", "state"),
    [
        (Status.CREATED, {}, State.RUNNING),
        (Status.RUNNING, {}, State.RUNNING),
        (Status.UNKNOWN, {}, State.RUNNING),
        (Status.SUCCEEDED, {"val_accuracy": "0.5"}, State.FINISHED),
        (Status.SUCCEEDED, {"val_accuracy": "nan"}, State.FAILED),
        (Status.SUCCEEDED, {"val_accuracy": "-inf"}, State.FAILED),
        (Status.SUCCEEDED, {"val_accuracy": ""}, State.FAILED),
        (Status.SUCCEEDED, {"val_accuracy": "unavailable"}, State.FAILED),
        (Status.SUCCEEDED, {"other": "0.5"}, State.FAILED),
        (Status.SUCCEEDED, {}, State.FAILED),
        (Status.EARLYSTOPPED, {"val_accuracy": "0.5"}, State.STOPPED),
        (Status.FAILED, {}, State.FAILED),
        (Status.KILLED, {}, State.FAILED),
        (Status.METRICSUNAVAILABLE, {}, State.FAILED),
    ],
)
def test_every_condition_of_katibs_has_a_state(condition: int, metrics: dict[str, str], state: State) -> None:
    (read,) = view([trial(0, condition, **metrics)], total=2).trials
    assert read.state is state
    assert read.candidate == {"x": 0.0}


def test_metrics_are_numbers_and_those_that_are_none_are_left_out() -> None:
    (read,) = view([trial(0, Status.SUCCEEDED, val_accuracy="9.5e-01", loss="nan", note="")], total=2).trials
    assert read.metrics == {"val_accuracy": 0.95}


def test_a_success_without_a_finite_objective_says_why_it_failed() -> None:
    (read,) = view([trial(0, Status.SUCCEEDED, val_accuracy="nan")], total=2).trials
    assert read.reason == "reported no finite val_accuracy"


def test_the_issue_number_is_what_was_asked_for_never_the_lists_length() -> None:
    study = view([trial(3, Status.RUNNING), trial(1, Status.RUNNING)], total=9, current=2)
    assert study.issued == 7
    assert [t.number for t in study.trials] == [1, 3]


def test_what_the_list_lacks_is_running() -> None:
    issued = json.dumps({1: encode({"x": 0.01}), 2: encode({"x": 0.02})})
    study = view([trial(0, Status.FAILED), trial(2, Status.FAILED)], total=4, issued=issued)
    assert [(t.number, t.state) for t in study.trials] == [(0, State.FAILED), (1, State.RUNNING), (2, State.FAILED)]
    assert study.trials[1].candidate == {"x": 0.01}


def test_trials_of_a_namesake_in_another_namespace_are_left_out() -> None:
    foreign = trial(1, Status.SUCCEEDED, val_accuracy="1")
    foreign.name = trial_name("exp", TEXT + " ", 1, "x")
    other = trial(2, Status.SUCCEEDED, experiment="other", val_accuracy="1")
    issued = json.dumps({1: encode({"x": 0.01})})
    study = view([foreign, other, trial(0, Status.RUNNING)], total=3, issued=issued)
    assert [(t.number, t.state) for t in study.trials] == [(0, State.RUNNING), (1, State.RUNNING)]


def changed(**sections: Any) -> str:
    return json.dumps(SPEC | sections)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (None, "algorithmSettings.spec: is missing; needs a search file's content as JSON"),
        ("{", "algorithmSettings.spec: is no JSON ("),
        ("[]", "algorithmSettings.spec: got []; a search file is a dictionary with: "),
        (changed(strategy={"name": "tpee"}), "algorithmSettings.spec: strategy.name: 'tpee' is unknown; allowed: "),
        (changed(budget={"trials": -1}), "algorithmSettings.spec: budget.trials: got -1"),
        (changed(space={"kind": "parameters", "parameters": {}}), "algorithmSettings.spec: space.parameters: is empty"),
        (changed(space={"kind": "code", "build": "os:system"}), "space.kind: 'code' cannot be searched by Katib"),
    ],
)
def test_a_spec_that_cannot_be_searched_is_refused_in_its_own_words(spec: str | None, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(experiment(spec))
    assert message in str(caught.value)


def test_a_users_code_is_refused_before_it_is_imported(tmp_path: Any) -> None:
    (tmp_path / "model.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\ndef build(choose): ...\n")
    with pytest.raises(SpecError, match="cannot be searched by Katib"):
        read_spec(experiment(changed(space={"kind": "code", "build": f"{tmp_path}/model.py:build"})))
    assert not (tmp_path / "imported").exists()


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SpecError, match=r"algorithmSettings\.sepc: unknown key; allowed: spec \(did you mean 'spec'\?\)"):
        read_spec(experiment(sepc="{}"))


def test_a_plain_experiment_of_katibs_is_refused() -> None:
    plain = experiment()
    plain.spec.parameter_specs.parameters.add(name="lr", parameter_type=api_pb2.DOUBLE)
    with pytest.raises(SpecError, match="parameters: got candidate, lr; needs one categorical parameter 'candidate'"):
        read_spec(plain)
    del plain.spec.parameter_specs.parameters[:]
    with pytest.raises(SpecError, match="parameters: got none"):
        read_spec(plain)


def test_an_objective_is_needed() -> None:
    without = experiment()
    without.spec.objective.type = api_pb2.UNKNOWN
    with pytest.raises(SpecError, match=r"objective\.type: is missing; one of: minimize, maximize"):
        read_spec(without)
    without.spec.objective.objective_metric_name = ""
    with pytest.raises(SpecError, match=r"objective\.objectiveMetricName: is missing"):
        read_spec(without)


@pytest.mark.parametrize("issued", ["{", "[]", "3", "null", '{"a": "b"}', '{"0": 1}', '{"0": {}}', "[" * 100_000])
def test_a_malformed_memory_of_issued_trials_is_named(issued: str) -> None:
    with pytest.raises(SpecError, match=r"issued: got|candidate: got"):
        view([], total=1, issued=issued)


@pytest.mark.parametrize("depth", [600, 20_000])
def test_a_spec_nested_too_deeply_is_refused_in_words(depth: int) -> None:
    nested = '{"a": ' * depth + "1" + "}" * depth
    with pytest.raises(SpecError):
        read_spec(experiment(f'{{"space": {nested}}}'))
    inner = '{"choice": {"o": {"p%d": ' * depth % tuple(range(depth)) + '{"uniform": [0, 1]}' + "}}}" * depth
    text = TEXT.replace('{"uniform": [0, 1]}', inner)
    with pytest.raises(SpecError, match="nested too deeply"):
        read_spec(experiment(text))
