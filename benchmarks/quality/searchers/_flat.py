"""What libraries without conditions and without failures are told instead."""

from collections.abc import Sequence

from quality.problem import Knob
from tunesmith.spaces._space import Candidate

# Where nothing but failures is known yet.
NO_LOSS = 1.0


def active(knobs: Sequence[Knob], values: Candidate) -> Candidate:
    """Return the candidate within values for all knobs."""
    candidate = {}
    for knob in knobs:
        if knob.active(candidate):
            candidate[knob.name] = values[knob.name]
    return candidate


def whole_candidate(knobs: Sequence[Knob], candidate: Candidate) -> Candidate:
    """Return the candidate with the middle of its range for every inactive knob."""
    return {knob.name: candidate.get(knob.name, knob.distribution.quantile(0.5)) for knob in knobs}


def told(results: Sequence[tuple[Candidate, float | None]], worst: float | None) -> tuple[list[float], float | None]:
    """Return the losses with failures as the worst one so far, and the worst one now."""
    known = [loss for _, loss in results if loss is not None]
    worst = max([*known, *([] if worst is None else [worst])], default=None)
    return [(NO_LOSS if worst is None else worst) if loss is None else loss for _, loss in results], worst
