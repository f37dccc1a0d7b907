"""How well the strategy's model ranked the trials that came next: a sentence, and a plot over the course of the search."""

from collections.abc import Sequence

from tunesmith.foresight import Foresight
from tunesmith.report._svg import Scale, axes, circle, drawing, line, text

MEANT = (
    "Its model, told of the first trials alone, ranks those that came next: 1 is the right order, 0 chance. They are those it "
    "chose, which are harder to tell apart than any."
)
WIDTH, HEIGHT = 620, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 606, 30, 196


def describe_foresight(foresight: Foresight) -> dict[str, str] | None:
    """Return the sentences and the plot, or why there is none; None where the strategy has no model."""
    if foresight.points:
        return {"told": f"{MEANT}{_sentence(foresight.note)}", "plot": _draw(foresight.points)}
    return {"told": f"Not measured: {foresight.note}.", "plot": ""} if foresight.note else None


def foresight_line(foresight: Foresight) -> str:
    """Return the same in one line, of the points the last."""
    if not foresight.points:
        return f"How well the strategy foresaw was not measured: {foresight.note}." if foresight.note else ""
    told, correlation = foresight.points[-1]
    ranked = f"The strategy's model, told of {told} trials, ranked those that came next with a rank correlation of"
    return f"{ranked} {correlation:.2f}.{_sentence(foresight.note)}"


def _sentence(note: str) -> str:
    return f" {note[0].upper()}{note[1:]}." if note else ""


def _draw(points: Sequence[tuple[int, float]]) -> str:
    x = Scale(0, points[-1][0] + 1, LEFT, RIGHT, whole=True)
    y = Scale(min(0.0, *(value for _, value in points)), 1.0, BOTTOM, TOP)
    places = [(x(told), y(value)) for told, value in points]
    dots = [
        circle(*place, 4, "finished", f"told of {told} trials: {value:.2f}")
        for place, (told, value) in zip(places, points, strict=True)
    ]
    labels = text(LEFT, 14, "rank correlation", "label") + text(RIGHT, HEIGHT - 6, "trials told", "label", "end")
    body = axes(x, y) + labels + line(places, "best-so-far") + "".join(dots)
    return drawing(WIDTH, HEIGHT, "rank correlation of the model's expectations with the trials that came next", body)
