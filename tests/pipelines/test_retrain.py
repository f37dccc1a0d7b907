"""The pipeline `retrain`, week after week, by kfp.local's real runner on a small table, with kfp's cache switched on."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from kfp import local

from tunesmith.champions import Champions
from tunesmith.data.dataset import Dataset
from tunesmith.pipeline_run.catalog import load_pipeline
from tunesmith.record import Record

pytestmark = pytest.mark.slow

GOOD = {"kind": "layers", "dense": 1, "units": 32, "dropout": 0.0, "optimizer": "adam", "learning_rate": 0.02, "batch_size": 16}
POOR = GOOD | {"units": 8, "learning_rate": {"loguniform": [1e-7, 1e-6]}}


def write_table(path: Path, rows: int) -> None:
    """Write a table whose answer can be learnt; more rows begin with the same ones."""
    draw = random.Random(0)
    points = [(draw.random(), draw.random()) for _ in range(rows)]
    path.write_text("\n".join(["a,b,answer", *(f"{a:.4f},{b:.4f},{'yes' if a > b else 'no'}" for a, b in points)]) + "\n")


class Weeks:
    """A user's folder in which the pipeline runs again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry = folder, Champions(str(folder / "registry"))

    def run(self, week: str, **changes: Any) -> Path:
        """Run the pipeline; returns the folder of its steps."""
        runner = local.SubprocessRunner(use_venv=False)
        root = self.folder / week
        local.init(runner, pipeline_root=str(root), enable_caching=True, cache_root=str(self.folder / "cache"))
        arguments = {
            "registry_uri": self.registry.uri,
            "data_uri": str(self.folder / "table.csv"),
            "target_column": "answer",
            "search_space": GOOD,
            **{"trials": 2, "parallel_trials": 1, "epochs_per_trial": 8, "export_formats": ["saved_model"]},
        }
        load_pipeline("retrain")(**arguments | changes)
        return next(root.glob("retrain-*"))


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    """One folder for all tests here, which follow each other as the weeks do."""
    weeks = Weeks(tmp_path_factory.mktemp("weeks"))
    write_table(weeks.folder / "table.csv", 300)
    return weeks


def decision(steps: Path) -> dict[str, Any]:
    return json.loads((steps / "compare-models/comparison/decision.json").read_text())


def fingerprint(steps: Path) -> str:
    with Record.read(steps / "search-model/study") as record:
        return record.content["data"]["fingerprint"]


def judged_on(steps: Path) -> set[tuple[float, ...]]:
    """Return the examples of the test split."""
    columns = Dataset.load(steps / "prepare-data/dataset").raw("test")
    return set(zip(*(values.tolist() for values in columns.values()), strict=True))


def best(study: Path) -> dict[str, Any]:
    with Record.read(study) as record:
        return dict(max(record.trials(), key=lambda trial: trial.metrics["val_accuracy"]).candidate)


def test_the_first_week_puts_the_first_model_to_use(weeks: Weeks) -> None:
    steps = weeks.run("week1")
    champion = weeks.registry.champion()
    assert champion
    assert "no model in use yet" in champion.reason
    assert champion.figures["accuracy"] > 0.8
    version = weeks.folder / "registry/models" / champion.version
    assert (version / "exports/saved_model").is_dir()
    assert (version / "evaluation/evaluation.json").is_file()
    assert "promoted" in json.loads((steps / "promote-model/executor_output.json").read_text())["artifacts"]


def test_the_same_data_promote_nothing_that_is_no_better_and_the_search_starts_from_the_best_known(weeks: Weeks) -> None:
    before = weeks.registry.champion()
    assert before
    steps = weeks.run("week2")
    assert weeks.registry.champion() == before
    assert decision(steps)["promote"] is False
    assert decision(steps)["champion"] == before.figures["accuracy"]
    assert not (steps / "promote-model").exists()
    with Record.read(steps / "search-model/study") as record:
        first = dict(record.trials()[0].candidate)
    assert first == best(weeks.folder / "registry/models" / before.version / "study")
    page = (steps / "compare-models/verdict").read_text()
    assert "**The model in use stays**" in page
    assert "| accuracy |" in page


def test_changed_data_behind_the_same_uri_are_searched_anew_and_judge_both_models(weeks: Weeks) -> None:
    old = fingerprint(next((weeks.folder / "week2").glob("retrain-*")))
    write_table(weeks.folder / "table.csv", 400)
    steps = weeks.run("week3")
    assert fingerprint(steps) != old
    decided = decision(steps)
    assert decided["champion"] is not None
    assert decided["promote"] is (decided["challenger"] > decided["champion"])
    judged = json.loads((steps / "compare-models/comparison/evaluation.json").read_text())
    before = next((weeks.folder / "week2").glob("retrain-*"))
    assert judged_on(before) <= judged_on(steps), "what the model in use was judged on it has not been trained on since"
    assert len(judged_on(before)) < len(judged_on(steps))
    assert judged["fingerprint"] == fingerprint(steps), "the model in use was judged on the fresh test split"


def test_a_worse_model_is_refused_and_the_run_succeeds(weeks: Weeks) -> None:
    before = weeks.registry.history()
    steps = weeks.run("week4", search_space=POOR, epochs_per_trial=1, trials=1)
    assert decision(steps)["promote"] is False
    assert "worse" in decision(steps)["reason"]
    assert weeks.registry.history() == before


def test_one_can_go_back_and_the_next_week_compares_with_that_model(weeks: Weeks) -> None:
    champion = weeks.registry.champion()
    assert champion
    parts = {"model": next((weeks.folder / "week4").glob("retrain-*/train-model/model"))}
    poor = weeks.registry.promote(parts, {}, champion.version, "by hand, by mistake")
    assert poor.version != champion.version
    assert weeks.registry.roll_back().version == champion.version


def test_data_that_the_model_in_use_cannot_judge_fail_the_run_unless_it_may_be_replaced(weeks: Weeks) -> None:
    table = weeks.folder / "table.csv"
    table.write_text(table.read_text().replace("a,b,answer", "a,c,answer"))
    with pytest.raises(RuntimeError, match="compare-models"):
        weeks.run("week5")
    steps = weeks.run("week6", replace_unfit_champion=True)
    champion = weeks.registry.champion()
    assert champion
    assert "cannot judge these data" in champion.reason
    assert decision(steps)["champion"] is None
