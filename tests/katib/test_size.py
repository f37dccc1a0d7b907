"""Katib keeps an experiment's proposals in one object, and etcd takes objects of at most 1.5 MiB: 2,000 networks must fit."""

import json

import numpy as np

from tunesmith.katib.candidate import decode, encode, trial_name
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.outline import Outline
from tunesmith.schedulers._scheduler import Curve, StopRule
from tunesmith.schedulers.median import Median
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spaces.layers import Layers
from tunesmith.study import Objective, State, Trial

LIMIT = 1.5 * 2**20
# For labels, managed fields, conditions and the like.
RESERVE = 64 * 2**10
TRIALS = 2000
EARLIER = 1000
OBJECTIVE = Objective("val_accuracy", "maximize")
# The largest networks of the default space: five dense layers, eight convolutions, kernels searched too.
SPACE = Layers(convs=[3, 8], dense=[2, 5], kernel={"choice": [3, 5, 7]}, dropout={"normal": [0.15, 0.1], "clip": [0, 0.9]})


def rule(rng: np.random.Generator, steps: int) -> StopRule:
    """A median of a hundred noisy learning curves."""
    losses = [list(-1 + np.exp(-np.arange(steps) / 9) + 0.05 * rng.random(steps)) for _ in range(MOST_OTHERS)]
    return Median().rule(MOST_OTHERS, {number: Curve(losses[number]) for number in range(MOST_OTHERS)}, steps)


MOST_OTHERS = 100


def suggestion(steps: int, earlier: int = 0) -> str:
    """The Suggestion as the API server stores it after so many trials of the longest names."""
    rng = np.random.default_rng(0)
    candidates = [SPACE.sample(rng) for _ in range(TRIALS + earlier)]
    content = {
        "space": SPACE.to_json(),
        "strategy": {"name": "tpe", "seed": 0, "startup": 10, "gamma": 0.1, "draws": 8},
        "scheduler": {"name": "median"},
        "evaluation": {"kind": "training", "epochs": steps, "early_stopping": {"patience": 5}},
    }
    trials = [Trial(number, candidates[number], State.FINISHED, {"val_accuracy": rng.random()}) for number in range(earlier)]
    name = "a" * 40
    outline = Outline(
        *(name, "n" * 63, "s" * 33, content, OBJECTIVE, TRIALS, 4, "image", "s3://bucket/study"),
        offset=earlier,
        earlier=trials,
    )
    experiment = build_experiment(outline, ClusterSpec(), ResourcesSpec())
    stop_rule = rule(rng, steps).encode()
    assignments = []
    for number in range(TRIALS):
        text = encode(candidates[number])
        assert decode(text) == candidates[number]
        parameters = [{"name": "candidate", "value": text}, {"name": "stop_rule", "value": stop_rule}]
        assigned = trial_name("study", name, number, {"candidate": text})
        assignments.append({"name": assigned, "parameterAssignments": parameters})
    issued = {TRIALS - number: encode(candidates[number]) for number in range(4)}
    status = {"suggestions": assignments, "algorithmSettings": [{"name": "issued", "value": json.dumps(issued)}]}
    spec = {"algorithm": experiment["spec"]["algorithm"], "requests": TRIALS, "resumePolicy": "Never"}
    return json.dumps({"spec": spec, "status": status}, separators=(",", ":"))


def test_two_thousand_networks_with_stop_rules_fit() -> None:
    assert len(suggestion(steps=20)) < LIMIT - RESERVE


def test_they_fit_after_a_thousand_earlier_ones_and_with_hundreds_of_epochs() -> None:
    assert len(suggestion(steps=300, earlier=EARLIER)) < LIMIT - RESERVE
