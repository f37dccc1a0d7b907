"""`tunesmith trial` as a pod runs it: how each kind of trial ends, and what is left of it."""

import json
import math
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.katib.db_manager import DBManager, serve
from tests.test_imports import heavy_modules_after
from tests.trial.pods import PARAMETERS, Pod
from tunesmith import trial
from tunesmith.data.prepare import prepare
from tunesmith.engines._engine import Limits, Progress, Search
from tunesmith.engines.local import Local
from tunesmith.errors import ClusterError, SpecError, StorageError
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.katib.observations import ATTEMPT, Observations
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import StopRule
from tunesmith.search import study_content
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.parameters import Parameters
from tunesmith.spec import parse_spec
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, State

STEPS = """
def loss(candidate, context):
    for step in range(1, 4):
        context.report(step, {"loss": 1 - 0.1 * step, "accuracy": 0.1 * step, "odd": float("nan")})
    return {"loss": 0.7, "accuracy": 0.3, "odd": float("inf")}
"""
QUICK = "def loss(candidate):\n    return candidate['x']\n"
SLOW = """
import time
def loss(candidate, context):
    context.report(1, {"loss": 9.0})
    (context.folder / "begun").touch()
    time.sleep(777)
"""


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    manager = DBManager()
    with serve(manager) as address:
        yield Pod(tmp_path, manager, {"KATIB_DB_MANAGER": address})


@pytest.fixture
def pod_of_this_process(pod: Pod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Runs the pod's command in this process, with little patience."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("tunesmith.katib.observations.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("tunesmith.trial._reports.PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(trial, "STORAGE_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(trial, "TERMINATION_LOG", tmp_path / "termination-log")
    (tmp_path / "termination-log").touch()
    yield lambda: trial.run_trial(pod.environ, lambda line: None)
    signal.signal(signal.SIGTERM, before)


def curve(pod: Pod, metric: str = "loss") -> list[float]:
    return Observations(pod.environ["KATIB_DB_MANAGER"]).curve(pod.name, metric)


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def begun(pod: Pod) -> bool:
    return any((pod.folder / "disk").rglob("begun"))


def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    servers = [child for child in psutil.Process(process.pid).children() if "forkserver" in " ".join(child.cmdline())]
    return [worker for server in servers for worker in server.children()]


def test_a_finished_trial_leaves_its_outcome_and_every_step(pod: Pod) -> None:
    pod.tell_function(STEPS)
    printed = pod.run()
    outcome = pod.outcome()
    assert (outcome["state"], outcome["metrics"], outcome["attempts"]) == ("finished", {"loss": 0.7, "accuracy": 0.3}, 1)
    assert [step for step, _ in outcome["curve"]] == [1, 2, 3]
    assert outcome["curve"][0][1] == {"loss": 0.9, "accuracy": 0.1}
    assert curve(pod) == pytest.approx([0.9, 0.8, 0.7])
    assert pod.results() == {"loss": 0.7, "accuracy": 0.3, ATTEMPT: 1}
    assert "step 2: loss 0.8, accuracy 0.2" in printed
    assert json.loads((pod.home / "candidate.json").read_text()) == {"x": 0.25}


def test_an_outcome_is_what_the_local_engine_would_have_recorded(pod: Pod, tmp_path: Path) -> None:
    pod.tell_function(STEPS)
    pod.run()
    space = Parameters(PARAMETERS["parameters"])
    with Record.start(tmp_path / "study", {"space": space.to_json()}) as record:
        evaluator = FunctionEvaluator(parse_function(STEPS))
        Local().run(Search(space, Random(), Objective("loss"), evaluator, Limits(1), record), Progress())
        (tmp_path / "copy" / "trials").mkdir(parents=True)
    local = json.loads((tmp_path / "study/trials/0/outcome.json").read_text())
    assert {**local, "seconds": 0} == {**pod.outcome(), "seconds": 0}
    assert list(local) == list(pod.outcome())


def parse_function(source: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(source, names)
    return names["loss"]


def test_a_record_adopts_the_copied_folder(pod: Pod, tmp_path: Path) -> None:
    pod.tell_function(STEPS)
    pod.run()
    study = tmp_path / "study"
    (study / "trials").mkdir(parents=True)
    (study / "spec.yaml").write_text("space: {}\n")
    pod.home.rename(study / "trials" / "3")
    with Record.read(study) as record:
        (adopted,) = record.trials()
        assert (adopted.number, adopted.candidate, adopted.state) == (3, {"x": 0.25}, State.FINISHED)
        assert [step for step, _ in record.curve(3)] == [1, 2, 3]


def test_a_network_is_trained_on_the_prepared_data_and_its_model_kept(pod: Pod, tmp_path: Path) -> None:
    info = prepare(parse_spec({"space": {"kind": "layers"}, "data": {"uri": "digits"}}).file.data, tmp_path / "data")
    spec = parse_spec(
        {
            "space": {"kind": "layers", "convs": 1, "dense": 1},
            "data": {"uri": "digits"},
            "evaluation": {"epochs": 2},
            "resources": {"memory": "1Gi"},
        }
    ).for_data(info)
    pod.candidate = dict(Random().propose(view_of(spec), 1)[0].candidate)
    pod.tell(study_content(spec, info.fingerprint), TUNESMITH_DATASET=f"file://{tmp_path}/data")
    pod.run()
    assert pod.outcome()["metrics"]["val_accuracy"] == pod.results()["val_accuracy"]
    assert pod.outcome()["facts"]["epochs"] == 2
    assert len(curve(pod, "val_accuracy")) == 2
    from tunesmith.quiet import import_keras

    import_keras()
    import keras

    assert keras.models.load_model(pod.home / "model.keras").output_shape == (None, 10)


def test_a_network_goes_on_with_the_weights_of_the_one_that_it_was_edited_from(pod: Pod, tmp_path: Path) -> None:
    content = {
        "space": {"kind": "graphs", "start": {"convs": 1, "filters": 4}},
        "data": {"uri": "digits"},
        "evaluation": {"epochs": 2},
    }
    info = prepare(parse_spec(content).file.data, tmp_path / "data")
    spec = parse_spec(content).for_data(info)
    assert isinstance(spec.space, Graphs)
    edited = spec.space.morphs(spec.space.origin(), np.random.default_rng(1))[0]
    facts, told = [], ""
    for number, candidate, parent in [(3, spec.space.origin(), "none"), (4, edited, "3"), (5, edited, "9")]:
        pod.number, pod.candidate = number, dict(candidate)
        pod.tell(study_content(spec, info.fingerprint), TUNESMITH_DATASET=f"file://{tmp_path}/data", TUNESMITH_PARENT=parent)
        told = pod.run()
        assert pod.outcome()["parent"] == (None if parent == "none" else int(parent))
        facts.append(pod.outcome()["facts"].get("inherited"))
    assert facts == [None, 1.0, 0.0]
    assert "the model of trial 9, which this network was edited from, is not kept; it begins anew" in told


def view_of(spec: Any) -> Any:
    from tunesmith.study import StudyView

    return StudyView(spec.space, spec.objective)


def test_a_trial_ends_itself_by_its_rule(pod: Pod) -> None:
    pod.tell_function(STEPS)
    pod.environ["TUNESMITH_STOP_RULE"] = StopRule((None, 0.75)).encode()
    pod.run()
    outcome = pod.outcome()
    assert (outcome["state"], outcome["metrics"]["loss"]) == ("stopped", pytest.approx(0.8))
    assert "the bar is 0.75" in outcome["reason"]
    assert pod.results()["loss"] == pytest.approx(0.8)


def test_a_rule_counts_losses_of_an_objective_to_be_maximized(pod: Pod) -> None:
    pod.tell_function(STEPS, objectives=[{"metric": "accuracy", "goal": "maximize"}])
    pod.environ["TUNESMITH_STOP_RULE"] = StopRule((-0.15,)).encode()
    pod.run()
    assert pod.outcome()["metrics"]["accuracy"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("source", "resources", "reason"),
    [
        ("def loss(candidate):\n    raise ValueError('no such thing')\n", {}, "ValueError: no such thing (objective.py:2)"),
        ("def loss(candidate):\n    return float('nan')\n", {}, "loss is nan"),
        ("def loss(candidate):\n    return {'accuracy': 1}\n", {}, "returned no metric 'loss'"),
        (SLOW, {"seconds": 1}, "time-out: more than 1 s"),
        (
            "import time\ndef loss(candidate):\n    held = b'x' * 300 * 2**20\n    time.sleep(60)\n",
            {"memory": "100Mi"},
            "out of memory",
        ),
    ],
)
def test_a_bad_candidate_fails_with_its_reason_and_exit_code_3(
    pod: Pod, source: str, resources: dict[str, Any], reason: str
) -> None:
    pod.tell_function(source, resources=resources)
    assert reason in pod.run(trial.BAD_CANDIDATE)
    outcome = pod.outcome()
    assert (outcome["state"], outcome["attempts"]) == ("failed", 1)
    assert reason in outcome["reason"]
    assert all(math.isfinite(float(value)) for _, _, value in pod.manager.rows.get(pod.name, []))
    assert (pod.home / "log").exists()


def test_the_end_of_a_failed_trials_log_is_shown(pod: Pod) -> None:
    pod.tell_function("def loss(candidate):\n    print('reading the data')\n    raise ValueError('no such thing')\n")
    assert "reading the data\nTraceback" in pod.run(trial.BAD_CANDIDATE)


KILLED = """
import os, signal
def loss(candidate, context):
    count = context.folder / "count"
    attempts = int(count.read_text()) if count.exists() else 0
    count.write_text(str(attempts + 1))
    context.report(1, {{"loss": 9.0 - attempts}})
    if attempts < {kills}:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0.5
"""


def test_a_killed_worker_is_replaced_once(pod: Pod) -> None:
    pod.tell_function(KILLED.format(kills=1))
    assert "the worker was killed (SIGKILL)" in pod.run()
    outcome = pod.outcome()
    assert (outcome["state"], outcome["attempts"], outcome["curve"]) == ("finished", 2, [[1, {"loss": 8.0}]])
    assert pod.manager.values(pod.name, "loss") == [9.0, 8.0, 0.5]
    assert curve(pod) == [8.0]


def test_a_worker_that_is_killed_again_fails_the_trial(pod: Pod) -> None:
    pod.tell_function(KILLED.format(kills=2))
    pod.run(trial.BAD_CANDIDATE)
    outcome = pod.outcome()
    assert (outcome["state"], outcome["attempts"]) == ("failed", 2)
    assert "killed (SIGKILL), perhaps by the system for want of memory" in outcome["reason"]


def test_a_worker_killed_from_outside_is_replaced(pod: Pod) -> None:
    pod.tell_function(SLOW.replace("time.sleep(777)", "time.sleep(0 if candidate['x'] > 1 else 3)\n    return 0.5"))
    process = pod.start()
    wait_for(lambda: begun(pod))
    (worker,) = workers(process)
    worker.kill()
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert pod.outcome()["attempts"] == 2


def test_a_terminated_pod_ends_at_once_without_an_outcome(pod: Pod) -> None:
    pod.tell_function(SLOW)
    process = pod.start()
    wait_for(lambda: begun(pod))
    (worker,) = workers(process)
    process.terminate()
    output, errors = process.communicate(timeout=10)
    assert process.returncode == trial.TERMINATED
    assert "Traceback" not in output + errors
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    assert not (pod.home / "outcome.json").exists()
    assert not list((pod.folder / "disk").glob("tunesmith-trial-*")), "nothing is left on the pod's disk"


def test_a_pod_is_terminated_while_katibs_database_is_away(pod: Pod) -> None:
    pod.tell_function(SLOW)
    pod.environ["KATIB_DB_MANAGER"] = "127.0.0.1:9"
    process = pod.start()
    wait_for(lambda: begun(pod))
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == trial.TERMINATED


def test_an_evicted_trial_begins_anew_and_only_its_last_attempt_counts(pod: Pod) -> None:
    pod.tell_function(SLOW)
    process = pod.start()
    wait_for(lambda: pod.manager.values(pod.name, "loss"))
    process.terminate()
    process.communicate(timeout=10)
    pod.tell_function(STEPS)
    pod.run()
    outcome = pod.outcome()
    assert (outcome["state"], outcome["attempts"]) == ("finished", 2)
    assert [step for step, _ in outcome["curve"]] == [1, 2, 3]
    assert pod.manager.values(pod.name, "loss") == pytest.approx([9.0, 0.9, 0.8, 0.7, 0.7])
    assert curve(pod) == pytest.approx([0.9, 0.8, 0.7])


def test_a_trial_that_has_ended_ends_the_same_way_without_running_again(pod: Pod) -> None:
    pod.tell_function(STEPS)
    pod.run()
    left = (pod.home / "outcome.json").stat().st_mtime_ns
    pod.manager.rows.clear()
    assert "has ended in an earlier pod" in pod.run()
    assert pod.results() == {"loss": 0.7, "accuracy": 0.3}
    assert (pod.home / "outcome.json").stat().st_mtime_ns == left


def test_a_trial_that_has_failed_fails_again_without_running(pod: Pod) -> None:
    pod.tell_function("def loss(candidate):\n    raise ValueError('no such thing')\n")
    pod.run(trial.BAD_CANDIDATE)
    pod.tell_function(QUICK)
    assert "failed: ValueError: no such thing" in pod.run(trial.BAD_CANDIDATE)
    assert pod.outcome()["attempts"] == 1


def test_what_another_candidate_left_under_the_number_is_deleted(pod: Pod) -> None:
    pod.tell_function(STEPS)
    pod.run()
    (pod.home / "model.keras").touch()
    pod.candidate = {"x": 0.75}
    pod.tell_function(QUICK)
    pod.run()
    assert (pod.outcome()["metrics"], pod.outcome()["attempts"]) == ({"loss": 0.75}, 1)
    assert not (pod.home / "model.keras").exists()


def test_a_damaged_outcome_is_written_anew(pod: Pod) -> None:
    pod.tell_function(STEPS)
    pod.run()
    (pod.home / "outcome.json").write_text('{"state": "fin')
    pod.run()
    assert (pod.outcome()["state"], pod.outcome()["attempts"]) == ("finished", 2)


def test_what_a_function_leaves_in_its_folder_is_kept_and_its_neighbours_are_imported(pod: Pod) -> None:
    pod.tell_function(
        "def loss(candidate, context):\n    import neighbour\n    (context.folder / 'notes').write_text('kept')\n"
        "    return neighbour.VALUE\n"
    )
    (pod.folder / "code" / "neighbour.py").write_text("VALUE = 0.125\n")
    pod.run()
    assert pod.outcome()["metrics"] == {"loss": 0.125}
    assert (pod.home / "notes").read_text() == "kept"


def test_a_database_that_is_away_for_a_while_costs_nothing(pod: Pod) -> None:
    pod.manager.away = 4
    pod.tell_function(STEPS)
    pod.run()
    assert curve(pod) == pytest.approx([0.9, 0.8, 0.7])
    assert pod.results()["loss"] == 0.7


def test_a_database_that_stays_away_is_told_and_the_outcome_is_kept(
    pod: Pod, pod_of_this_process: Callable[[], int], tmp_path: Path
) -> None:
    pod.tell_function(QUICK)
    pod.environ["KATIB_DB_MANAGER"] = "127.0.0.1:9"
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:9: Katib's database manager does not answer"):
        pod_of_this_process()
    assert pod.outcome()["state"] == "finished"
    assert "KATIB_DB_MANAGER says where it is" in (tmp_path / "termination-log").read_text()


def test_kubernetes_is_told_why_a_candidate_failed(pod: Pod, pod_of_this_process: Callable[[], int], tmp_path: Path) -> None:
    pod.tell_function("def loss(candidate):\n    raise ValueError('x' * 5000)\n")
    assert pod_of_this_process() == trial.BAD_CANDIDATE
    told = (tmp_path / "termination-log").read_text()
    assert told.startswith("ValueError: xxx")
    assert len(told) <= trial.LONGEST_MESSAGE


def test_a_storage_that_cannot_be_written_is_told(pod: Pod, pod_of_this_process: Callable[[], int], tmp_path: Path) -> None:
    pod.tell_function(QUICK)
    (tmp_path / "file").touch()
    pod.environ["TUNESMITH_STUDY"] = f"{tmp_path}/file"
    with pytest.raises(StorageError, match=f"{tmp_path}/file/trials/3/attempts: cannot be written"):
        pod_of_this_process()


@pytest.mark.parametrize(
    "name", ["TUNESMITH_SPEC", "TUNESMITH_CANDIDATE", "TUNESMITH_TRIAL", "TUNESMITH_STUDY", "TUNESMITH_CODE"]
)
def test_a_missing_variable_is_named(pod: Pod, pod_of_this_process: Callable[[], int], name: str) -> None:
    pod.tell_function(QUICK)
    del pod.environ[name]
    with pytest.raises(SpecError, match=f"^{name}: not set; "):
        pod_of_this_process()


@pytest.mark.parametrize(
    "name", ["TUNESMITH_SPEC", "TUNESMITH_CANDIDATE", "TUNESMITH_TRIAL", "TUNESMITH_STOP_RULE", "TUNESMITH_PARENT"]
)
@pytest.mark.parametrize("value", ["://", "auto", "e30", "ä", "AAAA", "9" * 5000])
def test_a_damaged_variable_is_named(pod: Pod, pod_of_this_process: Callable[[], int], name: str, value: str) -> None:
    pod.tell_function(QUICK)
    pod.environ[name] = value
    with pytest.raises(SpecError, match=f"^{name}: "):
        pod_of_this_process()


@pytest.mark.parametrize("uri", ["://", "ftp://bucket/study", "s3://"])
def test_a_storage_of_an_unknown_kind_is_named(pod: Pod, pod_of_this_process: Callable[[], int], uri: str) -> None:
    pod.tell_function(QUICK)
    pod.environ["TUNESMITH_STUDY"] = uri
    with pytest.raises(StorageError, match=f"^{uri}"):
        pod_of_this_process()


def test_a_training_without_data_names_the_variable(pod: Pod, pod_of_this_process: Callable[[], int]) -> None:
    spec = {"space": {"kind": "layers"}, "data": {"uri": "digits"}, "objectives": [{"metric": "loss", "goal": "minimize"}]}
    pod.tell(spec)
    with pytest.raises(SpecError, match=r"^TUNESMITH_DATASET: not set; a training needs"):
        pod_of_this_process()


def test_data_of_another_study_are_refused(pod: Pod, pod_of_this_process: Callable[[], int], image_model: Any) -> None:
    spec = {
        "space": {"kind": "layers"},
        "data": {"uri": "digits", "fingerprint": "0" * 64},
        "objectives": [{"metric": "loss", "goal": "minimize"}],
    }
    pod.tell(spec, TUNESMITH_DATASET=str(image_model.dataset))
    with pytest.raises(SpecError, match=f"{image_model.dataset}: holds the data .*, the study is of 0000"):
        pod_of_this_process()
    assert (image_model.dataset / "dataset.json").exists()


def test_a_mistake_of_the_users_is_a_message_and_exit_code_2(pod: Pod) -> None:
    printed = pod.run(2)
    assert printed.startswith("error: TUNESMITH_SPEC, TUNESMITH_CANDIDATE, TUNESMITH_TRIAL, TUNESMITH_STUDY: not set; ")
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (QUICK + "# edited\n", "is not the study's .*; was it edited?"),
        ("def loss(candidate:\n", "objective.py:1: "),
        ("import nothing_of_the_kind\n", "No module named 'nothing_of_the_kind'"),
        ("def other(candidate): ...\n", "has no function 'loss'"),
    ],
)
def test_a_function_that_is_not_the_studys_is_told(
    pod: Pod, pod_of_this_process: Callable[[], int], there: str, told: str
) -> None:
    pod.tell_function(QUICK)
    (pod.folder / "code" / "objective.py").write_text(there)
    with pytest.raises(SpecError, match=told):
        pod_of_this_process()
    assert not (pod.home / "outcome.json").exists()


def test_the_pods_first_process_loads_nothing_heavy() -> None:
    assert heavy_modules_after("import tunesmith.trial, tunesmith.cli.trial") == set()
