"""Takes the best candidates of earlier studies, to be tried first in a new one."""

from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from tunesmith.errors import SpecError
from tunesmith.record import Record
from tunesmith.spaces._space import Candidate, Space, canonical
from tunesmith.study import Objective, State, ranking

# A candidate of an earlier study may be a poor one on new data: most of the budget is for the strategy.
SHARE = 4
MOST = 10


def first_candidates(studies: list[str], space: Space, trials: int, folder: Path) -> tuple[Candidate, ...]:
    """Return the best candidates of the studies, in turns, that fit the space: at most a quarter of the budget, or 10.

    `studies` are folders, looked up beside `folder`. Raises SpecError for one that is no study.
    """
    boards = [list(_finished(folder / study, study)) for study in studies]
    in_turns = chain.from_iterable(zip_longest(*boards))
    fitting = {canonical(candidate): candidate for candidate in in_turns if candidate is not None and _fits(candidate, space)}
    return tuple(fitting.values())[: min(max(trials // SHARE, 1), MOST)]


def _finished(folder: Path, name: str) -> Iterator[Candidate]:
    if not (folder / "spec.yaml").is_file() and (folder / "study").is_dir():
        folder = folder / "study"
    if not (folder / "spec.yaml").is_file():
        raise SpecError(f"warm_start: {name!r} is no study (it has no spec.yaml)")
    with Record.read(folder) as record:
        trials, objective = record.trials(), Objective(**record.content["objectives"][0])
    for trial in ranking(trials, objective):
        if trial.state is State.FINISHED:
            yield trial.candidate


def _fits(candidate: Candidate, space: Space) -> bool:
    try:
        space.realize(candidate)
    except SpecError:
        return False
    return True
