"""Optuna's samplers, asked define-by-run: they see conditional parameters as such. Failed trials are told as failed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from quality.problem import Knob
from tunesmith.spaces._space import Candidate

if TYPE_CHECKING:
    import optuna

REQUIRES = "optuna"
# What a single sampler needs besides.
ALSO = {"optuna gp": "torch"}

Sampler = Callable[[int, int], "optuna.samplers.BaseSampler"]


def _tpe(seed: int, batch: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, constant_liar=batch > 1)


def _group_tpe(seed: int, batch: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=batch > 1)


def _cmaes(seed: int, batch: int) -> Any:
    import optuna

    del batch
    return optuna.samplers.CmaEsSampler(seed=seed)


def _gp(seed: int, batch: int) -> Any:
    import optuna

    del batch
    return optuna.samplers.GPSampler(seed=seed)


SAMPLERS: dict[str, Sampler] = {"optuna tpe": _tpe, "optuna group tpe": _group_tpe, "optuna cmaes": _cmaes, "optuna gp": _gp}


def names() -> list[str]:
    """Return the samplers."""
    return list(SAMPLERS)


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Optuna":
    """Return a study in memory with the sampler."""
    del trials
    return Optuna(SAMPLERS[name](seed, batch), knobs)


class Optuna:
    """A study whose trials are asked for and told."""

    def __init__(self, sampler: "optuna.samplers.BaseSampler", knobs: Sequence[Knob]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.study = optuna.create_study(sampler=sampler)
        self.knobs = knobs
        self.asked: list[optuna.Trial] = []

    def ask(self, count: int) -> Sequence[Candidate]:
        self.asked = [self.study.ask() for _ in range(count)]
        return [self._choose(trial) for trial in self.asked]

    def _choose(self, trial: "optuna.Trial") -> Candidate:
        candidate: dict[str, Any] = {}
        for knob in self.knobs:
            if knob.active(candidate):
                candidate[knob.name] = _suggest(trial, knob)
        return candidate

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        import optuna

        for trial, (_, loss) in zip(self.asked, results, strict=True):
            if loss is None:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self.study.tell(trial, loss)

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        import optuna

        known = {knob.name: _distribution(knob) for knob in self.knobs}
        for candidate, loss in history:
            used = {name: known[name] for name in candidate}
            self.study.add_trial(optuna.create_trial(params=dict(candidate), distributions=used, value=loss))


def _suggest(trial: "optuna.Trial", knob: Knob) -> Any:
    if knob.choices:
        return trial.suggest_categorical(knob.name, knob.choices)
    low, high = knob.ends
    if knob.whole:
        return trial.suggest_int(knob.name, int(low), int(high), log=knob.log)
    return trial.suggest_float(knob.name, low, high, log=knob.log)


def _distribution(knob: Knob) -> Any:
    from optuna import distributions

    if knob.choices:
        return distributions.CategoricalDistribution(knob.choices)
    made = distributions.IntDistribution if knob.whole else distributions.FloatDistribution
    return made(*knob.ends, log=knob.log)  # pyright: ignore[reportArgumentType]  # whole numbers' ends are whole
