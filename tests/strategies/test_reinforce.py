"""The learned policy: it raises the reward, learns in blocks of issue numbers, and gradient and cache are what they claim."""

from dataclasses import replace

import numpy as np
import pytest

from tests.contracts.test_strategies import play
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Value
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies import reinforce
from tunesmith.strategies._policy.decisions import Decision, Episode, episode_of
from tunesmith.strategies._policy.network import Policy
from tunesmith.strategies.reinforce import SETTLED, Reinforce
from tunesmith.study import Objective, State, StudyView, Trial

LOSS = Objective("loss")
TABLE = Parameters({name: {"choice": list("abcdefgh")} for name in "wxyz"})
# What each option costs, by parameter; the least of all is 0.
COSTS = {name: dict(zip("abcdefgh", np.random.default_rng(i).permutation(8), strict=True)) for i, name in enumerate("wxyz")}


def cost(candidate: dict[str, Value]) -> float:
    return float(sum(COSTS[name][str(value)] for name, value in candidate.items()))


def played(trials: int, seed: int = 0, strategy: Reinforce | None = None) -> StudyView:
    return play(strategy or Reinforce(), StudyView(TABLE, LOSS, seed=seed), trials, cost)


def proposed(study: StudyView) -> dict[str, Value]:
    return dict(Reinforce().propose(study, 1)[0].candidate)


def expected_cost(study: StudyView) -> float:
    """What the policy's candidates cost on average, whether they were tried or not."""
    policy, rng = Reinforce()._learned(study), np.random.default_rng(0)
    return float(np.mean([cost(reinforce._drawn(policy, TABLE, rng, 1.0)) for _ in range(200)]))


@pytest.mark.parametrize("seed", range(3))
def test_the_expected_reward_rises(seed: int) -> None:
    study = played(150, seed)
    costs = [expected_cost(replace(study, trials=study.trials[:count])) for count in (0, 50, 150)]
    assert costs[0] == pytest.approx(14, rel=0.1)
    assert costs[1] < 0.8 * costs[0]
    assert costs[2] < 0.25 * costs[0]


def test_the_gradient_is_that_of_finite_differences() -> None:
    decisions = tuple(Decision(f"p{i}", Choice(tuple(range(3 + i)))) for i in range(3))
    policy, episode = Policy(0), Episode(decisions, (0, 1, 2))
    for decision in decisions:
        policy.meet(decision)
    options, weights, entropy = np.array([[0, 1, 2], [2, 3, 4], [1, 1, 1]]), np.array([0.5, -1.0, 2.0]), 0.3

    def objective() -> float:
        _, chances = policy._forward(episode, options)
        logs = sum((weights * np.log(p[np.arange(3), options[:, t]])).sum() for t, p in enumerate(chances))
        return float(logs + entropy * sum(-(p * np.log(p)).sum() for p in chances))

    for name, found in policy.gradient(episode, options, weights, entropy).items():
        place = tuple(np.random.default_rng(1).integers(0, size) for size in found.shape)
        values = []
        for change in (1e-5, -2e-5):
            policy.weights[name][place] += change
            values.append(objective())
        policy.weights[name][place] += 1e-5
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(found[place], rel=1e-4, abs=1e-9), name


def test_a_policy_that_has_settled_is_updated_once_a_block() -> None:
    strategy = Reinforce(block=1, updates=3)
    assert strategy._learned(played(SETTLED)).updates == 3 * SETTLED
    assert strategy._learned(played(SETTLED + 4)).updates == 3 * SETTLED + 4


def test_an_unfinished_block_is_not_learned_from() -> None:
    study = played(20)
    ended = replace(study, issued=25)
    *others, last = study.trials
    running = replace(ended, trials=(*others, Trial(last.number, last.candidate)))
    other = replace(ended, trials=(*others, replace(last, metrics={"loss": -99.0})))
    fewer = replace(ended, trials=study.trials[:10])
    assert proposed(running) == proposed(fewer)
    assert proposed(other) != proposed(running)


def test_a_trial_that_a_list_lacks_holds_back_its_block_and_those_after_it() -> None:
    study = replace(played(30), issued=40)
    lacking = replace(study, trials=tuple(trial for trial in study.trials if trial.number != 7))
    assert proposed(lacking) == proposed(replace(study, trials=()))


def test_the_order_in_which_trials_ended_does_not_matter() -> None:
    study = played(20)
    assert proposed(study) == proposed(replace(study, trials=study.trials[::-1]))


def test_a_policy_that_is_remembered_is_the_one_that_is_learned_anew() -> None:
    study = played(40)
    alive = proposed(study)
    reinforce._POLICIES.clear()
    assert proposed(study) == alive


def test_failed_trials_count_as_the_worst_and_what_does_not_fit_teaches_nothing() -> None:
    study = played(10)
    failed = Trial(10, {"w": "a", "x": "a", "y": "a", "z": "a"}, State.FAILED)
    strange = tuple(Trial(number, {"q": 1}, State.FINISHED, {"loss": 0.0}) for number in range(11, 15))
    assert set(proposed(replace(study, trials=(*study.trials, failed, *strange), issued=15))) == set("wxyz")


def test_a_fine_parameter_is_cut_into_parts_which_are_like_those_beside_them() -> None:
    episode = episode_of(Parameters({"x": {"uniform": [0, 1]}}), {"x": 0.26})
    assert episode is not None
    (decision,) = episode.decisions
    assert (decision.options, episode.options) == (12, (3,))
    drawn = [float(decision.value(3, np.random.default_rng(seed))) for seed in range(50)]  # type: ignore[arg-type]
    assert 3 / 12 <= min(drawn) < max(drawn) < 4 / 12
    assert decision.targets[3].argmax() == 3
    assert decision.targets[3][4] > decision.targets[3][5] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"block": 0}, "block: got 0; needs a whole number from 1"),
        ({"queue": -1}, "queue: got -1; needs a whole number from 0"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0; needs a number above 0"),
        ({"entropy": -1.0}, "entropy: got -1.0; needs a number from 0"),
        ({"decay": 1.0}, "decay: got 1.0; needs a number from 0 to below 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Reinforce(**settings)  # type: ignore[arg-type]
