"""The next search file."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.advice.studies import NESTED, content, nested_loss, random_trials, record
from tunesmith.advice.refine import refined
from tunesmith.cli import tunesmith
from tunesmith.errors import SpecError, StudyError
from tunesmith.record import Record
from tunesmith.search import search, spec_aims
from tunesmith.spec import build_space, load_spec, parse_spec
from tunesmith.study import EarlierStudy
from tunesmith.warm_start import warm_start
from tunesmith.yaml_text import read_yaml

OBJECTIVE = """
import math

def f(candidate):
    rate = (math.log10(candidate["rate"]) + 3) ** 2
    return rate + 1.5 * (candidate["optimizer"] == "sgd") + 0.02 * (64 - candidate["width"])
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a function and its study of 60 trials in runs/search/study; the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("objective.py").write_text(OBJECTIVE)
    record(Path("runs/search/study"), content(NESTED), random_trials(NESTED, nested_loss, 60))
    return tmp_path


def call(*arguments: str) -> str:
    result = CliRunner().invoke(tunesmith, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_next_search_file_parses_runs_and_begins_with_the_best(run: Path) -> None:
    call("space", "refine", "runs/search", "--output", "next.yaml")
    outcome = search(load_spec(Path("next.yaml")), run / "next")
    best = min(random_trials(NESTED, nested_loss, 60), key=lambda trial: trial.metrics["loss"])
    assert outcome.trials == 10
    assert outcome.value <= best.metrics["loss"] + 1e-9


def test_reasons_are_comments_above_the_space(run: Path) -> None:
    text = refined(Path("runs/search/study"), Path())
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert comments[0].startswith("# Goes on from runs/search/study: 60 trials, the best trial ")
    assert any(
        line.startswith("# rate: narrowed, was {loguniform: [1e-05, 1.0]}: the best 15 trials lie between") for line in comments
    )
    assert text.index("warm_start:") < text.index("# rate:") < text.index("space:")


def test_what_need_not_be_said_and_what_is_the_old_studys_is_left_out(run: Path) -> None:
    written = read_yaml(refined(Path("runs/search/study"), Path()), "next.yaml")
    assert list(written) == ["strategy", "objectives", "evaluation", "budget", "warm_start", "space"]
    assert written["evaluation"] == {"kind": "function", "function": "objective.py:f"}
    assert written["warm_start"] == [{"study": "runs/search/study", "unimportant": ["idle", "beta"]}]


def learned(path: Path, folder: Path) -> EarlierStudy:
    """Return what the search file begins with, of the one study that it names."""
    spec = load_spec(path)
    with Record.start(folder, {"space": spec.space.to_json()}) as record:
        warm = warm_start(spec.file.warm_start or [], spec.space, spec_aims(spec), 20, record, spec.folder)
    (earlier,) = warm.earlier
    return earlier


def test_from_trials_of_an_option_that_was_dropped_because_it_mattered_nothing_is_learned(run: Path) -> None:
    parameters = {"optimizer": {"choice": ["adam", "sgd"]}, "rate": {"loguniform": [1e-5, 1.0]}, "idle": {"uniform": [0, 1]}}
    trials = random_trials(parameters, lambda c: 9 * (c["optimizer"] == "sgd") + (math.log10(c["rate"]) + 3) ** 2, 80)
    record(Path("runs/plain"), content(parameters), trials)
    call("space", "refine", "runs/plain", "--output", "next.yaml")
    written = read_yaml(Path("next.yaml").read_text(), "next.yaml")
    assert written["space"]["parameters"]["optimizer"] == {"choice": ["adam"]}
    assert written["space"]["parameters"]["idle"]["choice"]
    low, high = written["space"]["parameters"]["rate"]["loguniform"]
    losses = {trial.metrics["loss"] for trial in trials}
    told = {loss for loss in learned(Path("next.yaml"), run / "new").losses if loss in losses}
    kept = {t.metrics["loss"] for t in trials if t.candidate["optimizer"] == "adam" and low <= t.candidate["rate"] <= high}
    assert kept <= told
    assert not told & {trial.metrics["loss"] for trial in trials if trial.candidate["optimizer"] == "sgd"}


def test_of_layers_too_only_trials_of_the_kept_option_are_learned_from(run: Path) -> None:
    fixed = {"dropout": 0.1, "activation": "relu", "batch_normalization": True, "batch_size": 32, "dense": 1}
    searched = {"optimizer": {"choice": ["adam", "rmsprop"]}, "learning_rate": {"loguniform": [1e-4, 0.1]}}
    layers = {"kind": "layers", "convs": 0, "units": {"logint": [16, 256]}, **fixed, **searched}
    drawn = {"dense1.units": {"logint": [16, 256]}, **searched}
    trials = random_trials(drawn, lambda c: 9 * (c["optimizer"] == "rmsprop") + (math.log10(c["learning_rate"]) + 3) ** 2, 80)
    search = content(drawn, space=build_space(layers).to_json(), data={"uri": "digits"}, evaluation={"kind": "training"})
    record(Path("runs/layers"), search, trials)
    call("space", "refine", "runs/layers", "--output", "next.yaml")
    written = read_yaml(Path("next.yaml").read_text(), "next.yaml")
    assert written["space"]["optimizer"] == "adam"
    assert written["warm_start"] == [{"study": "runs/layers", "unimportant": ["dense1.units"]}]
    losses = set(learned(Path("next.yaml"), run / "new").losses)
    assert losses
    assert not losses & {trial.metrics["loss"] for trial in trials if trial.candidate["optimizer"] == "rmsprop"}


def test_what_the_strategy_decides_itself_is_left_to_it(run: Path) -> None:
    settings = {"name": "gp", "seed": 3, "startup": None}
    folder = record(run / "other", content(NESTED, strategy=settings), random_trials(NESTED, nested_loss, 60))
    assert read_yaml(refined(folder, run), "it")["strategy"] == {"name": "gp", "seed": 3}


def test_paths_lead_to_the_same_places_from_another_folder(run: Path) -> None:
    Path("elsewhere").mkdir()
    call("space", "refine", "runs/search", "--output", "elsewhere/next.yaml")
    written = read_yaml(Path("elsewhere/next.yaml").read_text(), "next.yaml")
    assert written["warm_start"][0]["study"] == "../runs/search/study"
    assert written["evaluation"]["function"] == "../objective.py:f"
    load_spec(Path("elsewhere/next.yaml"))


def test_a_file_that_is_there_is_not_overwritten(run: Path) -> None:
    Path("next.yaml").write_text("mine")
    result = CliRunner().invoke(tunesmith, ["space", "refine", "runs/search", "--output", "next.yaml"])
    assert isinstance(result.exception, SpecError)
    assert Path("next.yaml").read_text() == "mine"


def layers_study(folder: Path) -> Path:
    space: dict[str, Any] = {"kind": "layers", "convs": [0, 0], "dense": [1, 4], "units": {"logint": [16, 256]}}
    fixed = {"dropout": 0.1, "activation": "relu", "batch_normalization": True, "batch_size": 32, "optimizer": "adam"}
    space |= {**fixed, "learning_rate": {"loguniform": [1e-4, 0.1]}}
    search = content({"x": {"uniform": [0, 1]}}, space=space, data={"uri": "digits", "fingerprint": "ab"})
    search["evaluation"] = {"kind": "training", "epochs": 20}
    trials = random_trials(
        {"dense": {"int": [1, 4]}, "dense1.units": {"logint": [16, 256]}, "learning_rate": {"loguniform": [1e-4, 0.1]}},
        lambda c: abs(c["dense"] - 3.5) - c["dense1.units"] / 100,
        80,
    )
    return record(folder, search, trials)


def test_the_keys_of_layers_are_rewritten(tmp_path: Path) -> None:
    written = read_yaml(refined(layers_study(tmp_path / "study"), tmp_path), "next.yaml")
    parse_spec(written)
    assert written["space"]["units"]["logint"][1] > 256
    assert isinstance(written["space"]["learning_rate"], float)
    assert written["space"]["convs"] == [0, 0]
    assert written["data"] == {"uri": "digits"}


def test_a_users_function_is_rewritten_by_the_user(tmp_path: Path) -> None:
    space = {"kind": "code", "build": "model.py:build", "sha256": "ab"}
    folder = record(tmp_path / "study", content(NESTED, space=space), random_trials(NESTED, nested_loss, 20))
    with pytest.raises(SpecError, match=r"a space of kind 'code' is rewritten in its own function"):
        refined(folder, tmp_path)


def test_too_few_trials_leave_nothing_to_refine(tmp_path: Path) -> None:
    folder = record(tmp_path / "study", content(NESTED), random_trials(NESTED, nested_loss, 5))
    with pytest.raises(StudyError, match=r"there is nothing to refine: .*20 trials are needed, 5 have ended"):
        refined(folder, tmp_path)


def test_the_advice_is_printed_for_people_and_as_json(run: Path) -> None:
    told = json.loads(call("study", "advice", "runs/search", "--json"))
    assert told["moves"][0]["key"] == "rate"
    text = call("study", "advice", "runs/search")
    assert "better half" in text
    assert "narrow rate  {loguniform: [1e-05, 1.0]} → " in text
    assert "expected gain" in text
    assert "tunesmith space refine runs/search" in text
