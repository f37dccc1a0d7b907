"""How far the trials foretold a full training: a sentence, and a plot of both."""

from collections.abc import Mapping
from typing import Any

from tunesmith.report._format import figure
from tunesmith.report._svg import axes, circle, drawing, scale, text

WIDTH, HEIGHT = 620, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 606, 42, 276


def describe_fidelity(fidelity: Mapping[str, Any]) -> dict[str, str]:
    """Return the sentence and the plot; of what fidelity.json holds (fidelity.py)."""
    metric, count = fidelity["metric"], len(fidelity["trials"])
    share = fidelity["seconds"] / fidelity["full_seconds"] if fidelity["full_seconds"] else 0.0
    told = (
        f"{count} trials, from the worst to the best, were trained in full ({fidelity['epochs']} epochs): the rank correlation "
        f"of both figures is {fidelity['correlation']:.2f}. A trial took {share:.0%} of a full training's time."
    )
    x, y = scale(fidelity["compared"], LEFT, RIGHT, log=False), scale(fidelity["full"], BOTTOM, TOP, log=False)
    dots = [
        circle(x(seen), y(full), 4.5, "finished", f"trial {number}: {figure(metric, seen)}, in full {figure(metric, full)}")
        for number, seen, full in zip(fidelity["trials"], fidelity["compared"], fidelity["full"], strict=True)
    ]
    across, up = f"{metric} of the trial", f"{metric} after a full training"
    labels = text(LEFT, 14, up, "label") + text(RIGHT, HEIGHT - 6, across, "label", "end")
    plot = drawing(WIDTH, HEIGHT, f"{metric} of trials and after a full training", axes(x, y) + labels + "".join(dots))
    return {"told": told, "plot": plot}
