"""Every strategy in every space: all pairs work, since none needs what a space lacks."""

from typing import Any

import numpy as np
import pytest

from tests.contracts.test_spaces import SPACES
from tunesmith.registry import discover
from tunesmith.spaces._space import Space, canonical
from tunesmith.spec import Spec, parse_spec
from tunesmith.strategies._strategy import propose
from tunesmith.study import Objective, State, StudyView, Trial

# What is so small elsewhere that twelve trials use it up.
LARGER = {
    "applications": {"learning_rate": {"loguniform": [1e-4, 1e-2]}},
    "code": {"build": f"{__name__}:build_model"},
}
OF_FUNCTIONS = {"evaluation": {"kind": "function", "function": "a.py:f"}}
PAST = 12


def build_model(choose: Any) -> Any:
    """A user's own model, of which only the choices count here."""
    return choose.int("units", 1, 500), choose.loguniform("rate", 1e-4, 1.0)


@pytest.fixture(params=sorted(SPACES))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=discover("tunesmith.strategies"))
def strategy(request: pytest.FixtureRequest) -> str:
    return request.param


def spec_of(kind: str, strategy: str) -> Spec:
    space = {"kind": kind.split(maxsplit=1)[0], **SPACES[kind], **LARGER.get(kind, {})}
    rest = OF_FUNCTIONS if kind == "parameters" else {"data": {"uri": "digits"}}
    return parse_spec({"space": space, "strategy": {"name": strategy}, **rest})


def history(space: Space) -> StudyView:
    """Different random candidates that ended well, one that failed, and one that runs."""
    rng = np.random.default_rng(0)
    drawn: dict[str, dict[str, Any]] = {}
    while len(drawn) < PAST:
        candidate = space.sample(rng)
        drawn.setdefault(space.identity(candidate), candidate)
    trials = [Trial(n, each, State.FINISHED, {"loss": float(rng.random())}) for n, each in enumerate(drawn.values())]
    trials[3] = Trial(3, trials[3].candidate, State.FAILED)
    trials[-1] = Trial(PAST - 1, trials[-1].candidate)
    return StudyView(space, Objective("loss"), tuple(trials), PAST, seed=0, budget=40, parallel=2)


def test_a_pair_proposes_what_is_new_and_the_same_again(kind: str, strategy: str) -> None:
    spec = spec_of(kind, strategy)
    study = history(spec.space)
    proposals = propose(spec.strategy, study, 2)
    proposed = [proposal.candidate for proposal in proposals]
    again = [proposal.candidate for proposal in propose(spec_of(kind, strategy).strategy, study, 2)]
    assert list(map(canonical, proposed)) == list(map(canonical, again))
    identities = [spec.space.identity(candidate) for candidate in proposed]
    tried = {spec.space.identity(trial.candidate) for trial in study.trials}
    assert len({*identities}) == 2
    assert not tried & {*identities}
    for candidate in proposed:
        spec.space.realize(candidate)
    if not spec.strategy.names_parents(spec.space):
        assert all(proposal.parent is None for proposal in proposals)


def test_a_pair_begins_without_any_trials(kind: str, strategy: str) -> None:
    spec = spec_of(kind, strategy)
    empty = StudyView(spec.space, Objective("loss"), (), 0, seed=0, budget=40, parallel=2)
    for proposal in propose(spec.strategy, empty, 2):
        spec.space.realize(proposal.candidate)
