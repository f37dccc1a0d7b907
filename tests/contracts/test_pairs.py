"""Every strategy in every space: those pairs that work play a search, the others are refused with what would work."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.contracts.test_spaces import SPACES
from tunesmith.errors import SpecError
from tunesmith.registry import discover
from tunesmith.spaces._space import Candidate, Space, canonical
from tunesmith.spec import Spec, parse_spec
from tunesmith.strategies._strategy import propose
from tunesmith.study import Objective, State, StudyView, Trial

# What is so small elsewhere that a search, or a grid's few values of each number, use it up.
LARGER = {
    "applications": {"learning_rate": {"loguniform": [1e-4, 1e-2]}, "batch_size": {"int": [16, 128]}},
    "code": {"build": f"{__name__}:build_model"},
    "graph_training": {**SPACES["graph_training"], "learning_rate": {"loguniform": [1e-4, 1e-2]}},
}
OF_FUNCTIONS = {"evaluation": {"kind": "function", "function": "a.py:f"}}
STRATEGIES = discover("tunesmith.strategies")
# Where a network grows it is one value: only what edits it, or draws it, gets on there.
WORK_WITH_GRAPHS = ["auto", "evolution", "morphism", "nsga2", "random"]
REFUSED = [("graphs", strategy) for strategy in STRATEGIES if strategy not in WORK_WITH_GRAPHS]
ACCEPTED = [(kind, strategy) for kind in sorted(SPACES) for strategy in STRATEGIES if (kind, strategy) not in REFUSED]
PAST = 12
PLAYED = 20
# A process takes up to seconds for a proposal of cells: once its first design is over, of eight or twelve trials, a few tell
# enough. What auto hands on to plays by itself.
FEWER = {"gp": 13, "morphism": 14, "auto": 8}


def build_model(choose: Any) -> Any:
    """A user's own model, of which only the choices count here."""
    return choose.int("units", 1, 500), choose.loguniform("rate", 1e-4, 1.0)


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


def made_up_loss(candidate: Candidate) -> float:
    """A loss from 0 to 1 that costs nothing: by chance, and the same again."""
    return zlib.crc32(canonical(candidate).encode()) / 2**32


@pytest.mark.parametrize(("kind", "strategy"), ACCEPTED)
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


@pytest.mark.parametrize(("kind", "strategy"), ACCEPTED)
def test_a_pair_plays_a_search_from_its_beginning_and_finds_new_candidates_to_its_end(kind: str, strategy: str) -> None:
    spec = spec_of(kind, strategy)
    study = StudyView(spec.space, Objective("loss"), (), 0, seed=0, budget=40, parallel=2)
    for number in range(FEWER.get(strategy, PLAYED)):
        (proposal,) = propose(spec.strategy, study, 1)
        spec.space.realize(proposal.candidate)
        assert study.is_new(proposal.candidate)
        ended = Trial(number, proposal.candidate, State.FINISHED, {"loss": made_up_loss(proposal.candidate)})
        study = replace(study, trials=(*study.trials, ended), issued=number + 1)


@pytest.mark.parametrize(("kind", "strategy"), REFUSED)
def test_a_pair_that_cannot_work_is_refused_with_what_would(kind: str, strategy: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(kind, strategy)
    assert f"strategy.name: {strategy!r} needs a space that is parametric, which {kind!r} is not" in str(refused.value)
    spaces, strategies = str(refused.value).rpartition("it works with space.kind: ")[2].split(f"; with {kind!r} work: ")
    assert spaces.split(", ") == [name for name in discover("tunesmith.spaces") if name != kind]
    assert strategies.split(", ") == WORK_WITH_GRAPHS
