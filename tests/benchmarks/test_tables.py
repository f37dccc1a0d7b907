"""Tables in a folder, recognised by what they hold, as problems."""

import gzip
import itertools
import json

import numpy as np
import pytest

import curves.tables
import nas.nb101
import nas.tables
import trade_offs.problems
from quality.problem import GROUPS, TrialFailed
from quality.problems import find, select

MADE = find(None, 0)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """One file of each form, under names that tell nothing."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(0)
    _write_cells(folder / "a.csv.gz", rng)
    _write_grid(folder / "b.npz", {"init_lr": [0.1, 0.2, 0.3], "lr_schedule": ["cosine", "const"]}, rng)
    _write_grid(folder / "c.npz", {"alpha": [1e-8, 1e-4, 1], "learning_rate_init": [0.1, 0.2, 0.3]}, rng)
    hp = {"hp_names": np.array(["linear_decay", "beta1"]), "hp": rng.uniform(0.1, 0.9, (50, 2))}
    curves = rng.random((50, 3, 5))
    curves[:5, 1, -1] = (np.nan, np.inf, -np.inf, np.nan, 1e30)
    np.savez(folder / "d.npz", **hp, splits=np.array(["train", "valid", "test"]), words=curves)
    lcbench = {"hp_names": np.array(["max_dropout", "units"]), "hp": np.c_[rng.random(60), rng.integers(1, 99, 60)]}
    accuracies = rng.integers(0, 10_000, (2, 60, 4)).astype("uint16")
    np.savez(folder / "e.npz", **lcbench, instances=np.array(["7", "8"]), val_acc_x100=accuracies)
    _write_conditional(folder / "f.npz", rng)
    np.savez(folder / "unrelated.npz", x=np.zeros(3))
    (folder / "unrelated.csv").write_text("code,text\n1,2\n")
    return folder


def _write_cells(file, rng):
    with gzip.open(file, "wt") as lines:
        lines.write("code,q_val200,q_val200_runs\n")
        for digits in itertools.product("01234", repeat=6):
            runs = rng.uniform(10, 90, 2).round(3)
            lines.write(f"{''.join(digits)},{runs.mean()},{runs[0]} {runs[1]}\n")


def _write_grid(file, axes, rng):
    shape = (*map(len, axes.values()), 2)
    np.savez(file, grid_json=np.array(json.dumps(axes)), first=rng.random(shape), second=rng.random(shape))


def _write_conditional(file, rng):
    boosters = np.array(["linear", "tree"])[rng.integers(0, 2, 80)]
    depth = np.where(boosters == "tree", rng.integers(1, 9, 80), np.nan)
    table = {"hp__booster": boosters, "hp__depth": depth, "hp__rate": 10 ** rng.uniform(-4, 0, 80)}
    values = rng.random((2, 80, 3, 2))
    np.savez(file, **table, instances=np.array(["x", "y"]), metrics=np.array(["acc", "auc"]), values=values)


def test_tables_are_recognised_by_what_they_hold(tables):
    found = set(find(tables, 0)) - set(MADE)
    assert found == {
        *("nb201-q", "nb201-q-noisy", "taskset-words", "lcbench-7", "lcbench-8", "xgboost-x", "xgboost-y"),
        *("fcnet-first", "fcnet-second", "mlp-first", "mlp-second"),
        *("fcnet-first-noisy", "fcnet-second-noisy", "mlp-first-noisy", "mlp-second-noisy"),
    }


def test_the_best_of_a_table_is_found_at_its_optimum_and_nothing_is_better(tables):
    rng = np.random.default_rng(0)
    for name, problem in find(tables, 0).items():
        if name in MADE:
            continue
        assert problem.loss(problem.optimum) == problem.best, name
        losses = [_loss(problem, problem.space.sample(rng)) for _ in range(100)]
        assert min(losses) >= problem.best, name


def _loss(problem, candidate):
    try:
        return problem.loss(candidate)
    except TrialFailed:
        return np.inf


def test_a_diverged_setting_fails(tables):
    problem, rng = find(tables, 0)["taskset-words"], np.random.default_rng(0)
    losses = [_loss(problem, problem.space.sample(rng)) for _ in range(500)]
    assert np.inf in losses
    assert 1e30 in losses


def test_a_query_is_answered_by_the_nearest_setting_with_the_same_active_parameters(tables):
    problem = find(tables, 0)["xgboost-x"]
    with np.load(tables / "f.npz") as content:
        rows, values = {name: content[f"hp__{name}"] for name in ("booster", "depth", "rate")}, content["values"][0, :, -1, 0]
    for row in range(20):
        candidate = {"booster": str(rows["booster"][row]), "rate": float(rows["rate"][row]) * 1.0000001}
        if candidate["booster"] == "tree":
            candidate["depth"] = int(rows["depth"][row])
        assert problem.loss(candidate) == pytest.approx(1 - values[row])


def test_parameters_under_parameters_are_seen_and_constant_ones_left_out(tmp_path):
    rng = np.random.default_rng(0)
    learner = np.array(["forest", "svm"])[rng.integers(0, 2, 90)]
    kernel = np.where(learner == "svm", np.array(["rbf", "poly"])[rng.integers(0, 2, 90)], "nan")
    degree = np.where(kernel == "poly", rng.integers(2, 6, 90), np.nan)
    table = {"hp__degree": degree, "hp__fixed": np.ones(90), "hp__kernel": kernel, "hp__learner": learner}
    values = rng.random((1, 90, 1, 1))
    np.savez(tmp_path / "svm.npz", **table, instances=np.array(["1"]), metrics=np.array(["mmce"]), values=values)
    problem = find(tmp_path, 0)["svm-1"]
    assert [(knob.name, knob.parent, knob.options) for knob in problem.knobs] == [
        ("learner", "", ()),
        ("kernel", "learner", ("svm",)),
        ("degree", "kernel", ("poly",)),
    ]
    assert problem.best == values.min()


def test_a_column_that_is_inactive_for_no_visible_reason_is_named_with_its_file(tmp_path, capsys):
    hp = {"hp__x": np.array([0.1, np.nan, 0.3]), "hp__y": np.array([0.1, 0.2, 0.4])}
    np.savez(tmp_path / "odd.npz", **hp, instances=np.array(["1"]), metrics=np.array(["acc"]), values=np.zeros((1, 3, 1, 1)))
    assert set(find(tmp_path, 0)) == set(MADE)
    assert capsys.readouterr().err == f"left out: {tmp_path}/odd.npz: x is inactive now and then, and no category tells when\n"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("broken.npz", b"no archive at all", "pickled"),
        ("cut.npz", b"PK\x03\x04cut", "BadZipFile"),
        ("broken.csv.gz", b"not compressed", "gzip"),
        ("words.csv", b"code,q_val200\n000000,good\n", "could not convert string to float: 'good'"),
        ("empty.csv", b"code,q_val200\n", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_out_with_one_line_and_the_others_are_there(tables, capsys, name, content, why):
    odd = tables / name
    odd.write_bytes(content)
    find.cache_clear()
    try:
        assert {"nb201-q", "lcbench-7", "mlp-first"} <= set(find(tables, 0))
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"left out: {odd}: ")
        assert why in line
    finally:
        odd.unlink()
        find.cache_clear()


@pytest.mark.parametrize("read", [curves.tables.find, nas.tables.find, nas.nb101.find, trade_offs.problems.find])
def test_no_benchmark_stops_at_an_odd_file(tmp_path, capsys, read):
    (tmp_path / "odd.npz").write_bytes(b"PK\x03\x04cut")
    (tmp_path / "odd.csv.gz").write_bytes(b"not compressed")
    assert not [name for name in read(tmp_path) if not name.startswith(("two-", "zdt"))]
    assert f"left out: {tmp_path}/odd." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("drawn", "seen"),
    [
        (lambda u: 3 + 4 * u, "uniform"),
        (lambda u: 10 ** (-5 * u), "loguniform"),
        (lambda u: np.round(1 + 20 * u), "int"),
        (lambda u: np.round(2 ** (10 * u)), "logint"),
    ],
)
def test_a_column_is_taken_for_what_it_was_drawn_from(tmp_path, drawn, seen):
    hp = {"hp__x": drawn(np.random.default_rng(0).random(300))}
    np.savez(tmp_path / "one.npz", **hp, instances=np.array(["1"]), metrics=np.array(["acc"]), values=np.zeros((1, 300, 1, 1)))
    (knob,) = find(tmp_path, 0)["one-1"].knobs
    assert list(knob.distribution.to_json()) == [seen]


def test_a_grid_takes_scores_for_losses_turned_around_and_errors_as_they_are(tables):
    with np.load(tables / "b.npz") as errors, np.load(tables / "c.npz") as scores:
        assert find(tables, 0)["fcnet-first"].best == errors["first"].mean(axis=-1).min()
        assert find(tables, 0)["mlp-first"].best == (1 - scores["first"]).mean(axis=-1).min()


def test_the_usual_problems_are_balanced_between_numbers_and_the_rest(tables):
    usual = select(find(tables, 0), [])
    continuous = [problem for problem in usual if problem.group == GROUPS[0]]
    assert 12 <= len(usual) <= 16
    assert 4 <= len(continuous) <= len(usual) - 4


def test_noise_failures_and_a_learning_curve_table_are_among_the_usual_problems(tables):
    usual = {problem.name for problem in select(find(tables, 0), [])}
    assert {"hartmann6-noisy", "network8-failing", "lcbench-7"} <= usual
