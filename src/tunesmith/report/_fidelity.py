"""How far the trials foretold a full training: a sentence, and a plot of both."""

from collections.abc import Mapping
from typing import Any

from tunesmith.fidelity import Fidelity
from tunesmith.report._format import figure
from tunesmith.report._svg import axes, circle, drawing, scale, text

UNMEASURED = (
    "How far that foretells a full training was not measured: 'final: {fidelity: 8}' in the search file asks for it, and "
    "'tunesmith study fidelity' does it afterwards."
)
WIDTH, HEIGHT = 620, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 606, 42, 276


def describe_fidelity(fidelity: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the sentences and the plot of what fidelity.json holds (fidelity.py), if there is one.

    Without it, and with a comparison that is cheaper than the final training, that is said; else nothing.
    """
    compared = _compared(spec)
    if fidelity:
        return _measured(Fidelity(**fidelity), compared)
    return {"told": f"{compared} {UNMEASURED}", "plot": ""} if compared else None


def _compared(spec: Mapping[str, Any]) -> str:
    """Return how trials were compared, where that is cheaper than the final training."""
    evaluation, final, scheduler = (spec.get(section) or {} for section in ("evaluation", "final", "scheduler"))
    epochs, share = evaluation.get("epochs"), evaluation.get("share") or 1
    sizes = ", ".join(f"{name} {value}" for name, value in (evaluation.get("size") or {}).items())
    fewer = bool(epochs and (final.get("epochs") or 0) > epochs)
    growing, ended = evaluation.get("examples") == "growing", scheduler.get("name", "none")
    if not (sizes or share < 1 or fewer or growing or ended != "none"):
        return ""
    parts = [
        f"as networks of {sizes}" if sizes else "at full size",
        f"on {'a growing share' if growing else format(share, '.0%')} of the training examples",
        *(["those nearest to the centres of clusters"] if share < 1 and evaluation.get("by") == "clusters" else []),
        f"for {_epochs(epochs)} at most",
        *([f"the poor ones ended early by {ended!r}"] if ended != "none" else []),
    ]
    return f"Trials were compared {', '.join(parts)}."


def _measured(found: Fidelity, compared: str) -> dict[str, str]:
    metric, correlation = found.metric, found.correlation
    shown = "cannot be told, all figures are equal" if correlation is None else f"is {correlation:.2f}"
    told = (
        f"{compared} {found.drawn}, were trained in full ({_epochs(found.epochs)}): the rank correlation of both figures "
        f"{shown}. {found.cost[0].upper()}{found.cost[1:]}."
    )
    x, y = scale(found.compared, LEFT, RIGHT, log=False), scale(found.full, BOTTOM, TOP, log=False)
    dots = [
        circle(x(seen), y(full), 4.5, *_dot(number, found, f"{figure(metric, seen)}, in full {figure(metric, full)}"))
        for number, seen, full in zip(found.trials, found.compared, found.full, strict=True)
    ]
    across, up = f"{metric} of the trial", f"{metric} after a full training"
    labels = text(LEFT, 14, up, "label") + text(RIGHT, HEIGHT - 6, across, "label", "end")
    plot = drawing(WIDTH, HEIGHT, f"{metric} of trials and after a full training", axes(x, y) + labels + "".join(dots))
    return {"told": told.strip(), "plot": plot}


def _dot(number: int, found: Fidelity, figures: str) -> tuple[str, str]:
    """Return the class and the title of a trial's dot."""
    stopped = number in found.stopped
    return "stopped" if stopped else "finished", f"trial {number}{', stopped early' if stopped else ''}: {figures}"


def _epochs(count: object) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
