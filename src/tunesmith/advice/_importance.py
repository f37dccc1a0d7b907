"""How much each parameter decides a trial's rank: functional ANOVA over a random forest, as Optuna evaluates it.

Source: Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance". What is handed
over are positions in the unit interval, so that a parameter's scale makes no difference, and ranks, so that one terrible trial
makes none either. A parameter that is inactive in a trial gets a random value there, which cannot matter: so its importance is
that for the whole space, and grows with how often it is active.

What a parameter without influence gets by chance is seen from shadows: each parameter once more, its values shuffled among
neighbouring trials (Kursa and Rudnicki 2010, "Feature selection with the Boruta package"). Among neighbours, since later trials
are better and, whatever their influence, nearer to each other.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.advice._evidence import Evidence
from tunesmith.advice._keys import Key
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Distribution

FEWEST_TRIALS = 20
# More trials are thinned, evenly by rank: the forest's time grows with them, its verdict hardly changes.
MOST_TRIALS = 200
ROUNDS, TREES, DEPTH, BLOCK = 4, 16, 8, 10
SHADOW = "shadow of "

Columns = dict[str, tuple[Distribution, np.ndarray]]


@dataclass(frozen=True)
class Share:
    """A key's share of all importance, and the share that one without influence may have by chance.

    `parameters`: the share of each parameter that is drawn from the key.
    """

    share: float
    chance: float
    parameters: dict[str, float]

    @property
    def real(self) -> bool:
        """Whether the share is more than chance explains."""
        return self.share > self.chance


@dataclass(frozen=True)
class Importance:
    """How important a key is among all trials and among the better half, which is None where that has too few trials.

    A parameter that ruins every second trial hides what the others do; among the better half it is out of the way.
    """

    overall: Share
    better: Share | None = None

    @property
    def real(self) -> bool:
        """Whether either share is more than chance explains."""
        return self.overall.real or bool(self.better and self.better.real)


def importances(evidence: Evidence, keys: Sequence[Key]) -> dict[str, Importance]:
    """Return the importance of each key for a trial's rank, by the key's name; all shares are 0 where nothing differs.

    Raises SpecError where Optuna or scikit-learn is not installed.
    """
    overall = _shares(evidence, keys)
    half = evidence.better_half()
    if len(half.trials) < FEWEST_TRIALS:
        return {name: Importance(share) for name, share in overall.items()}
    better = _shares(half, keys)
    return {name: Importance(share, better[name]) for name, share in overall.items()}


def mean_importances(found: Sequence[Mapping[str, Importance]]) -> dict[str, Importance]:
    """Return the mean of each key's importance for several objectives."""
    return {name: _mean_importance([each[name] for each in found]) for name in found[0]}


def _mean_importance(found: Sequence[Importance]) -> Importance:
    better = [each.better for each in found if each.better]
    return Importance(_mean_share([each.overall for each in found]), _mean_share(better) if better else None)


def _mean_share(found: Sequence[Share]) -> Share:
    names = dict.fromkeys(name for each in found for name in each.parameters)
    parameters = {name: float(np.mean([each.parameters.get(name, 0.0) for each in found])) for name in names}
    share, chance = (float(np.mean(values)) for values in zip(*((each.share, each.chance) for each in found), strict=True))
    return Share(share, chance, parameters)


def _shares(evidence: Evidence, keys: Sequence[Key]) -> dict[str, Share]:
    optuna = _optuna()
    chosen = _thinned(evidence.levels)
    rounds = [_round(optuna, evidence, keys, chosen, np.random.default_rng(seed)) for seed in range(ROUNDS)]
    names = [name for name in rounds[0] if not name.startswith(SHADOW)]
    own = {name: float(np.mean([found[name] for found in rounds])) for name in names}
    total = sum(own.values()) or 1.0
    by_chance = max((float(share) for found in rounds for name, share in found.items() if name.startswith(SHADOW)), default=0.0)
    return {key.name: _share(key, own, by_chance, total) for key in keys}


def _share(key: Key, own: Mapping[str, float], by_chance: float, total: float) -> Share:
    mine = {name: share / total for name, share in own.items() if key.decides(name)}
    return Share(sum(mine.values()), min(by_chance * len(mine) / total, 1.0), mine)


def _thinned(levels: np.ndarray) -> np.ndarray:
    """Return the positions of the trials to look at, by number."""
    if len(levels) <= MOST_TRIALS:
        return np.arange(len(levels))
    by_rank = np.argsort(levels, kind="stable")
    return np.sort(by_rank[np.linspace(0, len(levels) - 1, MOST_TRIALS).round().astype(int)])


def _round(
    optuna: Any, evidence: Evidence, keys: Sequence[Key], chosen: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """Return what one forest finds of every parameter and of its shadow."""
    columns = _columns(evidence, keys, chosen, rng)
    shadows: Columns = {SHADOW + name: (kind, _shuffled(units, rng)) for name, (kind, units) in columns.items()}
    ranks = np.unique(evidence.levels[chosen], return_inverse=True)[1].astype(float)
    return _evaluate(optuna, columns | shadows, ranks, int(rng.integers(2**31)))


def _columns(evidence: Evidence, keys: Sequence[Key], chosen: np.ndarray, rng: np.random.Generator) -> Columns:
    """Return the unit positions of each parameter that varies, random ones where it is inactive."""
    trials = [evidence.trials[i] for i in chosen]
    columns: Columns = {}
    for name in dict.fromkeys(name for trial in trials for name in trial.candidate):
        key = next((key for key in keys if key.decides(name)), None)
        if key is None:
            continue
        units = rng.random(len(trials))
        having = [
            i for i, trial in enumerate(trials) if name in trial.candidate and key.distribution.contains(trial.candidate[name])
        ]
        units[having] = key.distribution.cdf([trials[i].candidate[name] for i in having])
        columns[name] = key.distribution, units
    return columns


def _shuffled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rng.permutation(values[start : start + BLOCK]) for start in range(0, len(values), BLOCK)])


def _optuna() -> Any:
    try:
        import optuna
        import sklearn  # noqa: F401 (Optuna's forest, which it imports only when it is asked for)
    except ModuleNotFoundError as error:
        raise SpecError(f"the importance of parameters needs {error.name}: pip install 'tunesmith[advice]'") from None
    return optuna


@contextmanager
def _silent(optuna: Any) -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _evaluate(optuna: Any, columns: Columns, ranks: np.ndarray, seed: int) -> dict[str, float]:
    forms = {name: _as_optuna(optuna, *column) for name, column in columns.items()}
    distributions = {name: distribution for name, (distribution, _) in forms.items()}
    with _silent(optuna):
        study = optuna.create_study()
        study.add_trials(
            [
                optuna.trial.create_trial(
                    value=float(rank),
                    params={name: values[i] for name, (_, values) in forms.items()},
                    distributions=distributions,
                )
                for i, rank in enumerate(ranks)
            ]
        )
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, max_depth=DEPTH, seed=seed)
        return optuna.importance.get_param_importances(study, evaluator=evaluator, normalize=False)


def _as_optuna(optuna: Any, distribution: Distribution, units: np.ndarray) -> tuple[Any, list[Any]]:
    """Return unit positions as Optuna's options or numbers."""
    if isinstance(distribution, Choice):
        size = len(distribution.options)
        return optuna.distributions.CategoricalDistribution(tuple(range(size))), [
            min(int(unit * size), size - 1) for unit in units
        ]
    return optuna.distributions.FloatDistribution(0.0, 1.0), [float(unit) for unit in np.clip(units, 0.0, 1.0)]
