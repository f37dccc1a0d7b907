"""Regret against trials as a figure; needs matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quality.baseline import Yardstick
from quality.cells import Cell, Key
from quality.scores import FLOOR
from quality.searchers import OURS


def curves(
    cells: Mapping[Key, Cell], yardsticks: Mapping[str, Yardstick], who: tuple[Sequence[str], Sequence[str]], batch: int
) -> dict[str, np.ndarray]:
    """Return by searcher the geometric mean of regret after each trial, shape (trials,); `who`: searchers, problems.

    Regret is scaled by random search's median at the end, so that one scale holds from the first trial to the last.
    """
    searchers, problems = who
    found: dict[str, np.ndarray] = {}
    for searcher in searchers:
        logs = []
        for problem in problems:
            own = [cell for cell in cells.values() if (cell.problem, cell.searcher, cell.batch) == (problem, searcher, batch)]
            trials = min(len(cell.curve) for cell in own)
            yardstick = yardsticks[problem]
            span = yardstick.medians[max(yardstick.medians)] - yardstick.best
            losses = np.minimum(np.array([cell.curve[:trials] for cell in own]), yardstick.worst)
            if span > 0:
                logs.append(np.log(np.maximum(np.median((losses - yardstick.best) / span, axis=0), FLOOR)))
        found[searcher] = np.exp(np.mean(logs, axis=0))
    return found


def save(found: Mapping[str, np.ndarray], title: str, file: Path) -> None:
    """Draw; the file's ending decides its form. Raises SystemExit where matplotlib is not installed."""
    try:
        from matplotlib import pyplot  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise SystemExit("--save-plot needs matplotlib, which is not installed") from None
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    axes.set_prop_cycle(color=[pyplot.get_cmap("tab20")(place) for place in range(20)])
    for name, values in sorted(found.items(), key=lambda pair: pair[1][-1]):
        ours = name.startswith(OURS)
        axes.plot(
            np.arange(1, len(values) + 1), values, label=name, linewidth=2.2 if ours else 1.0, linestyle="-" if ours else "--"
        )
    axes.set(yscale="log", xlabel="trials", ylabel="regret (1: random search's median at the end)", title=title)
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
    figure.savefig(file)
    pyplot.close(figure)
