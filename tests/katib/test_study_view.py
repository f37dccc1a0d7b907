"""How a request of Katib's becomes a study."""

import json
from typing import Any

import pytest

from tests.katib.experiments import SPEC, TEXT, Status, bare, carried, plain, trial, trial_of
from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import encode
from tunesmith.katib.environment import NAMESPACE
from tunesmith.katib.study_view import read_plan, read_trials, study_view
from tunesmith.schedulers.median import Median
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Constraint, Objective, State, StudyView, Trial


def view(trials: list[api_pb2.Trial], total: int, current: int = 1, **settings: str) -> StudyView:
    request = api_pb2.GetSuggestionsRequest(
        experiment=carried(**settings), trials=trials, current_request_number=current, total_request_number=total
    )
    plan = read_plan(request.experiment)
    return study_view(request, plan, [item.trial for item in read_trials(request, plan)])


def test_the_spec_comes_from_a_setting_and_the_objective_from_the_experiment() -> None:
    plan = read_plan(carried())
    assert plan.strategy == TPE(startup=3)
    assert plan.seed == 5
    assert plan.objective == Objective("val_accuracy", "maximize")
    assert (plan.offset, plan.earlier, plan.first, plan.scheduler, plan.repeats) == (0, (), (), None, False)


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


def test_trials_of_a_namesake_in_another_namespace_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMESPACE, "theirs")
    foreign = [trial(0, Status.SUCCEEDED, val_accuracy="1"), trial(1, Status.SUCCEEDED, val_accuracy="1")]
    monkeypatch.setenv(NAMESPACE, "ours")
    stranger = trial(2, Status.SUCCEEDED, val_accuracy="1")
    stranger.name = "exp-a1b2c3d4"
    issued = json.dumps({1: encode({"x": 0.01})})
    study = view([*foreign, stranger, trial(0, Status.RUNNING)], total=3, issued=issued)
    assert [(t.number, t.state) for t in study.trials] == [(0, State.RUNNING), (1, State.RUNNING)]


def test_the_namespace_is_found_beside_the_service_accounts_token(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAMESPACE, raising=False)
    file = tmp_path / "namespace"
    monkeypatch.setattr("tunesmith.katib.plan.SERVICE_ACCOUNT_NAMESPACE", file)
    nowhere = read_plan(carried()).study
    file.write_text("team-a\n")
    assert read_plan(carried()).study == "team-a" + nowhere


EARLIER = [
    [0, encode({"x": 0.1}), "finished", 0.7],
    [1, encode({"x": 0.2}), "failed", None],
    [2, encode({"x": 0.3}), "stopped", 0.2],
    [4, encode({"x": 0.4}), "running", None],
]


def test_a_continued_study_knows_its_earlier_trials_and_goes_on_with_their_numbers() -> None:
    later = trial(5, Status.SUCCEEDED, val_accuracy="0.5")
    study = view([later], total=2, offset="5", earlier=json.dumps(EARLIER))
    assert study.issued == 6
    expected = [State.FINISHED, State.FAILED, State.STOPPED, State.RUNNING, State.FINISHED]
    assert [(t.number, t.state) for t in study.trials] == list(zip([0, 1, 2, 4, 5], expected, strict=True))
    assert study.trials[0] == Trial(0, {"x": 0.1}, State.FINISHED, {"val_accuracy": 0.7})
    assert study.losses() == {0: -0.7, 2: -0.2, 5: -0.5}


def test_candidates_to_be_tried_first_are_in_the_study() -> None:
    first = [{"x": 0.25}, {"x": 0.5}]
    study = view([], total=1, first=json.dumps([encode(candidate) for candidate in first]))
    assert list(study.first) == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"offset": "-1"}, "algorithmSettings.offset: got '-1'; needs a whole number from 0"),
        ({"offset": "many"}, "algorithmSettings.offset: got 'many'"),
        ({"earlier": "{"}, "algorithmSettings.earlier: got '{'; needs a JSON list"),
        (
            {"earlier": "[1]"},
            "algorithmSettings.earlier: got 1; each trial is [number, encoded candidate, ",
        ),
        ({"earlier": '[[0, "x", "done", 1]]'}, "candidate: got 'x'"),
        ({"earlier": json.dumps([[0, encode({"x": 0.1}), "done", 1]])}, "algorithmSettings.earlier: got [0, "),
        ({"earlier": json.dumps([[0, encode({"x": 0.1}), "finished", "a"]])}, "algorithmSettings.earlier: got [0, "),
        ({"first": "{}"}, "algorithmSettings.first: got '{}'; needs a JSON list"),
        ({"first": '["auto"]'}, "candidate: got 'auto'"),
    ],
)
def test_a_malformed_setting_of_the_client_is_named(settings: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_plan(carried(**settings))
    assert message in str(caught.value)


def changed(**sections: Any) -> str:
    return json.dumps(SPEC | sections)


TRADE_OFF = changed(
    objectives=[{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "latency_ms", "goal": "minimize"}],
    constraints=["size <= 7"],
)


def test_further_objectives_and_constraints_come_with_the_spec() -> None:
    asked = [(number, {"candidate": encode({"x": number / 100})}) for number in (1, 2)]
    figures = {"val_accuracy": "0.5", "latency_ms": "3"}
    finished = trial_of(carried(TRADE_OFF), *asked[0], Status.SUCCEEDED, **figures, size="7")
    silent = trial_of(carried(TRADE_OFF), *asked[1], Status.SUCCEEDED, **figures)
    earlier = json.dumps([[0, encode({"x": 0.1}), "finished", 0.7, None, 8]])
    study = view([finished, silent], total=3, spec=TRADE_OFF, offset="1", earlier=earlier)
    assert (study.others, study.constraints) == ((Objective("latency_ms"),), (Constraint("size", "<=", 7),))
    assert study.trials[0].metrics == {"val_accuracy": 0.7, "size": 8.0}
    assert study.loss_rows() == {1: (-0.5, 3.0)}
    assert study.trials[2].reason == "reported no finite size"


def test_an_earlier_trial_of_too_few_values_is_refused_with_the_metrics() -> None:
    earlier = json.dumps([[0, encode({"x": 0.1}), "finished", 0.7]])
    with pytest.raises(SpecError, match="state, val_accuracy, latency_ms, size, values null where missing"):
        read_plan(carried(TRADE_OFF, earlier=earlier))


def test_a_scheduler_comes_with_the_parameter_of_its_rules() -> None:
    scheduled = carried(changed(scheduler={"name": "median", "trials": 7}))
    assert read_plan(scheduled).scheduler == Median(trials=7)
    assert read_plan(scheduled).steps is None
    del scheduled.spec.parameter_specs.parameters[1]
    with pytest.raises(SpecError, match="parameters: got candidate; needs the categorical 'candidate' and 'stop_rule' alone"):
        read_plan(scheduled)
    surplus = carried()
    surplus.spec.parameter_specs.parameters.add(name="stop_rule", parameter_type=api_pb2.CATEGORICAL)
    with pytest.raises(SpecError, match="parameters: got candidate, stop_rule; needs the categorical 'candidate' alone"):
        read_plan(surplus)


def test_a_training_reports_as_many_steps_as_it_has_epochs() -> None:
    spec = changed(evaluation={"epochs": 12}, data={"uri": "digits"}, scheduler={"name": "median"})
    assert read_plan(carried(spec)).steps == 12


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
        (changed(scheduler={"name": "curve", "by": "families"}), "scheduler.by: 'families' judges a trial by its own curve"),
        (changed(scheduler={"name": "medium"}), "scheduler: 'medium' is unknown; allowed: curve, halving, hyperband, median"),
    ],
)
def test_a_spec_that_cannot_be_searched_is_refused_in_its_own_words(spec: str | None, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_plan(carried(spec))
    assert message in str(caught.value)


def test_a_users_code_is_refused_before_it_is_imported(tmp_path: Any) -> None:
    (tmp_path / "model.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\ndef build(choose): ...\n")
    with pytest.raises(SpecError, match="cannot be searched by Katib"):
        read_plan(carried(changed(space={"kind": "code", "build": f"{tmp_path}/model.py:build"})))
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("algorithm", ["tpe", "tunesmith-tpee", "tunesmith", ""])
def test_an_algorithm_that_is_none_of_ours_is_refused_with_those_that_are(algorithm: str) -> None:
    for experiment in (carried(algorithm=algorithm), plain({"x": {"type": "int", "min": "1", "max": "9"}}, algorithm)):
        with pytest.raises(SpecError, match=r"algorithm\.algorithmName: .* is unknown; allowed: tunesmith-auto, "):
            read_plan(experiment)


def test_an_algorithm_other_than_the_specs_strategy_is_refused() -> None:
    message = r"algorithm\.algorithmName: got 'tunesmith-random', but the spec's strategy is 'tpe'"
    with pytest.raises(SpecError, match=message):
        read_plan(carried(algorithm="tunesmith-random"))


def test_an_unknown_setting_is_refused() -> None:
    message = (
        r"algorithmSettings\.ofset: unknown key; allowed: spec, offset, earlier, first, studies \(did you mean 'offset'\?\)"
    )
    with pytest.raises(SpecError, match=message):
        read_plan(carried(ofset="1"))


def test_a_spec_beside_plain_parameters_is_refused() -> None:
    both = carried()
    both.spec.parameter_specs.parameters.add(name="lr", parameter_type=api_pb2.DOUBLE)
    with pytest.raises(SpecError, match="parameters: got candidate, lr; needs the categorical 'candidate' alone"):
        read_plan(both)
    del both.spec.parameter_specs.parameters[:]
    with pytest.raises(SpecError, match="parameters: got none"):
        read_plan(both)


def test_an_objective_is_needed() -> None:
    without = carried()
    without.spec.objective.type = api_pb2.UNKNOWN
    with pytest.raises(SpecError, match=r"objective\.type: is missing; one of: minimize, maximize"):
        read_plan(without)
    without.spec.objective.objective_metric_name = ""
    with pytest.raises(SpecError, match=r"objective\.objectiveMetricName: is missing"):
        read_plan(without)


@pytest.mark.parametrize("issued", ["{", "[]", "3", "null", '{"a": "b"}', '{"0": 1}', '{"0": {}}', "[" * 100_000])
def test_a_malformed_memory_of_issued_trials_is_named(issued: str) -> None:
    with pytest.raises(SpecError, match=r"issued: got|candidate: got"):
        view([], total=1, issued=issued)


@pytest.mark.parametrize("depth", [600, 20_000])
def test_a_spec_nested_too_deeply_is_refused_in_words(depth: int) -> None:
    nested = '{"a": ' * depth + "1" + "}" * depth
    with pytest.raises(SpecError):
        read_plan(carried(f'{{"space": {nested}}}'))
    inner = '{"choice": {"o": {"p%d": ' * depth % tuple(range(depth)) + '{"uniform": [0, 1]}' + "}}}" * depth
    text = TEXT.replace('{"uniform": [0, 1]}', inner)
    with pytest.raises(SpecError, match="nested too deeply"):
        read_plan(carried(text))


def test_an_experiment_without_parameters_is_refused() -> None:
    with pytest.raises(SpecError, match="parameters: got none"):
        read_plan(bare("tunesmith-tpe", {}))
