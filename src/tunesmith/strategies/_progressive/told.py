"""What a surrogate is told: the trials that ended before a number, in their order from best to worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tunesmith.spaces._space import Candidate
from tunesmith.strategies._progressive.memory import key_of
from tunesmith.strategies._surrogates.ensemble import MEMBERS, Network, train
from tunesmith.strategies._surrogates.mlp import Bags
from tunesmith.strategies._surrogates.recurrent import Sequences
from tunesmith.strategies._surrogates.tokens import Tokenizer
from tunesmith.study import StudyView, Trial

SURROGATES: Mapping[str, type[Bags] | type[Sequences]] = {"mlp": Bags, "recurrent": Sequences}


@dataclass(frozen=True)
class Told:
    """Ended trials by number, with their places: 0 the best, what failed behind all others. `best`: the others, best first."""

    trials: tuple[Trial, ...]
    places: np.ndarray
    tokenizer: Tokenizer

    @cached_property
    def best(self) -> list[Trial]:
        order = np.argsort(self.places, kind="stable")
        return [self.trials[i] for i in order if self.places[i] < len(self.trials)]

    @cached_property
    def key(self) -> bytes:
        return key_of([(trial.number, trial.key) for trial in self.trials], self.places.tolist())


def told_of(study: StudyView, end: int, tokenizer: Tokenizer) -> Told:
    """Return the trials below number `end` that have ended and fit the space, ordered among themselves."""
    ended = [trial for trial in study.trials if trial.done and trial.number < end and tokenizer.read(trial.candidate)]
    ended.sort(key=lambda trial: trial.number)
    ordered = {number: place for place, number in enumerate(replace(study, trials=tuple(ended)).best_first())}
    return Told(tuple(ended), np.array([ordered.get(trial.number, len(ended)) for trial in ended]), tokenizer)


@dataclass(frozen=True)
class Surrogate:
    """An ensemble that has learned; the greater a score, the better."""

    encoder: Bags | Sequences
    network: Network

    def scores(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what the members expect on average, in standard deviations of what they have learned from."""
        return self.opinions(candidates).mean(axis=0)

    def opinions(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each member expects, MEMBERS x n."""
        inputs = self.encoder.encode(candidates)
        return self.network.forward(np.broadcast_to(inputs, (MEMBERS, *inputs.shape)))[0]


def learned(kind: str, told: Told, seed: int) -> Surrogate:
    """Return a surrogate that has learned the order of the trials."""
    rng = np.random.default_rng([seed, len(told.trials)])
    candidates = [trial.candidate for trial in told.trials]
    encoder = SURROGATES[kind](told.tokenizer, candidates)
    network = encoder.network(rng)
    train(network, encoder.encode(candidates), _targets(told.places), rng)
    return Surrogate(encoder, network)


def _targets(places: np.ndarray) -> np.ndarray:
    """Return targets with mean 0 and deviation 1 by the order alone; equal places have equal targets."""
    worse = (places[None, :] > places[:, None]).sum(axis=1)
    deviation = worse.std()
    return (worse - worse.mean()) / deviation if deviation else np.zeros(len(places))
