"""The plot of how well the strategy's model ranked the trials that came next."""

from collections.abc import Sequence

from tunesmith.report._svg import Scale, axes, circle, drawing, line, text

WIDTH, HEIGHT = 620, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 606, 30, 196


def draw_foresight(foresight: Sequence[tuple[int, float]]) -> str:
    """Return the plot of rank correlations by the number of trials told; nothing where there are none."""
    if not foresight:
        return ""
    x = Scale(0, foresight[-1][0] + 1, LEFT, RIGHT, whole=True)
    y = Scale(min(0.0, *(value for _, value in foresight)), 1.0, BOTTOM, TOP)
    points = [(x(told), y(value)) for told, value in foresight]
    dots = [
        circle(*point, 4, "finished", f"told of {told} trials: {value:.2f}")
        for point, (told, value) in zip(points, foresight, strict=True)
    ]
    labels = text(LEFT, 14, "rank correlation", "label") + text(RIGHT, HEIGHT - 6, "trials told", "label", "end")
    body = axes(x, y) + labels + line(points, "best-so-far") + "".join(dots)
    return drawing(WIDTH, HEIGHT, "rank correlation of the model's expectations with the trials that came next", body)
