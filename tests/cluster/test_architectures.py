"""Architectures searched on a cluster: compared small in pods as Katib's service proposes, the winner trained here in full."""

import json

import pytest

from tests.cluster.searches import Workplace, finished
from tunesmith.record import Record

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    "strategy",
    [{"name": "evolution", "population": 2, "sample": 2}, {"name": "pnas", "first": 2, "block": 1}],
    ids=lambda strategy: strategy["name"],
)
def test_cells_are_searched_on_gpus_and_the_winner_is_trained_at_full_size(workplace: Workplace, strategy: dict) -> None:
    file = workplace.write(
        data={"uri": "digits"},
        space={"kind": "cells_nasbench201", "stages": 2, "cells": 1, "filters": 8},
        strategy={"seed": 0, **strategy},
        objectives=[{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "parameters", "goal": "minimize"}],
        evaluation={"kind": "training", "function": None, "epochs": 2, "size": {"filters": 4}},
        final={"epochs": 4},
        budget={"trials": 4, "parallel": 2},
        resources={"gpu": 1, "cpu": 0.5, "memory": "1Gi"},
    )
    summary = workplace.succeed(file)
    trials = finished(workplace.trials(file))
    assert len(trials) == 4
    assert all(trial.facts["gpu_seconds"] > 0 for trial in trials)
    run = workplace.folder / "runs" / file.stem
    architecture = json.loads((run / "model" / "architecture.json").read_text())
    assert architecture["candidate"] == summary["best"]["candidate"]
    assert architecture["space"]["filters"] == 8
    model = json.loads((run / "model" / "model.json").read_text())
    assert model["parameters"] == summary["best"]["metrics"]["parameters"]
    assert "normal cell" in (run / "report.html").read_text()


def test_a_network_that_grows_goes_on_in_its_pod_where_its_parents_pod_had_ended(workplace: Workplace) -> None:
    file = workplace.write(
        data={"uri": "digits"},
        space={"kind": "graphs", "start": {"convs": 1, "filters": 4}, "most_layers": 6, "most_filters": 16},
        strategy={"name": "morphism", "startup": 2, "seed": 0},
        evaluation={"kind": "training", "function": None, "epochs": 2},
        final={"epochs": 2},
        budget={"trials": 4, "parallel": 1},
        resources={"gpu": 1, "cpu": 0.5, "memory": "1Gi"},
    )
    workplace.succeed(file)
    heirs = [trial for trial in finished(workplace.trials(file)) if trial.parent is not None]
    assert heirs
    assert all(trial.facts["inherited"] == 1 for trial in heirs), "of four trials all keep their models"
    report = (workplace.folder / "runs" / file.stem / "report.html").read_text()
    assert "edited from it" in report


def test_how_the_winner_is_trained_is_searched_in_pods_too(workplace: Workplace) -> None:
    file = workplace.write(
        data={"uri": "digits"},
        space={"kind": "cells_nasbench201", "stages": 2, "cells": 1, "filters": 4},
        strategy={"name": "random", "seed": 0},
        evaluation={"kind": "training", "function": None, "epochs": 1},
        final={"epochs": 2, "tune": 2},
        budget={"trials": 2, "parallel": 2},
        resources={"gpu": 1, "cpu": 0.5, "memory": "1Gi"},
    )
    found = workplace.succeed(file)["best"]["candidate"]
    run = workplace.folder / "runs" / file.stem
    with Record.read(run / "tuning") as record:
        trials = finished(record.trials())
        assert record.content["space"]["cell"] == found
    assert len(trials) == 2
    assert trials[0].candidate == {"dropout": 0.0, "learning_rate": 2e-3, "batch_size": 64}
    assert all(trial.facts["gpu_seconds"] > 0 for trial in trials)
    architecture = json.loads((run / "model" / "architecture.json").read_text())
    assert architecture["candidate"] in [trial.candidate for trial in trials]
