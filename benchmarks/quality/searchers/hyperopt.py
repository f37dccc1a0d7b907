"""Hyperopt's TPE, with conditional parameters nested in choices. Failed trials are told with its own status for them."""

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from quality.problem import Knob
from tunesmith.spaces._space import Candidate

REQUIRES = "hyperopt"


def names() -> list[str]:
    """Return the one algorithm."""
    return ["hyperopt tpe"]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Hyperopt":
    """Return an empty experiment."""
    del name, trials, batch
    return Hyperopt(knobs, seed)


class Hyperopt:
    """An experiment's documents, made by the algorithm and filled in here."""

    def __init__(self, knobs: Sequence[Knob], seed: int) -> None:
        self.library, self.knobs = import_module(REQUIRES), knobs
        self.domain = self.library.Domain(len, _nest(knobs), pass_expr_memo_ctrl=False)
        self.trials = self.library.Trials()
        self.rng = np.random.default_rng(seed)
        self.asked: list[dict[str, Any]] = []

    def ask(self, count: int) -> Sequence[Candidate]:
        numbers = self.trials.new_trial_ids(count)
        self.trials.refresh()
        # One after the other, as its own loop does; it does not know of running trials either way.
        self.asked = [self._one(number) for number in numbers]
        return [self._read(document["misc"]["vals"]) for document in self.asked]

    def _one(self, number: int) -> dict[str, Any]:
        return self.library.tpe.suggest([number], self.domain, self.trials, int(self.rng.integers(2**31 - 1)))[0]

    def _read(self, values: dict[str, list[Any]]) -> Candidate:
        found = {name: value[0] for name, value in values.items() if len(value)}
        return {knob.name: _plain(knob, found[knob.name]) for knob in self.knobs if knob.name in found}

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        for document, (_, loss) in zip(self.asked, results, strict=True):
            document["state"] = self.library.JOB_STATE_DONE
            document["result"] = {"status": "fail"} if loss is None else {"status": "ok", "loss": loss}
        self.trials.insert_trial_docs(self.asked)
        self.trials.refresh()

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        numbers = self.trials.new_trial_ids(len(history))
        places = [{name: [_place(self.knobs, name, candidate)] for name in candidate} for candidate, _ in history]
        used = [{name: [number] for name in here} for number, here in zip(numbers, places, strict=True)]
        misc = [
            {"tid": number, "cmd": self.domain.cmd, "workdir": None, "idxs": idxs, "vals": vals}
            for number, idxs, vals in zip(numbers, used, places, strict=True)
        ]
        told = [{"status": "ok", "loss": loss} for _, loss in history]
        documents = self.trials.new_trial_docs(numbers, [None] * len(numbers), told, misc)
        for document in documents:
            document["state"] = self.library.JOB_STATE_DONE
        self.trials.insert_trial_docs(documents)
        self.trials.refresh()


def _nest(knobs: Sequence[Knob]) -> dict[str, Any]:
    """Return the space: every option of a choice with the parameters that it opens; a shared parameter is one node."""
    nodes: dict[str, Any] = {}
    # From the innermost outwards: a choice needs the nodes that it opens.
    for knob in reversed(knobs):
        inner = [below for below in knobs if below.parent == knob.name]
        nodes[knob.name] = _node(knob, inner, nodes)
    return {knob.name: nodes[knob.name] for knob in knobs if not knob.parent}


def _node(knob: Knob, inner: Sequence[Knob], nodes: dict[str, Any]) -> Any:
    hp, scope = import_module("hyperopt.hp"), import_module("hyperopt.pyll").scope
    if knob.choices:
        opened = [{below.name: nodes[below.name] for below in inner if option in below.options} for option in knob.choices]
        return hp.choice(knob.name, opened if inner else list(range(len(knob.choices))))
    low, high = knob.ends
    if not knob.whole:
        return hp.loguniform(knob.name, math.log(low), math.log(high)) if knob.log else hp.uniform(knob.name, low, high)
    if not knob.log:
        return hp.uniformint(knob.name, low, high)
    return scope.int(hp.qloguniform(knob.name, math.log(low - 0.5), math.log(high + 0.5), 1))


def _plain(knob: Knob, value: Any) -> Any:
    """Return the parameter's value of one in Hyperopt's documents, where categories are counted and all numbers are floats."""
    if knob.choices:
        return knob.choices[int(value)]
    low, high = knob.ends
    return min(max(round(value), int(low)), int(high)) if knob.whole else min(max(float(value), low), high)


def _place(knobs: Sequence[Knob], name: str, candidate: Candidate) -> Any:
    knob = next(knob for knob in knobs if knob.name == name)
    return knob.choices.index(candidate[name]) if knob.choices else candidate[name]
