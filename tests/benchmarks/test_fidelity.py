"""The benchmark of early stopping: its tables, its clock, what it counts, and the whole command on a small table."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import epochs_saved
from curves.clock import search, search_trials
from curves.scores import FLOOR, Scores
from curves.searchers import make
from curves.tables import Problem, find
from tunesmith.study import State

ROOT = Path(__file__).parents[2]
STEPS = 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Tables of both forms under names of their own; some settings diverge."""
    rng = np.random.default_rng(0)
    hp = np.column_stack([10 ** rng.uniform(-4, 0, 60), rng.uniform(0, 1, 60)])
    names = np.array(["rate", "momentum"])
    ends = np.abs(np.log10(hp[:, 0]) + 2) + hp[:, 1]
    losses = ends[:, None] + np.exp(-np.arange(STEPS) / 3)
    losses[5, 4:] = math.nan
    np.savez(
        tmp_path / "one.npz", hp=hp, hp_names=names, splits=np.array(["train", "valid"]), task=np.stack([losses, losses], 1)
    )
    accuracies = (9000 - 1000 * np.nan_to_num(losses, nan=1.0)).astype(np.uint16)[None]
    np.savez(tmp_path / "two.npz", hp=hp, hp_names=names, instances=np.array(["7", ]), val_acc_x100=accuracies)  # fmt: skip
    np.savez(tmp_path / "another.npz", unrelated=hp)
    return tmp_path


@pytest.fixture
def problem(data: Path) -> Problem:
    return find(data)["taskset-task"]


def test_tables_are_recognised_by_what_they_hold(data: Path) -> None:
    found = find(data)
    assert list(found) == ["taskset-task", "lcbench-7"]
    assert {problem.steps for problem in found.values()} == {STEPS}
    assert [knob.log for knob in found["lcbench-7"].columns.knobs] == [True, False]


def test_a_setting_of_the_table_has_its_own_curve_and_is_worth_the_best_of_it(problem: Problem) -> None:
    assert problem.curve(problem.columns.rows[9]) == problem.losses[9].tolist()
    assert problem.worth[9] == problem.losses[9].min()
    assert problem.worth[5] == math.inf


class Recorder:
    """Proposes one setting after another, stops the trials of some numbers after three steps."""

    def __init__(self, problem: Problem, stopped: set[int]) -> None:
        self.problem, self.stopped = problem, stopped
        self.asked = 0
        self.reports: dict[int, int] = {}
        self.ended: dict[int, State] = {}

    def ask(self):
        self.asked += 1
        return self.problem.columns.rows[self.asked - 1]

    def report(self, number: int, loss: float) -> bool:
        self.reports[number] = self.reports.get(number, 0) + 1
        return number in self.stopped and self.reports[number] == 3

    def end(self, number: int, state: State) -> None:
        self.ended[number] = state


@pytest.mark.parametrize("workers", [1, 4])
def test_every_step_of_every_trial_is_paid_for(problem: Problem, workers: int) -> None:
    recorder = Recorder(problem, stopped={1, 3})
    course = search(problem, recorder, workers, 10 * STEPS)
    failed = sum(state is State.FAILED for state in recorder.ended.values())
    assert sum(recorder.reports.values()) + failed == 10 * STEPS
    assert {recorder.ended[number] for number in (1, 3)} == {State.STOPPED}
    assert recorder.ended[5] is State.FAILED
    assert recorder.reports[5] == 4
    assert course.trials == recorder.asked
    assert len(course.ended) == sum(state is State.FINISHED for state in recorder.ended.values())


def test_a_loss_is_found_when_its_trial_has_finished(problem: Problem) -> None:
    course = search(problem, Recorder(problem, stopped={1}), 1, 3 * STEPS)
    assert course.best(STEPS - 1) == math.inf
    assert course.best(STEPS) == problem.worth[0]
    assert course.best(2 * STEPS + 2) == problem.worth[0]
    assert course.best(2 * STEPS + 3) == min(problem.worth[0], problem.worth[2])


def test_ours_start_more_trials_with_a_scheduler_than_without(problem: Problem) -> None:
    started = [
        search(problem, make(name, problem.columns.knobs, 0, 2, STEPS, 20), 2, 20 * STEPS).trials
        for name in ("tunesmith random", "tunesmith random+halving:steps=2,factor=4")
    ]
    assert started[0] <= 22
    assert started[1] > 30


def test_so_many_trials_cost_their_steps(problem: Problem) -> None:
    course, spent = search_trials(problem, Recorder(problem, stopped={1, 3}), 7)
    assert course.trials == 7
    # Two were stopped after three steps, and one failed at its fifth.
    assert spent == 4 * STEPS + 3 + 3 + 5
    assert course.best(spent) == min(problem.worth[[0, 2, 4, 6]])


def test_what_stopping_saves_is_told_by_kind_of_table(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = data / "saved.json"
    command = ["x", "--data", str(data), "--seeds", "2", "--trials", "8", "--strategies", "random", "--schedulers", "curve"]
    monkeypatch.setattr(sys, "argv", [*command, "--processes", "1", "--json", str(file)])
    epochs_saved.main()
    shown = capsys.readouterr().out
    assert "1 of lcbench" in shown
    assert "1 of taskset" in shown
    for saved, points, share in np.concatenate(json.loads(file.read_text())["costs"]["random+curve"]):
        assert 0 <= saved < 1
        assert points >= 0
        assert share >= 0


def test_the_scores_are_geometric_means_of_medians_and_compared_in_pairs() -> None:
    regrets = np.array([[[0.1, 0.2, 0.9], [0.4, 0.4, 0.4]], [[0.4, 0.8, 0.9], [0.8, 0.8, 0.8]]])
    scores = Scores(["a", "b"], ["p", "q"], np.maximum(regrets, FLOOR))
    assert scores.mean("a") == pytest.approx(math.sqrt(0.2 * 0.4))
    assert scores.beside("a", "b")[0] == pytest.approx(math.sqrt(0.25 * 0.5))


def test_the_command_prints_its_table_and_goes_on_from_its_file(data: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/fidelity.py"), "--data", str(data), "--seeds", "2", "--trials", "10"]
    command += [
        "--searchers",
        "tunesmith random",
        "tunesmith random+halving",
        "--processes",
        "1",
        "--json",
        str(data / "f.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "random+halving" in done.stdout
    content = json.loads((data / "f.json").read_text())
    assert len(content["cells"]) == 2 * 2 * 2 * 2
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout
