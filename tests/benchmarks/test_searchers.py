"""Those who search: every peer that is installed, and ours, asked and told in one way."""

import numpy as np
import pytest

from quality import searchers
from quality.problem import FlatSpace, Knob
from quality.problems import find
from tunesmith.spaces._distributions import Choice, Uniform


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(searchers, "find_spec", lambda name: None if name == "hyperopt" else object())
    found, missing = searchers.available()
    assert "hyperopt" not in found
    assert "hyperopt tpe (hyperopt is not installed)" in missing


def test_a_sampler_that_needs_more_than_its_library_is_named_alone(monkeypatch):
    monkeypatch.setattr(searchers, "find_spec", lambda name: None if name == "torch" else object())
    found, missing = searchers.available()
    assert missing == ["optuna gp (torch is not installed)"]
    assert found["optuna"] == ["optuna tpe", "optuna group tpe", "optuna cmaes"]


def installed():
    return [name for module, names in searchers.available()[0].items() if module != "ours" for name in names]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", installed())
@pytest.mark.parametrize("batch", [1, 4])
def test_every_installed_peer_proposes_candidates_of_the_space(name, batch):
    problem = find(None, 0)["cash5"]
    peer, rng = searchers.make(name, problem.knobs, 0, 20, batch), np.random.default_rng(0)
    for _ in range(3):
        asked = peer.ask(batch)
        assert len(asked) == batch
        for candidate in asked:
            problem.space.realize(candidate)
        peer.tell([(candidate, None if rng.random() < 0.3 else problem.loss(candidate)) for candidate in asked])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tunesmith random", *installed()])
def test_every_searcher_takes_in_a_past_that_it_never_asked_for(name):
    knobs = (Knob("x", Uniform(0.0, 1.0)), Knob("kind", Choice(("a", "b"))))
    space, rng = FlatSpace(knobs), np.random.default_rng(0)
    searcher = searchers.make(name, knobs, 0, 30, 1)
    searcher.load([(candidate, float(number)) for number in range(12) for candidate in [space.sample(rng)]])
    space.realize(searcher.ask(1)[0])
