"""The results as tables on the terminal."""

import math
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from quality.cells import Cell
from quality.problem import GROUPS, Problem
from quality.scores import Scores
from quality.speed import Speed

WIDTH = 148


def show(scores: dict[int, Scores], problems: Sequence[Problem], cells: Sequence[Cell], batch: int) -> None:
    """Print the summary, the problems one by one and what went wrong."""
    console = Console(width=WIDTH)
    console.print(_summary(scores, problems, cells, batch))
    console.print(_duels(scores))
    console.print(_by_problem(scores))
    gone = Counter((cell.searcher, cell.problem, cell.trouble) for cell in cells if cell.trouble)
    for (searcher, problem, trouble), times in gone.items():
        console.print(f"{searcher} gave up on {problem} ({times} of its runs): {trouble}", markup=False)


def show_speed(found: Sequence[Speed], limit: float) -> None:
    """Print CPU milliseconds a proposal."""
    past = sorted({one.past for one in found})
    table = _table("CPU ms a proposal after so many trials of ten mixed parameters, telling its result included", "")
    table.add_column("")
    for batch in (1, 8):
        for count in past:
            table.add_column(f"{count}, {batch} at a time", justify="right")
    for name in dict.fromkeys(one.searcher for one in found):
        own = {(one.batch, one.past): one.seconds for one in found if one.searcher == name}
        shown = [own[batch, count] for batch in (1, 8) for count in past]
        table.add_row(name, *(f"{1000 * value:.3g}" if math.isfinite(value) else f"none in {limit:g} s" for value in shown))
    Console(width=WIDTH).print(table)


def _summary(scores: dict[int, Scores], problems: Sequence[Problem], cells: Sequence[Cell], batch: int) -> Table:
    last = scores[max(scores)]
    table = _table(
        f"Regret after {'/'.join(map(str, scores))} trials, {batch} at a time: geometric mean over {len(last.problems)} "
        f"problems of the median of {last.regrets.shape[2]} seeds, at least 0.01",
        "0: best known; 1: random search's median after as many trials. Ranks: among itself and the peers, over problems × "
        "seeds, and over problems by their medians.",
    )
    table.add_column("")
    for heading in [*map(str, scores), *(f"{group[:7]}. @{max(scores)}" for group in GROUPS[:1]), f"others @{max(scores)}"]:
        table.add_column(heading, justify="right")
    for heading in ("ranks", "ranks of medians", "CPU ms/trial"):
        table.add_column(heading, justify="right")
    group = {problem.name: problem.group for problem in problems}
    for index in _order(last):
        name = last.searchers[index]
        halves = [last.mean(lambda p: group[p] == GROUPS[0])[index], last.mean(lambda p: group[p] != GROUPS[0])[index]]
        means = [f"{value:.3f}" for value in [*(item.mean()[index] for item in scores.values()), *halves]]
        ranks = "/".join(f"{item.ranks()[index]:.1f}" for item in scores.values())
        medians = "/".join(f"{item.median_ranks()[index]:.1f}" for item in scores.values())
        spent = [cell.cpu / len(cell.curve) for cell in cells if cell.searcher == name]
        table.add_row(name, *means, ranks, medians, f"{1000 * sum(spent) / len(spent):.1f}")
    return table


def _order(scores: Scores) -> list[int]:
    """Return the searchers' places, the best one first."""
    means = scores.mean()
    return sorted(range(len(scores.searchers)), key=lambda index: means[index])


def _duels(scores: dict[int, Scores]) -> Table:
    """The paired tests; the rival is the best peer (for that one the second best) at that budget."""
    table = _table(
        "Against the best peer", "p of Wilcoxon's signed-rank test over all pairs of problem and seed; wins - losses"
    )
    for heading in ("", *(f"after {trials}" for trials in scores)):
        table.add_column(heading)
    for index in _order(scores[max(scores)]):
        name = scores[max(scores)].searchers[index]
        duels = [item.duel(name) for item in scores.values()]
        table.add_row(name, *(f"{d.other}: {d.wins}-{d.losses}, p={d.p:.1g}" if d else "no peer" for d in duels))
    return table


def _by_problem(scores: dict[int, Scores]) -> Table:
    last = scores[max(scores)]
    table = _table(f"Problems one by one: median regret after {'/'.join(map(str, scores))} trials", "")
    table.add_column("")
    for index in _order(last):
        table.add_column(last.searchers[index].replace(" ", "\n", 1), justify="right")
    medians = [item.by_problem() for item in scores.values()]
    for column, problem in enumerate(last.problems):
        table.add_row(problem, *("/".join(f"{each[index, column]:.2f}" for each in medians) for index in _order(last)))
    return table


def _table(title: str, caption: str) -> Table:
    return Table(title=title, title_justify="left", caption=caption, caption_justify="left", show_lines=False)
