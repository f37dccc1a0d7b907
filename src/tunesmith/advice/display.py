"""Advice as a person reads it on a terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tunesmith.advice._gain import Forecast
from tunesmith.advice._intervals import wording
from tunesmith.advice._moves import Move
from tunesmith.advice._payoff import Payoff
from tunesmith.advice.advise import Advice

BAR, MOST_BARS = 20, 15
WORDS = {
    "likely": "More trials are likely to pay.",
    "unclear": "Whether more trials pay is unclear.",
    "unlikely": "More trials are unlikely to pay.",
}
VOLUME = " Gains are the front's hypervolume; 1 is the box from the worst values so far to the best."


def print_advice(advice: Advice, folder: Path, console: Console) -> None:
    """Print the advice; `folder` is named in the command that follows from it."""
    metrics = [objective.metric for objective in advice.objectives]
    metric = f"a {metrics[0]}" if len(metrics) == 1 else " and ".join(metrics)
    what = "best" if len(advice.objectives) == 1 else "at the knee of the front"
    best = (
        f"; {what} {advice.objective.metric} {wording(advice.value)} (trial {advice.best})" if advice.value is not None else ""
    )
    console.print(f"{advice.trials} trials, {advice.finished} with {metric}{best}", highlight=False)
    for note in advice.notes:
        console.print(note, style="yellow", highlight=False)
    if advice.importance:
        console.print(_importance(advice))
        _print_moves(advice.moves, console)
    if advice.payoff:
        _print_payoff(advice.payoff, verdict(advice.payoff.verdict, metrics), better(metrics), console)
    if any(move.action != "keep" for move in advice.moves):
        console.print(f"tunesmith space refine {folder} --output next.yaml  writes the search file for it", highlight=False)


def _importance(advice: Advice) -> Table:
    shown = list(advice.importance.items())[:MOST_BARS]
    halves = any(found.better for _, found in shown)
    table = Table("parameter", "importance", "", "by chance", box=SIMPLE)
    for title in ("better half", "by chance") if halves else ():
        table.add_column(title)
    largest = max((found.overall.share for _, found in shown), default=0.0) or 1.0
    for name, found in shown:
        bar = Text("█" * round(BAR * found.overall.share / largest) or "▏", style="blue" if found.real else "dim")
        shares = [
            text
            for share in (found.overall, found.better)
            if share
            for text in (f"{share.share:.1%}", f"to {share.chance:.1%}")
        ]
        table.add_row(name, bar, *shares)
    return table


def _print_moves(moves: Sequence[Move], console: Console) -> None:
    for move in moves:
        if move.action != "keep":
            words = f"{move.key.distribution.describe()} → {change(move)}"
            console.print(Text.assemble((f"{move.action} {move.key.name}", "bold"), f"  {words}"))
            console.print(Padding(Text(move.reason, style="dim"), (0, 0, 0, 4)))
    kept = [move for move in moves if move.action == "keep"]
    for move in kept:
        console.print(Text.assemble((f"keep {move.key.name}", "bold dim"), (f"  {move.reason}", "dim")))
    console.print()


def change(move: Move) -> str:
    """Return what a key is changed to, in the words of the search file; a fixed value is just that."""
    return wording(move.after.value_at(0)) if move.after.size == 1 else move.after.describe()


def verdict(found: str, metrics: Sequence[str]) -> str:
    """Return in words whether more trials pay; of several metrics, by what."""
    return WORDS[found] + (VOLUME if len(metrics) > 1 else "")


def better(metrics: Sequence[str]) -> str:
    """Return in words what a trial has to be for a gain."""
    return "a better one" if len(metrics) == 1 else "one on the front"


def _print_payoff(payoff: Payoff, said: str, wanted: str, console: Console) -> None:
    console.print(Text(said, style="bold"))
    table = Table("in the next", wanted, "expected gain", "80 % interval", box=SIMPLE)
    for name, forecast in horizon_rows(payoff):
        table.add_row(name, *figures(forecast))
    console.print(table)


def horizon_rows(payoff: Payoff) -> list[tuple[str, Forecast]]:
    """Return (how long, what it brings) for one trial, for more of them, and for an hour."""
    rows = [("trial", payoff.next_trial)]
    rows += [(f"{forecast.trials:.0f} trials", forecast) for forecast in payoff.forecasts if forecast.trials > 1]
    for rate in payoff.rates:
        name = {"hour": "hour", "gpu_hour": "GPU-hour"}[rate.unit]
        trials = f"{rate.forecast.trials:.3g} trials"
        rows.append((f"{name} (its first {trials})" if rate.cut else f"{name} ({trials})", rate.forecast))
    return rows


def figures(forecast: Forecast) -> tuple[str, str, str]:
    """Return chance, expected gain and interval as texts."""
    return f"{forecast.chance:.0%}", f"{forecast.gain:.3g}", f"{forecast.low:.3g} to {forecast.high:.3g}"
