"""The benchmark of earlier studies: which tables it pairs, and that it runs."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import warm_start
from quality.problems import find, select


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tables of the same 80 settings: the first and the last rank them alike, the one between has them upside down."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(0)
    alpha, s = rng.random(80), np.exp(rng.uniform(-6, 2, 80))
    bowl = (alpha - 0.3) ** 2 + 0.1 * (np.log(s) + 2) ** 2
    values = np.stack([bowl, -bowl, bowl + 0.01 * rng.random(80)])[:, :, None, None]
    names = {"instances": np.array(["1", "2", "3"]), "metrics": np.array(["logloss"])}
    np.savez(folder / "tables.npz", hp__alpha=alpha, hp__s=s, values=values, **names)
    return folder


def test_a_table_is_paired_with_the_next_one_or_the_one_most_alike(tables: Path) -> None:
    problems = select(find(tables, 0), ["glmnet*"])
    following, alike = (list(warm_start._pairs(problems, 3, warm_start.PARTNERS[partner])) for partner in ("next", "alike"))
    assert [pair.problem.name[-1] for pair in following] == ["1", "2", "3"]
    assert [pair.earlier.name[-1] for pair in following] == ["2", "3", "1"]
    assert [alike[0].earlier.name[-1], alike[2].earlier.name[-1]] == ["3", "1"]


def test_searches_are_held_against_the_cold_ones_of_the_same_pair_and_seed() -> None:
    gaps = np.array([[-1.0, -2.0], [0.0, 1.0], [-1.0, np.nan]])
    mean, error, ahead, behind, _ = warm_start._duel(gaps)
    assert (mean, ahead, behind) == ("-0.60", "3", "1")
    # By the pairs' means, -1.5 and 0.5; of the last pair one search is not known.
    assert error == "1.00"


def test_it_runs(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["x", "--data", str(tables), "--problems", "glmnet*", "--pairs", "1", "--partner", "alike"]
    command += ["--strategies", "tpe", "--seeds", "2", "--trials", "12", "--json", str(tmp_path / "results.json")]
    monkeypatch.setattr(sys, "argv", command)
    warm_start.main()
    shown = capsys.readouterr().out
    assert "tpe warm: trials to the cold result" in shown
    assert "tpe: beside cold searches of the same seeds" in shown
    assert json.loads((tmp_path / "results.json").read_text())
