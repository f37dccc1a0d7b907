"""The comparison of searchers: cells, yardsticks, scores, the results' file and the command."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import search_quality
from quality.baseline import Yardstick, measure
from quality.cells import Cell, Task, _Board, from_json, run
from quality.problem import Knob, Problem
from quality.problems import find
from quality.results import Results
from quality.scores import score
from tunesmith.spaces._distributions import Uniform

COMMAND = Path(__file__).parents[2] / "benchmarks" / "search_quality.py"
LINE = Problem("line", "continuous", (Knob("x", Uniform(0.0, 1.0)),), lambda candidate: candidate["x"], 0.0, {"x": 0.0})


def cell(problem, searcher, seed, *curve):
    return Cell(problem, searcher, seed, 1, curve, 0.0)


def test_random_search_reaches_what_theory_says():
    medians = measure(LINE, [1, 25, 100]).medians
    assert medians[1] == pytest.approx(0.5, rel=0.05)
    assert medians[25] == pytest.approx(1 - 0.5 ** (1 / 25), rel=0.1)
    assert medians[100] == pytest.approx(1 - 0.5 ** (1 / 100), rel=0.2)


def test_regret_is_0_for_the_best_known_and_1_for_what_random_search_reaches():
    yardstick = Yardstick(best=2.0, medians={25: 6.0}, worst=10.0)
    assert [yardstick.regret(loss, 25) for loss in (2.0, 6.0, 4.0)] == [0.0, 1.0, 0.5]
    assert yardstick.regret(math.inf, 25) == yardstick.regret(10.0, 25) == 2.0


def test_a_problem_that_random_search_solves_tells_nothing():
    assert math.isnan(Yardstick(best=2.0, medians={25: 2.0}, worst=10.0).regret(2.0, 25))


def test_scores_are_geometric_means_of_medians_with_a_floor():
    yardsticks = {name: Yardstick(0.0, {1: 1.0}, 9.0) for name in ("p", "q")}
    found = {"p": (0.0, 0.0, 5.0), "q": (0.25, 0.5, 0.25)}
    cells = [cell(name, "peer", seed, loss) for name, losses in found.items() for seed, loss in enumerate(losses)]
    scores = score({one.key: one for one in cells}, yardsticks, (["peer"], ["p", "q"], 3, 1), 1)
    assert scores.mean()[0] == pytest.approx(math.sqrt(0.01 * 0.25))
    assert scores.mean(lambda name: name == "q")[0] == pytest.approx(0.25)


def test_ranks_are_among_the_peers_and_do_not_depend_on_the_others_of_ours():
    yardsticks = {"p": Yardstick(0.0, {1: 1.0}, 9.0)}
    losses = {"tunesmith a": (0.1, 0.1), "tunesmith b": (0.2, 0.9), "peer": (0.5, 0.5)}
    cells = [cell("p", name, seed, loss) for name, two in losses.items() for seed, loss in enumerate(two)]
    scores = score({one.key: one for one in cells}, yardsticks, (list(losses), ["p"], 2, 1), 1)
    assert scores.ranks().tolist() == [1.0, 1.5, 1.0]
    duel = scores.duel("tunesmith b")
    assert duel is not None
    assert (duel.other, duel.wins, duel.losses) == ("peer", 1, 1)
    assert scores.duel("peer") is None


def test_a_noisy_problem_is_judged_by_the_true_value_of_the_best_observed():
    noise = np.array([0.0, -0.9, 0.5])
    seen = []

    def observe(candidate, rng):
        del rng
        seen.append(candidate["x"])
        return candidate["x"] + noise[len(seen) - 1]

    problem = Problem("noise", "continuous", LINE.knobs, LINE.loss, 0.0, LINE.optimum, observe)
    board = _Board(problem, 0)
    for x in (0.3, 0.8, 0.1):
        board.evaluate({"x": x})
    assert board.curve == [0.3, 0.8, 0.8]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tunesmith random", "tunesmith tpe startup=5"])
@pytest.mark.parametrize("batch", [1, 8])
def test_a_cell_has_one_value_a_trial_and_never_rises(name, batch):
    made = run(Task("cash5-failing", name, 0, 20, batch, None, 0))
    assert made.trouble == ""
    assert len(made.curve) == 20
    assert list(made.curve) == sorted(made.curve, reverse=True)


def test_the_same_task_has_the_same_curve():
    task = Task("network8-noisy", "tunesmith tpe", 1, 15, 1, None, 0)
    assert run(task).curve == run(task).curve


def test_a_searcher_that_gives_up_says_why_and_keeps_what_it_found(monkeypatch):
    class Tired:
        def __init__(self):
            self.asked = 0

        def ask(self, count):
            self.asked += 1
            if self.asked > 3:
                raise RuntimeError("no more")
            return [find(None, 0)["branin"].optimum]

        def tell(self, results):
            pass

    monkeypatch.setattr("quality.cells.make", lambda *_: Tired())
    made = run(Task("branin", "peer", 0, 5, 1, None, 0))
    assert made.trouble == "RuntimeError: no more"
    assert made.curve == pytest.approx([find(None, 0)["branin"].best] * 5)


def test_cells_survive_the_file_also_where_nothing_was_found(tmp_path):
    results = Results(tmp_path / "r.json")
    results.add(cell("p", "peer", 0, math.inf, 2.0))
    results.yardsticks["p"] = Yardstick(0.0, {25: 1.0}, 9.0)
    results.write()
    again = Results(tmp_path / "r.json")
    assert again.cells == results.cells
    assert again.yardsticks == results.yardsticks
    assert again.has(("p", "peer", 0, 1), 2)
    assert not again.has(("p", "peer", 0, 1), 3)
    assert from_json(json.loads(json.dumps(results.cells["p", "peer", 0, 1].to_json()))).curve == (math.inf, 2.0)


def command(*arguments):
    line = [sys.executable, str(COMMAND), *map(str, arguments)]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout, done.stderr


def test_a_small_run_prints_and_writes_and_goes_on_where_it_was(tmp_path):
    file = tmp_path / "results.json"
    common = (
        "--problems",
        "branin",
        "cash5",
        "--strategies",
        "random",
        "tpe",
        "--peers",
        "none",
        "--trials",
        25,
        "--no-speed",
        "--json",
        file,
    )
    code, out, _ = command(*common, "--seeds", 1, "--processes", 1)
    assert code == 0
    assert "tunesmith tpe" in out
    first = json.loads(file.read_text())
    assert len(first["cells"]) == 4
    code, _, _ = command(*common, "--seeds", 2, "--processes", 2)
    assert code == 0
    second = json.loads(file.read_text())
    assert second["cells"][:4] == first["cells"]
    assert len(second["cells"]) == 8
    assert 0.01 <= second["summary"]["batch 1"]["searchers"]["tunesmith tpe"]["25"]["regret"] < 10


def test_one_run_prints_regret_for_several_numbers_of_workers_and_then_what_proposals_cost(tmp_path):
    file = tmp_path / "results.json"
    line = ("--problems", "branin", "--strategies", "random", "--peers", "none", "--trials", 4, "--seeds", 1, "--processes", 1)
    code, out, _ = command(*line, "--batch", 1, 2, "--past", 20, "--json", file)
    assert code == 0
    assert out.index("4 trials, 1 at a time") < out.index("4 trials, 2 at a time") < out.index("20, 8 at a time")
    assert set(json.loads(file.read_text())["summary"]) == {"batch 1", "batch 2", "speed"}


def test_the_default_strategy_takes_part_unless_others_are_named(monkeypatch):
    monkeypatch.setattr("sys.argv", ["search_quality.py"])
    assert search_quality._options().parse_args().strategies == ["auto", "tpe", "random"]


def test_what_is_not_there_is_said_in_words(tmp_path):
    code, _, error = command("--strategies", "no-such", "--peers", "none")
    assert code != 0
    assert "no strategy 'no-such'" in error
    code, _, error = command("--list", "--data", tmp_path / "nowhere")
    assert code == 2
    assert f"argument --data: '{tmp_path}/nowhere' is not there" in error
