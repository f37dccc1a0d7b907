"""Advice after a search: which parameters matter, what to fix, narrow or widen next, whether more trials are likely to pay."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.advice._evidence import Evidence, gather, gather_one
from tunesmith.advice._front import fit_front
from tunesmith.advice._gain import fit_tail
from tunesmith.advice._importance import FEWEST_TRIALS, Importance, importances, mean_importances
from tunesmith.advice._keys import REWRITABLE, Key, read_keys, write_keys
from tunesmith.advice._moves import Move, decide
from tunesmith.advice._payoff import Payoff, payoff
from tunesmith.aims import Aims, Objective
from tunesmith.errors import SpecError
from tunesmith.record import Record
from tunesmith.registry import did_you_mean
from tunesmith.spaces._space import Space
from tunesmith.spec import build_space
from tunesmith.study import Trial


@dataclass(frozen=True)
class Advice:
    """What a study's trials say about what to do next.

    `objectives` judge the trials; of several, the growth of the front's hypervolume tells whether more pay. `trials` have
    ended, `finished` of them with an objective and within the constraints; `best` is the number of the best, of several
    objectives that of the front's knee.
    `importance` by key of the search file's space, the most important first. `space`: the one that follows, None where nothing
    is to be changed or where a function of the user's is the space. `notes` say what cannot be told, and why.
    """

    objectives: tuple[Objective, ...]
    trials: int
    finished: int
    best: int | None
    value: float | None
    importance: Mapping[str, Importance]
    moves: tuple[Move, ...]
    space: Space | None
    payoff: Payoff | None
    notes: tuple[str, ...]

    @property
    def objective(self) -> Objective:
        """The first objective, of which `value` is that of the best trial."""
        return self.objectives[0]

    @property
    def gains_of(self) -> str:
        """What the gains of more trials are told of: the one objective, or `hypervolume`."""
        return self.objective.metric if len(self.objectives) == 1 else "hypervolume"

    def to_json(self) -> dict[str, Any]:
        """Return the advice as plain data."""
        return {
            "objectives": [asdict(objective) for objective in self.objectives],
            **{"trials": self.trials, "finished": self.finished, "best": self.best, "value": self.value},
            "importance": {name: {**asdict(found), "real": found.real} for name, found in self.importance.items()},
            "moves": [_move(move) for move in self.moves],
            "space": self.space.to_json() if self.space else None,
            "more_trials": {"of": self.gains_of, **self.payoff.to_json()} if self.payoff else None,
            "notes": list(self.notes),
        }


def _move(move: Move) -> dict[str, Any]:
    before, after = move.key.distribution.to_json(), move.after.to_json()
    return {"key": move.key.name, "action": move.action, "before": before, "after": after, "reason": move.reason}


def advise(folder: Path, metric: str | None = None) -> Advice:
    """Return the advice on the study in `folder`, running or ended, for its objectives or the one called `metric`.

    Raises StudyError where there is no study, SpecError for a metric that is none of its objectives.
    """
    with Record.read(folder) as record:
        return advise_on(record.content, record.trials(), metric)


def advise_on(content: Mapping[str, Any], trials: Sequence[Trial], metric: str | None = None) -> Advice:
    """Return the advice on trials of the search that `content`, a whole search file, describes."""
    aims = Aims.of(content)
    objectives = _objectives(aims, metric)
    asked = Aims(objectives, aims.constraints)
    evidence = gather(trials, asked)
    single = [gather_one(trials, Aims((objective,), aims.constraints)) for objective in objectives]
    keys = read_keys(content["space"], evidence.trials)
    shares, unknown = _importance(single, keys)
    tail = fit_tail(evidence) if len(objectives) == 1 else fit_front(evidence, asked)
    found, untold = payoff(evidence, tail, content.get("budget", {}).get("parallel", 1))
    best = evidence.good[0] if evidence.good else None
    ordered = sorted(keys, key=lambda key: -shares[key.name].overall.share) if shares else []
    moves = [_within_limits(decide(key, evidence, shares[key.name]), content["space"]) for key in ordered]
    return Advice(
        objectives=objectives,
        trials=len(evidence.trials),
        finished=len(evidence.finite),
        best=best.number if best else None,
        value=best.metrics[objectives[0].metric] if best else None,
        importance={key.name: shares[key.name] for key in ordered},
        moves=tuple(moves),
        space=_changed(content["space"], moves),
        payoff=found,
        notes=tuple(note for note in (unknown, untold) if note),
    )


def _changed(form: Mapping[str, Any], moves: Sequence[Move]) -> Space | None:
    """Return the space that the moves lead to; raises SpecError where it does not allow one of them."""
    changed = {move.key.name: move.after for move in moves if move.action != "keep"}
    return build_space(write_keys(form, changed)) if changed and form["kind"] in REWRITABLE else None


def _within_limits(move: Move, form: Mapping[str, Any]) -> Move:
    """Return the move, or that the key is kept where the space has limits of its own, as that of `layers` does."""
    try:
        _changed(form, [move])
    except SpecError as error:
        return Move(move.key, "keep", move.key.distribution, f"{move.reason}; the space allows no more: {error}")
    return move


def _objectives(aims: Aims, metric: str | None) -> tuple[Objective, ...]:
    names = [objective.metric for objective in aims.objectives]
    if metric is None:
        return aims.objectives
    if metric not in names:
        raise SpecError(
            f"objective: {metric!r} is none of the study's; allowed: {', '.join(names)}{did_you_mean(metric, names)}"
        )
    return (aims.objectives[names.index(metric)],)


def _importance(single: Sequence[Evidence], keys: Sequence[Key]) -> tuple[dict[str, Importance], str]:
    """Return every key's importance, its mean over the objectives whose evidence is `single`, or nothing and why."""
    count, finished = len(single[0].trials), len(single[0].finite)
    differing = [evidence for evidence in single if not evidence.constant]
    if not finished:
        return {}, f"none of {count} trials finished and kept all constraints" if count else "no trial has ended yet"
    if count < FEWEST_TRIALS:
        return {}, f"what the parameters do: {FEWEST_TRIALS} trials are needed, {count} have ended"
    if not differing:
        return {}, f"what the parameters do: all {count} trials are equally good"
    if not keys:
        return {}, "what the parameters do: the space leaves nothing to choose"
    try:
        return mean_importances([importances(evidence, keys) for evidence in differing]), ""
    except SpecError as error:
        return {}, str(error)
