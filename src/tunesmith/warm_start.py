"""Takes what earlier studies found into a new one: their best candidates to try first, and all they tried to learn from."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from tunesmith.aims import Aims
from tunesmith.data.words import listed
from tunesmith.errors import SpecError
from tunesmith.files import write_json
from tunesmith.ranking import ranking
from tunesmith.record import Record
from tunesmith.registry import did_you_mean
from tunesmith.sections import EarlierSpec
from tunesmith.spaces._space import Candidate, Space, canonical
from tunesmith.spaces.parameters import Branches, Parameters, Tree
from tunesmith.study import EarlierStudy, State, Trial
from tunesmith.translation import Told, Translator

# A candidate of an earlier study may be a poor one on new data: most of the budget is for the strategy.
SHARE = 4
MOST = 10
# Of a study of something else, the best candidates are a guess: what they come to tells how far it can be trusted.
MOST_GUESSED = 6
# So many trials are learned from, of one study and of all: on a cluster they travel in one object.
MOST_OF_ONE = 200
MOST_OF_ALL = 600
# A space whose every candidate costs a call of the user's code.
MOST_SLOW = 40
# What makes two searches the same problem, whatever their spaces.
PROBLEM = ("data", "evaluation", "objectives", "constraints")
MEMORY = "earlier.json"


@dataclass(frozen=True)
class WarmStart:
    """What a search begins with. `notes`: what the user should know about each study."""

    first: tuple[Candidate, ...] = ()
    earlier: tuple[EarlierStudy, ...] = ()
    notes: tuple[str, ...] = ()


def warm_start(
    entries: Sequence[EarlierSpec], space: Space, aims: Aims, trials: int, record: Record, folder: Path
) -> WarmStart:
    """Return what the study of `record` begins with; `trials`: its budget, `folder`: beside which the entries' paths are.

    What was read is kept beside the record: the study goes on as it began, whatever becomes of the earlier ones. Raises
    SpecError for an entry that is no study, or names parameters that are not there.
    """
    if not entries:
        return WarmStart()
    if (memory := record.folder / MEMORY).is_file():
        return _remembered(memory)
    most = max(min(MOST_OF_ONE, MOST_OF_ALL // len(entries)), 1)
    read = [_Reading(entry, f"warm_start.{place}", space, aims, most, folder) for place, entry in enumerate(entries)]
    known = all(reading.is_of(record.content) for reading in read)
    found = WarmStart(
        first_of([reading.best for reading in read], trials, known),
        tuple(reading.study for reading in read if reading.study.candidates),
        tuple(reading.note() for reading in read),
    )
    _remember(memory, found)
    return found


def first_of(boards: Sequence[Sequence[Candidate]], trials: int, known: bool) -> tuple[Candidate, ...]:
    """Return what a search of so many trials tries first: candidates of all studies, the best first, in turns.

    known: the studies are of this very problem. Of others those are taken that are some places apart, since the best are often
    all alike, and tell one thing.
    """
    if not known:
        boards = [board[:: max(len(board) // 10, 1)] for board in boards]
    in_turns = chain.from_iterable(zip_longest(*boards))
    unlike = {canonical(candidate): candidate for candidate in in_turns if candidate is not None}
    return tuple(unlike.values())[: min(max(trials // SHARE, 1), MOST if known else MOST_GUESSED)]


class _Reading:
    """One earlier study, told in a space's parameters."""

    def __init__(self, entry: EarlierSpec, where: str, space: Space, aims: Aims, most: int, folder: Path) -> None:
        self.entry, self.where = entry, where
        self.content, self.trials = _read(folder / entry.study, entry.study)
        self.translator = Translator(space, entry.rename, entry.unimportant)
        self._check_names(space)
        # By this search's own aims where the study's trials report what they ask for.
        shared = any(set(aims.metrics) <= set(trial.metrics) for trial in self.trials if trial.state is State.FINISHED)
        aims = aims if shared else Aims.of(self.content)
        self.best, self.study = digest(entry.study, self.trials, self.translator, aims, most)

    def is_of(self, content: Mapping[str, Any]) -> bool:
        """Tell whether the study is of the same problem as a study of this content."""
        return all(self.content.get(key) == content.get(key) for key in PROBLEM)

    def note(self) -> str:
        """Return what came of the study, in words."""
        name, translator = f"warm_start: {self.entry.study}", self.translator
        theirs = sorted({translator.rename.get(key, key) for trial in self.trials for key in trial.candidate})
        ended = sum(trial.done for trial in self.trials)
        if not ended:
            return f"{name}: has no trial that has ended; the search begins without it"
        if not translator.matched:
            its, ours = listed(theirs), listed(sorted(translator.added))
            return f"{name}: shares no parameter with this space (its: {its}; this one's: {ours}); left out"
        if not self.study.candidates:
            return f"{name}: none of its {ended} trials can be used{_because(translator)}; left out"
        parts = [f"{name}: {len(self.study.candidates)} of {ended} trials are learned from"]
        parts += [f"not in this space: {listed(gone)}"] if (gone := sorted(set(theirs) - translator.matched)) else []
        parts += [f"new: {listed(new)}"] if (new := sorted(translator.added - translator.matched)) else []
        return "; ".join(parts) + _because(translator)

    def _check_names(self, space: Space) -> None:
        theirs = sorted({name for trial in self.trials for name in trial.candidate})
        ours = sorted(_names(space.parameters)) if isinstance(space, Parameters) else None
        for old, new in self.entry.rename.items():
            for side, name, known in (("study", old, theirs or None), ("space", new, ours)):
                if known is not None and name not in known:
                    self._refuse("rename", name, self.entry.study if side == "study" else "this space", known)
        for name in self.entry.unimportant:
            if theirs and name not in theirs:
                self._refuse("unimportant", name, self.entry.study, theirs)

    def _refuse(self, key: str, name: str, whose: str, known: list[str]) -> None:
        told = listed(known) + did_you_mean(name, known)
        raise SpecError(f"{self.where}.{key}: {name!r} is no parameter of {whose}: {told}")


def _because(translator: Translator) -> str:
    """Say which parameters keep trials out."""
    if not translator.misfits:
        return ""
    causes = ", ".join(f"{count} by {name}" for name, count in translator.misfits.most_common())
    return f"; outside of this space: {causes}"


def _names(tree: Tree) -> Iterator[str]:
    for name, node in tree.items():
        yield name
        if isinstance(node, Branches):
            for inner in node.inner.values():
                yield from _names(inner)


def _read(folder: Path, name: str) -> tuple[dict[str, Any], list[Trial]]:
    if not (folder / "spec.yaml").is_file() and (folder / "study").is_dir():
        folder = folder / "study"
    if not (folder / "spec.yaml").is_file():
        raise SpecError(f"warm_start: {name!r} is no study (it has no spec.yaml)")
    with Record.read(folder) as record:
        return record.content, record.trials()


def digest(
    name: str, trials: Sequence[Trial], translator: Translator, aims: Aims, most: int = MOST_OF_ONE
) -> tuple[list[Candidate], EarlierStudy]:
    """Return a study's finished candidates, the best first, and what strategies learn from: `most` trials of it, thinned."""
    ranked = [trial for trial in ranking(trials, aims) if trial.done]
    asked = ranked if translator.space.quick else _thinned(ranked, MOST_SLOW)
    told = {trial.number: told for trial in asked if (told := translator.tell(trial.candidate))}
    ended = _thinned([trial for trial in asked if trial.number in told], most)
    best = [told[trial.number].whole for trial in ended if trial.state is State.FINISHED]
    return best, _study(name, ended, told, aims)


def _thinned(ranked: Sequence[Trial], most: int) -> list[Trial]:
    """Return trials in order: all, or the better half of `most` and an even choice of the rest."""
    if len(ranked) <= most:
        return list(ranked)
    best, rest = most // 2, most - most // 2
    step = (len(ranked) - best) / rest
    return [*ranked[:best], *(ranked[best + int(position * step)] for position in range(rest))]


def _study(name: str, ranked: Sequence[Trial], told: Mapping[int, Told], aims: Aims) -> EarlierStudy:
    """Return ranked trials as what a strategy learns from; what failed counts like the worst.

    The losses are those of a single objective, else the places on the leaderboard: several figures have no other common one.
    """
    single = len(aims.objectives) == 1 and not aims.constraints
    losses = [aims.losses(trial.metrics)[0] if single else float(place) for place, trial in enumerate(ranked)]
    usable = [trial.state is not State.FAILED and math.isfinite(loss) for trial, loss in zip(ranked, losses, strict=True)]
    if not any(usable):
        return EarlierStudy(name, (), ())
    worst = max(loss for loss, use in zip(losses, usable, strict=True) if use)
    found = [(trial.number, loss if use else worst) for trial, loss, use in zip(ranked, losses, usable, strict=True)]
    found.sort()
    return EarlierStudy(name, tuple(told[number].known for number, _ in found), tuple(loss for _, loss in found))


def _remember(path: Path, found: WarmStart) -> None:
    earlier = [[study.name, [dict(candidate) for candidate in study.candidates], study.losses] for study in found.earlier]
    write_json(path, {"first": [dict(candidate) for candidate in found.first], "earlier": earlier})


def _remembered(path: Path) -> WarmStart:
    content = json.loads(path.read_text(encoding="utf-8"))
    earlier = [EarlierStudy(name, tuple(candidates), tuple(losses)) for name, candidates, losses in content["earlier"]]
    return WarmStart(tuple(content["first"]), tuple(earlier))
