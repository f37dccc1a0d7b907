"""The Katib engine on a cluster in memory: what is recorded, and what an interruption, a lost client or a small budget does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fake_katib import FakeKatib, Pod, suggestion_service
from tunesmith.engines import katib as engine_module
from tunesmith.engines._books import CHECKPOINTS, HOPELESS
from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.inline import Inline
from tunesmith.engines.katib import Katib, Place
from tunesmith.errors import StudyError, TunesmithError
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.katib import api_pb2_grpc
from tunesmith.record import Record
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spec import parse_spec
from tunesmith.study import Objective, State, Trial

SPACE = {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}}}
FINITE = {"kind": "parameters", "parameters": {"n": {"int": [1, 3]}}}
TPE = {"name": "tpe", "startup": 4}
EVOLUTION = {"name": "evolution", "population": 3}
STUDY = "digits-1a2b3c4d"

Run = Callable[..., list[Trial]]


def loss_of(candidate: dict[str, Any]) -> float:
    return (candidate.get("x", 0.0) - 0.3) ** 2 + (candidate.get("kind") == "a")


def good(candidate: dict[str, Any]) -> dict[str, Any]:
    loss = loss_of(candidate)
    return {
        "state": "finished",
        "metrics": {"loss": loss},
        "seconds": 1.0,
        "curve": [[1, {"loss": loss + 1}], [2, {"loss": loss}]],
    }


def bad(candidate: dict[str, Any]) -> dict[str, Any]:
    return {"state": "failed", "reason": "out of luck"}


@pytest.fixture(scope="module")
def stub() -> Iterator[api_pb2_grpc.SuggestionStub]:
    with suggestion_service() as found:
        yield found


@pytest.fixture
def cluster(stub: api_pb2_grpc.SuggestionStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKatib:
    monkeypatch.setattr(engine_module, "POLL_SECONDS", 0.0)
    return FakeKatib(stub, tmp_path / "storage" / STUDY, good)


def run(
    cluster: FakeKatib,
    folder: Path,
    limits: Limits,
    pod: Pod = good,
    space: dict[str, Any] = SPACE,
    strategy: dict[str, Any] = TPE,
    progress: Progress | None = None,
    engine: Engine | None = None,
    **given: Any,
) -> list[Trial]:
    cluster.__dict__["pod"] = pod
    content = {
        "space": space,
        "strategy": strategy,
        "evaluation": {"kind": "function", "function": "a.py:f"},
    }
    spec = parse_spec(content)
    engine = engine or Katib(
        *(cluster, ClusterSpec(start_seconds=given.pop("start_seconds", 600)), ResourcesSpec(gpu=1), spec.to_json()),
        *(Place(STUDY, str(cluster.study)), "image:1"),
        **given,
    )
    with Record.start(folder, spec.to_json()) as record:
        evaluator = FunctionEvaluator(loss_of, "loss")
        engine.run(Search(spec.space, spec.strategy, Objective("loss"), evaluator, limits, record), progress or Progress())
        return record.trials()


class Interrupt(Progress):
    """Interrupts the search when so many trials have ended."""

    def __init__(self, after: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.after, self.error, self.count = after, error, 0

    def ended(self, trial: Trial) -> None:
        self.count += 1
        if self.count == self.after:
            raise self.error


class Notes(Progress):
    """Keeps what the user was told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def test_every_trial_is_recorded_with_its_curve_log_and_model(cluster: FakeKatib, tmp_path: Path) -> None:
    trials = run(cluster, tmp_path / "study", Limits(4, parallel=2))
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert all(trial.state is State.FINISHED and trial.metrics == {"loss": loss_of(dict(trial.candidate))} for trial in trials)
    with Record.read(tmp_path / "study") as record:
        assert [step for step, _ in record.curve(3)] == [1, 2]
        assert (record.trial_folder(3) / "log").read_text() == "what the trial printed\n"
        assert (record.trial_folder(3) / "model.keras").is_file()


def test_only_the_best_models_are_kept_here_and_at_the_storage(cluster: FakeKatib, tmp_path: Path) -> None:
    trials = run(cluster, tmp_path / "study", Limits(CHECKPOINTS + 4))
    best = {trial.number for trial in sorted(trials, key=lambda trial: trial.metrics["loss"])[:CHECKPOINTS]}
    for place in (tmp_path / "study", cluster.study):
        assert {int(path.parent.name) for path in place.glob("trials/*/model.keras")} == best


def test_it_is_told_once_that_trials_run(cluster: FakeKatib, tmp_path: Path) -> None:
    notes = Notes()
    run(cluster, tmp_path / "study", Limits(6, parallel=2), progress=notes)
    assert notes.texts.count("the first trials are running") == 1


def test_what_the_service_drew_at_random_is_told_while_the_search_runs(cluster: FakeKatib, tmp_path: Path) -> None:
    counts = iter(range(1, 100))

    def suggestion(name: str) -> dict[str, Any]:
        told = json.dumps({"count": next(counts), "last": 0, "why": "it was slow"})
        return {"status": {"algorithmSettings": [{"name": "fallback", "value": told}]}}

    cluster.__dict__["suggestion"] = suggestion
    notes = Notes()
    run(cluster, tmp_path / "study", Limits(4, parallel=2), progress=notes)
    told = [text.split()[0] for text in notes.texts if "drawn at random" in text]
    # After each pair of trials, and at the end.
    assert told == ["1", "2", "3"]


def test_the_same_spec_and_seed_try_the_same_candidates_as_on_this_machine(cluster: FakeKatib, tmp_path: Path) -> None:
    here = run(cluster, tmp_path / "here", Limits(20), engine=Inline())
    there = run(cluster, tmp_path / "there", Limits(20))
    assert [trial.candidate for trial in there] == [trial.candidate for trial in here]


def test_whose_edit_a_candidate_is_is_recorded_as_on_this_machine(cluster: FakeKatib, tmp_path: Path) -> None:
    here = run(cluster, tmp_path / "here", Limits(12), engine=Inline(), strategy=EVOLUTION)
    there = run(cluster, tmp_path / "there", Limits(12), strategy=EVOLUTION)
    assert [trial.parent for trial in here[:3]] == [None, None, None]
    assert all(trial.parent is not None for trial in here[3:])
    assert [trial.parent for trial in there] == [trial.parent for trial in here]


def test_a_trial_that_died_without_a_word_is_still_recorded_as_its_parents_edit(cluster: FakeKatib, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def mute_at_last(candidate: dict[str, Any]) -> dict[str, Any] | None:
        seen.append(candidate)
        return good(candidate) if len(seen) < 5 else None

    trials = run(cluster, tmp_path / "study", Limits(5), pod=mute_at_last, strategy=EVOLUTION)
    assert trials[4].state is State.FAILED
    assert trials[4].parent in range(4)


def test_a_client_that_was_lost_finds_the_experiment_again(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "study", Limits(8, parallel=2), progress=Interrupt(3, RuntimeError))
    trials = run(cluster, tmp_path / "study", Limits(8, parallel=2))
    assert [trial.number for trial in trials] == list(range(8))
    assert cluster.created == 1


def test_an_interrupted_search_stops_the_experiment_and_goes_on_with_another(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(cluster, tmp_path / "study", Limits(8, parallel=2), progress=Interrupt(3))
    assert not cluster.made
    trials = run(cluster, tmp_path / "study", Limits(8, parallel=2))
    assert len([trial for trial in trials if trial.state is State.FINISHED]) == 8
    assert len({trial.key for trial in trials}) == 8, "the new experiment knows what the old one had tried"
    assert cluster.created == 2


def test_a_record_that_was_lost_is_filled_from_the_storage(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(cluster, tmp_path / "first", Limits(8), progress=Interrupt(5))
    trials = run(cluster, tmp_path / "second", Limits(8))
    assert len(trials) == 8
    assert all(trial.facts["gpu_seconds"] >= 1.0 for trial in trials), "where the pods are gone, by the trials' own account"
    assert len(cluster.trials) == 3, "only what was missing ran"


def test_of_outcomes_found_at_the_storage_too_only_the_best_models_are_kept(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "first", Limits(9), progress=Interrupt(9, RuntimeError))
    cluster.made.clear()
    for number in range(9):
        (cluster.study / "trials" / str(number) / "model.keras").write_text("left by a client that was lost")
    run(cluster, tmp_path / "second", Limits(9))
    kept = [
        {int(path.parent.name) for path in place.glob("trials/*/model.keras")} for place in (cluster.study, tmp_path / "second")
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == CHECKPOINTS


def test_a_raised_budget_is_told_to_the_running_experiment(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "study", Limits(4), progress=Interrupt(2, RuntimeError))
    assert len(run(cluster, tmp_path / "study", Limits(7))) == 7
    assert cluster.created == 1


def test_a_lowered_budget_is_told_to_the_running_experiment(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "study", Limits(30, parallel=2), progress=Interrupt(2, RuntimeError))
    assert len(run(cluster, tmp_path / "study", Limits(8, parallel=2))) == 8


def test_a_budget_lowered_below_what_has_started_ends_the_search_soon(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "study", Limits(30, parallel=2), progress=Interrupt(6, RuntimeError))
    started = len(cluster.trials)
    looked = 2
    assert len(run(cluster, tmp_path / "study", Limits(3, parallel=2))) <= started + looked + 1


def test_more_trials_at_a_time_are_told_to_the_running_experiment(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        run(cluster, tmp_path / "study", Limits(20), progress=Interrupt(2, RuntimeError))
    run(cluster, tmp_path / "study", Limits(20, parallel=4))
    (experiment,) = cluster.made.values()
    assert (experiment["spec"]["parallelTrialCount"], experiment["spec"]["maxTrialCount"]) == (4, 20)


def test_a_finished_study_goes_on_where_its_budget_is_raised(cluster: FakeKatib, tmp_path: Path) -> None:
    run(cluster, tmp_path / "study", Limits(3))
    trials = run(cluster, tmp_path / "study", Limits(5))
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    assert len({trial.key for trial in trials}) == 5


def test_a_finite_space_ends_the_search_when_it_is_exhausted(cluster: FakeKatib, tmp_path: Path) -> None:
    trials = run(cluster, tmp_path / "study", Limits(10), space=FINITE)
    assert sorted(trial.candidate["n"] for trial in trials) == [1, 2, 3]


def test_a_trial_that_left_nothing_has_failed_and_the_search_goes_on(cluster: FakeKatib, tmp_path: Path) -> None:
    trials = run(cluster, tmp_path / "study", Limits(6), pod=lambda c: None if c["kind"] == "a" else good(c))
    states = {trial.candidate["kind"]: trial.state for trial in trials}
    assert states == {"a": State.FAILED, "b": State.FINISHED}
    assert next(trial.reason for trial in trials if trial.state is State.FAILED)


def test_a_search_in_which_nothing_works_ends_with_the_reason(cluster: FakeKatib, tmp_path: Path) -> None:
    with pytest.raises(TunesmithError, match="out of luck"):
        run(cluster, tmp_path / "study", Limits(50, parallel=2), pod=bad)
    assert len(list(cluster.study.glob("trials/*"))) <= HOPELESS + 2
    assert not cluster.made, "nothing runs on"


def test_gpu_hours_end_the_search_when_what_runs_has_ended(cluster: FakeKatib, tmp_path: Path) -> None:
    notes = Notes()
    trials = run(cluster, tmp_path / "study", Limits(50, parallel=2), progress=notes, gpu_hours=1e-12)
    assert all(trial.state is State.FINISHED for trial in trials)
    assert len(trials) <= 4
    assert not cluster.made, "nothing runs on"
    assert sum("the budget is spent" in text for text in notes.texts) == 1


def test_an_outcome_of_another_candidate_is_not_taken_for_the_trials_own(cluster: FakeKatib, tmp_path: Path) -> None:
    def stale(candidate: dict[str, Any]) -> dict[str, Any]:
        return good(candidate)

    folder = cluster.study / "trials" / "0"
    folder.mkdir(parents=True)
    (folder / "candidate.json").write_text(json.dumps({"x": 2.0, "kind": "z"}))
    trials = run(cluster, tmp_path / "study", Limits(2), pod=stale)
    assert [trial.metrics["loss"] for trial in trials] == [loss_of(dict(trial.candidate)) for trial in trials]


def stuck_pod(reason: str) -> dict[str, Any]:
    waiting = {"waiting": {"reason": reason, "message": "no such image"}}
    return {"metadata": {"name": "x", "uid": "x"}, "status": {"containerStatuses": [{"state": waiting}]}}


def test_a_pod_that_cannot_start_is_told_and_ends_the_search_in_time(cluster: FakeKatib, tmp_path: Path) -> None:
    cluster.stuck.append(stuck_pod("ErrImagePull"))
    notes = Notes()
    with pytest.raises(StudyError, match="the image cannot be pulled"):
        run(cluster, tmp_path / "study", Limits(2), progress=notes, start_seconds=0.3)
    assert any("no such image" in text for text in notes.texts)
    assert not cluster.made


def test_a_job_that_makes_no_pods_is_explained_by_its_events(
    cluster: FakeKatib, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module.secrets, "token_hex", lambda _: "ab12")
    subject = {"kind": "Job", "name": f"{STUDY}-0-ab12-0000"}
    cluster.warnings.append({"involvedObject": subject, "reason": "FailedCreate", "message": "violates PodSecurity"})
    with pytest.raises(StudyError, match="Pod Security level"):
        run(cluster, tmp_path / "study", Limits(2), start_seconds=0.3)
