"""What every strategy promises where there are earlier studies to learn from: each one found is tested."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest

from tests.contracts import test_strategies_objectives as several
from tests.contracts.test_strategies import PACKAGE, candidates, history, made, name_of, play, space, strategy, texts
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space, canonical
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import EarlierStudy, Objective, State, StudyView, Trial

__all__ = ["space", "strategy"]

# Those that learn from earlier trials, and after how many of its own that shows; others try the candidates of `first` alone.
LEARNERS = {"gp": 9, "tpe": 20}
BOWL = Parameters({name: {"uniform": [0, 1]} for name in "wxyz"})


def earlier_of(space: Space, count: int) -> EarlierStudy:
    """A study of random trials, some of which lack a parameter."""
    trials = [trial for trial in history(space, count, seed=5).trials if "loss" in trial.metrics]
    told = [dict(trial.candidate) for trial in trials]
    for candidate in told[::3]:
        del candidate[next(reversed(candidate))]
    return EarlierStudy("old", tuple(told), tuple(float(place) for place in range(len(told))))


def study_of(space: Space, past: int) -> StudyView:
    constant = EarlierStudy("constant", ({"x": 0.1}, {"x": 0.2}), (1.0, 1.0))
    foreign = EarlierStudy("foreign", ({"other": 1}, {"other": 2}), (1.0, 2.0))
    return replace(history(space, past), earlier=(earlier_of(space, 20), constant, foreign, EarlierStudy("empty", (), ())))


@pytest.mark.parametrize("past", [0, 3, 30])
def test_proposals_fit_the_space_are_new_and_repeat(strategy: Strategy, space: Space, past: int) -> None:
    study = study_of(space, past)
    proposed = candidates(strategy, study, 3)
    for candidate in proposed:
        space.realize(candidate)
    keys = [canonical(candidate) for candidate in proposed]
    assert len({*keys} - {trial.key for trial in study.trials}) == 3
    assert texts(made(name_of(strategy)), study, 3) == keys


def test_several_at_once_are_those_asked_one_by_one(strategy: Strategy, space: Space) -> None:
    study, alone = study_of(space, 12), []
    for _ in range(3):
        (candidate,) = candidates(strategy, study)
        alone.append(canonical(candidate))
        study = study.with_running(candidate)
    assert texts(strategy, study_of(space, 12), 3) == alone


def test_a_new_process_goes_on_with_a_batch_as_one_that_saw_the_whole_study(strategy: Strategy, space: Space) -> None:
    """With earlier studies, several objectives, constraints and trials that run: all that a study can have."""
    study = replace(several.study_of(space, "both", 24), earlier=study_of(space, 0).earlier, parallel=3)
    for _ in range(3):
        proposed = candidates(strategy, study, 2)
        done = [Trial(study.issued, proposed[0], State.FINISHED, {"loss": 0.5, **several.figures(proposed[0])})]
        trials = (*study.trials, *done, Trial(study.issued + 1, proposed[1]))
        study = replace(study, trials=trials, issued=study.issued + 2)
    asked = "; ".join(
        [
            "import pickle, sys",
            "from tunesmith.registry import build",
            "from tunesmith.strategies._strategy import Strategy",
            "study = pickle.load(sys.stdin.buffer)",
            f"proposals = build({PACKAGE!r}, {name_of(strategy)!r}, Strategy, {{}}, 'strategy').propose(study, 3)",
            "sys.stdout.buffer.write(pickle.dumps([dict(proposal.candidate) for proposal in proposals]))",
        ]
    )
    answer = subprocess.run([sys.executable, "-c", asked], input=pickle.dumps(study), capture_output=True, check=True)
    assert pickle.loads(answer.stdout) == candidates(strategy, study, 3)


def bowl(bottom: float) -> Callable[[dict[str, Value]], float]:
    return lambda candidate: sum((float(value) - bottom) ** 2 for value in candidate.values())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LEARNERS)
def test_a_related_study_helps(name: str) -> None:
    """The earlier bowl's bottom is a little aside of this one's."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(5):
        old = history(BOWL, 40, seed=seed + 10).trials
        losses = tuple(bowl(0.3)(dict(trial.candidate)) for trial in old)
        earlier = EarlierStudy("old", tuple(trial.candidate for trial in old), losses)
        for is_warm in (True, False):
            study = StudyView(BOWL, Objective("loss"), seed=seed, earlier=(earlier,) if is_warm else ())
            found[is_warm].append(min(play(made(name), study, LEARNERS[name], bowl(0.25)).losses().values()))
    assert median(found[True]) < 0.7 * median(found[False])
