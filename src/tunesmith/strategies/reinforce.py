"""A recurrent policy learned by reinforcement (Zoph et al., 2018: NASNet; Pham et al., 2018: ENAS).

It decides one parameter after the other, and learns from what its trials came to: by the policy gradient (Williams, 1992:
REINFORCE, with a moving baseline and an entropy bonus), and from a queue of the best trials so far, whose likelihood it raises
(Abolafia et al., 2018, "Neural program synthesis with priority queue training"), since a few hundred trials are few for a
gradient alone. It learns in blocks of issue numbers, whatever the order in which trials end.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Distribution, Value
from tunesmith.spaces._space import Space
from tunesmith.strategies._policy.decisions import Decision, Episode, episode_of, grouped
from tunesmith.strategies._policy.network import Policy
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView, Trial

# A policy that is sure of itself repeats itself: so often it is asked for something new, in ever higher temperature.
ATTEMPTS = 64
WARMING = 0.05
MOST_POLICIES = 64
# The share of decisions that are left to chance, so that what once looked poor is tried again.
EXPLORATION = 0.1
# After so many blocks one update each is enough: the policy has settled, and a process that begins anew learns all of them.
SETTLED = 25
# Of so many trials one is good enough for the queue.
SELECTED = 4


@dataclass(frozen=True)
class Reinforce(Strategy):
    """Draws candidates from a policy that learns block by block.

    block: trials that it learns from at a time. learning_rate: of Adam. updates: of the weights after each of the first 25
    blocks, one after later ones. entropy: what its entropy is worth to it, in standard deviations of the reward. decay: of the
    baseline, from block to block. queue: the best trials so far that it imitates, 0 for none.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    block: int = 10
    learning_rate: float = 0.03
    updates: int = 5
    entropy: float = 0.1
    decay: float = 0.8
    queue: int = 10

    def __post_init__(self) -> None:
        for name, least in (("block", 1), ("updates", 1), ("queue", 0)):
            if getattr(self, name) < least:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from {least}")
        if not 0 < self.learning_rate <= 1:
            raise SpecError(f"learning_rate: got {self.learning_rate}; needs a number above 0, to 1")
        if self.entropy < 0:
            raise SpecError(f"entropy: got {self.entropy}; needs a number from 0")
        if not 0 <= self.decay < 1:
            raise SpecError(f"decay: got {self.decay}; needs a number from 0 to below 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        policy = self._learned(study)
        return one_by_one(study, count, lambda view, rng: _drawn_new(policy, view, rng))

    def _learned(self, study: StudyView) -> Policy:
        """Return the policy after the leading blocks of which every trial has ended."""
        trials = {trial.number: trial for trial in study.trials if trial.done}
        count = next(number for number in range(len(trials) + 1) if number not in trials) // self.block * self.block
        told = [trials[number] for number in range(count)]
        places = {number: place for place, number in enumerate(study.best_first())}
        merits = np.array([places.get(trial.number, len(places)) for trial in told])
        keys = self._keys(study, told, merits)
        known = next((done for done in range(len(keys) - 1, 0, -1) if keys[done] in _POLICIES), 0)
        policy = _POLICIES[keys[known]].copy() if known else Policy(study.seed)
        episodes = [episode_of(study.space, trial.candidate) for trial in told]
        for done in range(known, len(keys) - 1):
            end = (done + 1) * self.block
            self._learn(policy, episodes[:end], merits[:end])
            _remember(keys[done + 1], policy.copy())
        return policy

    def _keys(self, study: StudyView, told: Sequence[Trial], merits: np.ndarray) -> list[bytes]:
        """Return what tells the policy after each number of blocks from all others."""
        digest = hashlib.sha256(repr((self, study.seed, study.space.to_json())).encode())
        keys = [digest.digest()]
        for end in range(self.block, len(told) + 1, self.block):
            digest.update(repr([trial.key for trial in told[end - self.block : end]]).encode())
            digest.update(_rewards(merits[:end]).tobytes())
            keys.append(digest.digest())
        return keys

    def _learn(self, policy: Policy, episodes: Sequence[Episode | None], merits: np.ndarray) -> None:
        """Learn from the last block, and from the best trials so far; what does not fit the space teaches nothing."""
        rewards = _rewards(merits)
        latest = range(len(episodes) - self.block, len(episodes))
        best = np.argsort(merits, kind="stable")[: min(self.queue, -(-len(merits) // SELECTED))]
        weights = {place: (rewards[place] - policy.baseline) / self.block for place in latest}
        for place in best.tolist():
            weights[place] = weights.get(place, 0.0) + 1 / len(best)
        policy.baseline += (1 - self.decay) * (float(rewards[list(latest)].mean()) - policy.baseline)
        fitting = [(episode, weight) for place, weight in weights.items() if (episode := episodes[place]) is not None]
        if not fitting:
            return
        groups = grouped([episode for episode, _ in fitting], [weight for _, weight in fitting])
        for episode, _, _ in groups:
            for decision in episode.decisions:
                policy.meet(decision)
        for _ in range(self.updates if len(episodes) <= SETTLED * self.block else 1):
            share = self.entropy / len(fitting)
            policy.ascend([policy.gradient(*group, share) for group in groups], self.learning_rate)


_POLICIES: "OrderedDict[bytes, Policy]" = OrderedDict()


def _remember(key: bytes, policy: Policy) -> None:
    _POLICIES[key] = policy
    while len(_POLICIES) > MOST_POLICIES:
        _POLICIES.popitem(last=False)


def _rewards(merits: np.ndarray) -> np.ndarray:
    """Return rewards with mean 0 and deviation 1 from the trials' order alone; equal ones, such as failed trials, are equal."""
    better = (merits[None, :] < merits[:, None]).sum(axis=1)
    ties = (merits[None, :] == merits[:, None]).sum(axis=1)
    ranks = better + (ties - 1) / 2
    deviation = ranks.std()
    return (ranks.mean() - ranks) / deviation if deviation else np.zeros(len(ranks))


def _drawn_new(policy: Policy, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    """Return a candidate that is new where one comes up, the policy being ever less sure of itself."""
    candidate: dict[str, Value] = {}
    for attempt in range(ATTEMPTS):
        candidate = _drawn(policy, study.space, rng, 1 + WARMING * attempt)
        if study.is_new(candidate):
            break
    return candidate


def _drawn(policy: Policy, space: Space, rng: np.random.Generator, temperature: float) -> dict[str, Value]:
    state = policy.begin()

    def pick(name: str, distribution: Distribution) -> Value:
        nonlocal state
        decision = Decision(name, distribution)
        step = policy.step(state)
        chances = policy.chances(decision, step[0], temperature)[0]
        chances = (1 - EXPLORATION) * chances + EXPLORATION / decision.options
        option = min(int(np.searchsorted(np.cumsum(chances), rng.random())), decision.options - 1)
        state = (step[0], step[1], policy.embedded(decision, np.array([option])))
        return decision.value(option, rng)

    return space.choose(pick)
