"""The benchmark of Pareto fronts: its problems, what it counts, and that it runs."""

import csv
import gzip
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import front_quality
from trade_offs.problems import CELL, OPERATIONS, find
from tunesmith.pareto import fronts


def write_tables(folder: Path) -> None:
    codes = ["".join(code) for code in product("013", repeat=6)]
    with gzip.open(folder / "any.csv.gz", "wt", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(["code", "c10_val200"])
        rows.writerows([code, 50 + 8 * code.count("3")] for code in codes)
    latencies = np.array([1.0 + code.count("3") + code.count("1") for code in codes])
    np.savez(folder / "other.npz", code=np.array(codes, dtype="S6"), c10_phone_latency=latencies)


def test_tables_are_found_by_what_they_hold(tmp_path: Path) -> None:
    write_tables(tmp_path)
    problem = find(tmp_path)["nb201-c10-phone"]
    candidate = {knob.name: OPERATIONS[3] for knob in CELL}
    assert problem.losses(candidate) == (100 - 98, 7.0)
    assert np.unique(problem.front, axis=0).tolist() == [[2 + 8 * left, 7 - left] for left in range(7)]


@pytest.mark.parametrize("name", ["two-bowls", "zdt1", "zdt2"])
def test_the_known_front_is_one_and_random_candidates_are_behind_it(name: str) -> None:
    problem, rng = find(None)[name], np.random.default_rng(0)
    found = np.array([problem.losses(problem.space.sample(rng)) for _ in range(200)])
    together = np.concatenate([problem.front, found])
    assert (fronts(together, 1)[: len(problem.front)] == 0).all()
    assert problem.covered(problem.front) == pytest.approx(1)
    assert problem.covered(found) < 1


def test_it_runs_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    command = ["x", "--problems", "two-bowls", "--strategies", "random", "--peers", "--trials", "6", "--processes", "1"]
    for seeds in ("1", "2"):
        monkeypatch.setattr(sys, "argv", [*command, "--seeds", seeds, "--json", str(file)])
        front_quality.main()
        assert len(json.loads(file.read_text())["searches"]) == int(seeds)
    assert "Hypervolume missing after 6 trials: medians of 2 seeds" in capsys.readouterr().out
