"""Evolution towards a Pareto front: NSGA-II (Deb et al., 2002) on any define-by-run space, one proposal after the other.

The parents are the best of all trials that have ended, by front, then by how lonely they are on it; trials that miss a
constraint come after all that keep it. There are no generations: each proposal is a child of the parents of that moment
(Durillo et al., 2009: with as many trials this comes nearer to the front, and no worker waits for another). A child decides
parameter by parameter, in the space's own order: where both parents have the parameter it comes from one of them or from
between them (simulated binary crossover), where one has it from that one, else from the prior; some are then mutated. Where
candidates are edited as a whole (networks that grow), a child is an edit of one parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Morphable
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.strategies._edits.neighbours import edit
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView, Trial

# How near to its parents a child's numbers stay, and a mutated one to what it was: the larger the nearer.
CROSSOVER_NEARNESS = 15.0
MUTATION_NEARNESS = 10.0
# The share of children that have two parents.
CROSSED = 0.9


@dataclass(frozen=True)
class NSGA2(Strategy):
    """Crosses and mutates the candidates of the front.

    population: how many trials may be parents, and how many random trials come first. mutation: the share of parameters
    mutated in a child; None: one parameter of each child on average; of no effect where the space has edits of its own.
    """

    population: int = 20
    mutation: float | None = None

    def __post_init__(self) -> None:
        if self.population < 2:
            raise SpecError(f"population: got {self.population}; needs a whole number from 2")
        if self.mutation is not None and not 0 <= self.mutation <= 1:
            raise SpecError(f"mutation: got {self.mutation}; needs a number from 0 to 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        parents = _survivors(study, self.population)
        if len(parents) < self.population or _are_alike(study):
            return one_by_one(study, count, lambda view, rng: view.space.sample(rng))
        return one_by_one(study, count, lambda view, rng: self._child(view, parents, rng))

    def _child(self, study: StudyView, parents: Sequence[Trial], rng: np.random.Generator) -> dict[str, Value]:
        mother = _tournament(parents, rng)
        if isinstance(study.space, Morphable):
            return edit(study.space, mother.candidate, rng) or study.space.sample(rng)
        father = _tournament(parents, rng) if rng.random() < CROSSED else mother
        mutation = self.mutation if self.mutation is not None else 1.0 / max(len(mother.candidate), 1)

        def pick(name: str, distribution: Distribution) -> Value:
            known = [parent.candidate[name] for parent in (mother, father) if name in parent.candidate]
            known = [value for value in known if distribution.contains(value)]
            value = _crossed(known, distribution, rng) if known else distribution.quantile(rng.random())
            return _mutated(value, distribution, rng) if rng.random() < mutation else value

        return study.space.choose(pick)


def _are_alike(study: StudyView) -> bool:
    """Tell whether no ended trial is better than another, so that any choice of parents would be one by chance."""
    metrics = {trial.number: trial.metrics for trial in study.trials}
    return len({(*row, study.aims.violation(metrics[number])) for number, row in study.loss_rows().items()}) == 1


def _survivors(study: StudyView, count: int) -> list[Trial]:
    """Return the best `count` of the ended trials, the best first; all where there are fewer."""
    trials = {trial.number: trial for trial in study.trials}
    return [trials[number] for number in study.best_first(count)[:count]]


def _tournament(parents: Sequence[Trial], rng: np.random.Generator) -> Trial:
    """Return the better of two drawn parents, of which the best comes first."""
    return parents[int(rng.integers(len(parents), size=2).min())]


def _crossed(values: Sequence[Value], distribution: Distribution, rng: np.random.Generator) -> Value:
    """Return one of the values or, of two numbers, one near either."""
    own = values[int(rng.integers(len(values)))]
    if len(values) < 2 or isinstance(distribution, Choice) or values[0] == values[1] or rng.random() < 0.5:
        return own
    low, high = np.sort(distribution.cdf(values))
    level = rng.random()
    spread = (
        (2 * level) ** (1 / (CROSSOVER_NEARNESS + 1)) if level < 0.5 else (2 - 2 * level) ** (-1 / (CROSSOVER_NEARNESS + 1))
    )
    centre, half = (low + high) / 2, spread * (high - low) / 2
    return distribution.quantile(float(np.clip(centre + half if rng.random() < 0.5 else centre - half, 0.0, 1.0)))


def _mutated(value: Value, distribution: Distribution, rng: np.random.Generator) -> Value:
    """Return another option, or a number near this one by a polynomial law."""
    if isinstance(distribution, Choice):
        return distribution.quantile(rng.random())
    unit, level = float(distribution.cdf([value])[0]), rng.random()
    power = 1 / (MUTATION_NEARNESS + 1)
    step = ((2 * level) ** power - 1) * unit if level < 0.5 else (1 - (2 - 2 * level) ** power) * (1 - unit)
    moved = distribution.quantile(float(np.clip(unit + step, 0.0, 1.0)))
    # A step of whole numbers that rounds to nothing is no mutation.
    return distribution.quantile(rng.random()) if moved == value else moved
