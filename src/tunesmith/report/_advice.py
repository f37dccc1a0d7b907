"""The section on what to do next: importance as bars, what to narrow, widen or fix, and what more trials would bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.advice.display import better, verdict
from tunesmith.report._format import count, duration, number, shortened
from tunesmith.report._svg import drawing, text

MOST_BARS, MOST_MOVES, LABEL, WORDS, BLOCKS = 12, 20, 26, 300, 20
WIDTH, LEFT, RIGHT, ROW, TOP = 620, 176, 540, 24, 34


@dataclass(frozen=True)
class Bar:
    """A key's share of all importance, as per cent and as a bar of text."""

    key: str
    percent: str
    blocks: str


@dataclass(frozen=True)
class Section:
    """The section's parts, each empty where nothing can be told; `notes` say why."""

    bars: str
    shares: list[Bar]
    moves: list[dict[str, str]]
    kept: str
    metrics: str
    verdict: str
    better: str
    gains: list[tuple[str, str, str, str]]
    notes: list[str]


def describe_advice(advice: Mapping[str, Any]) -> Section:
    """Return what the template shows of `Advice.to_json()`."""
    moves = advice.get("moves") or []
    more = advice.get("more_trials") or {}
    metrics = [objective["metric"] for objective in advice.get("objectives") or ()]
    kept = [shortened(move["key"], LABEL) for move in moves if move["action"] == "keep"]
    return Section(
        bars=draw_importance(advice.get("importance") or {}),
        shares=[
            _bar(name, found["overall"]["share"]) for name, found in list((advice.get("importance") or {}).items())[:MOST_BARS]
        ],
        moves=[_move(move) for move in moves if move["action"] != "keep"][:MOST_MOVES],
        kept=", ".join(kept[:MOST_MOVES]) + (f" and {len(kept) - MOST_MOVES} more" if len(kept) > MOST_MOVES else ""),
        metrics=" and ".join(metrics),
        verdict=verdict(more["verdict"], metrics) if more else "",
        better=better(metrics),
        gains=_gains(more),
        notes=[shortened(note, WORDS) for note in advice.get("notes") or ()],
    )


def _bar(name: str, share: float) -> Bar:
    return Bar(shortened(name, LABEL * 2), f"{100 * share:.0f} %", "█" * round(BLOCKS * share))


def draw_importance(importance: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a bar for every parameter's share, the most important first, with a mark at what chance explains."""
    shown = list(importance.items())[:MOST_BARS]
    if not shown:
        return ""
    halves = any(found.get("better") for _, found in shown)
    largest = max(share["share"] for _, found in shown for share in (found["overall"], found.get("better")) if share) or 1.0
    chance = min(shown[0][1]["overall"]["chance"], largest)
    rows = [_row(place, name, found, (RIGHT - LEFT) / largest) for place, (name, found) in enumerate(shown)]
    bottom = TOP + ROW * len(shown)
    at = LEFT + chance * (RIGHT - LEFT) / largest
    key = [_box(LEFT, 6, 10, 9, "share"), text(LEFT + 15, 15, "all trials", "tick")]
    key += [_box(LEFT + 82, 6, 10, 9, "half"), text(LEFT + 97, 15, "better half", "tick")] if halves else []
    mark = f'<path class="chance" d="M{at:g},{TOP - 4}V{bottom}"/>'
    key.append(
        f'<path class="chance" d="M{LEFT + 176},11h18"/>' + text(LEFT + 199, 15, "what chance explains (all trials)", "tick")
    )
    return drawing(WIDTH, bottom + 6, "importance of each parameter", "".join([*key, mark, *rows]), "chart importance")


def _row(place: int, name: str, found: Mapping[str, Any], scale: float) -> str:
    y = TOP + ROW * place
    overall, better = found["overall"], found.get("better")
    label = "" if found["real"] else " weak"
    parts = [text(LEFT - 8, y + 14, shortened(name, LABEL), f"name{label}", "end")]
    parts.append(_box(LEFT, y + 3, overall["share"] * scale, 9, f"share{label}"))
    if better:
        parts.append(_box(LEFT, y + 13, better["share"] * scale, 5, f"half{label}"))
    end = LEFT + max(overall["share"], better["share"] if better else 0.0) * scale
    shares = " · ".join(f"{100 * share['share']:.0f} %" for share in (overall, better) if share)
    parts.append(text(end + 6, y + 14, shares, "tick"))
    return "".join(parts)


def _box(x: float, y: float, width: float, height: float, classes: str) -> str:
    return f'<rect class="{classes}" x="{x:g}" y="{y:g}" width="{max(width, 1):.4g}" height="{height:g}" rx="2"/>'


def _move(move: Mapping[str, Any]) -> dict[str, str]:
    return {
        "key": shortened(move["key"], LABEL * 2),
        "action": str(move["action"]),
        "before": shortened(_distribution(move["before"]), WORDS // 3),
        "after": shortened(_distribution(move["after"], move["action"] == "fix"), WORDS // 3),
        "reason": shortened(move["reason"], WORDS),
    }


def _distribution(form: Mapping[str, Any], fixed: bool = False) -> str:
    """Return a distribution in short: `loguniform 0.001 to 0.1`, `adam, sgd`; a fixed one is its value."""
    kind, body = next(iter(form.items()))
    if kind == "choice":
        return _value(body[0]) if fixed else ", ".join(map(_value, body))
    first, second = map(_value, body)
    if kind in ("normal", "lognormal"):
        return f"{kind} {first} ± {second}"
    return f"{kind} {first} to {second}" + (f", step {_value(form['step'])}" if "step" in form else "")


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else number(value)


def _gains(more: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return (in the next, chance of a better trial, expected gain, 80 % interval)."""
    forecasts = [(_trials(forecast), forecast) for forecast in [more.get("next_trial"), *more.get("forecasts", [])] if forecast]
    for rate in more.get("rates", []):
        name = {"hour": "hour", "gpu_hour": "GPU-hour"}.get(rate["unit"], str(rate["unit"]))
        took = duration(rate["seconds_per_trial"])
        reach = f", its first {_trials(rate['forecast'])} alone" if rate["cut"] else ""
        forecasts.append((f"{name} ({took} a trial{reach})", rate["forecast"]))
    return [
        (name, f"{100 * found['chance']:.0f} %", _short(found["gain"]), f"{_short(found['low'])} to {_short(found['high'])}")
        for name, found in dict(forecasts).items()
    ]


def _short(gain: float) -> str:
    """Return a gain with two digits: a forecast has no more."""
    return number(float(f"{gain:.2g}"))


def _trials(forecast: Mapping[str, Any]) -> str:
    return "trial" if forecast["trials"] == 1 else f"{count(round(forecast['trials']))} trials"
