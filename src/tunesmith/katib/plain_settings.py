"""Algorithm settings of plain Katib experiments: a strategy's own, and those of Katib's services that mean the same."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.katib.plan import OF_THE_SERVICE
from tunesmith.registry import configure, did_you_mean, load
from tunesmith.strategies._strategy import Strategy

SEED = "seed"
# Katib 0.19's names for a setting of ours, where a strategy has it: of Optuna and goptuna (n_startup_trials, n_ei_candidates),
# Hyperopt (n_EI_candidates), scikit-optimize (n_initial_points), and of all of them (random_state).
FOREIGN = {
    "random_state": SEED,
    "n_startup_trials": "startup",
    "n_initial_points": "startup",
    "n_ei_candidates": "draws",
    "n_EI_candidates": "draws",
}
# Of theirs that ours cannot change, with the value that it has.
FIXED: Mapping[str, Mapping[str, float | str]] = {
    "cmaes": {"restart_strategy": "none"},
    "gp": {"base_estimator": "GP", "acq_func": "EI"},
    "tpe": {"prior_weight": 1.0},
}


def read_settings(name: str, settings: Mapping[str, str]) -> tuple[Strategy, int]:
    """Return the strategy `name` with its settings, and the seed; raises SpecError with the settings that are allowed."""
    cls = load("tunesmith.strategies", name, Strategy)
    ours = [SEED, *(field.name for field in dataclasses.fields(cls))]
    given: dict[str, str] = {}
    called: dict[str, str] = {}
    for key, value in settings.items():
        if key in OF_THE_SERVICE or _is_fixed(name, key, value):
            continue
        known = key if key in ours else FOREIGN.get(key, "")
        if known not in ours:
            raise SpecError(f"algorithmSettings.{key}: unknown key; {_allowed(ours)}{did_you_mean(key, ours)}")
        if known in given:
            raise SpecError(f"algorithmSettings.{key}: says the same as {called[known]}; leave one of them out")
        given[known], called[known] = _converted(known, value), key
    seed = _read_seed(given.pop(SEED, "0"), called.get(SEED, SEED))
    return _configured(cls, given, called), seed


def _allowed(ours: list[str]) -> str:
    theirs = [key for key, known in FOREIGN.items() if known in ours]
    return f"allowed: {', '.join(ours)}, and as Katib's names for them: {', '.join(theirs)}"


def _is_fixed(name: str, key: str, value: str) -> bool:
    if key not in FIXED.get(name, {}):
        return False
    fixed = FIXED[name][key]
    if not _same(value, fixed):
        always = fixed if isinstance(fixed, str) else f"{fixed:g}"
        raise SpecError(f"algorithmSettings.{key}: got {value!r}; it is always {always} here, leave it out")
    return True


def _same(text: str, fixed: float | str) -> bool:
    if isinstance(fixed, str):
        return text == fixed
    try:
        return float(text) == fixed
    except ValueError:
        return False


def _converted(known: str, value: str) -> str:
    # Katib's services take 0 for no random trials; without any trial to learn from, the first one is random anyway.
    return "1" if known == "startup" and value.strip() == "0" else value


def _read_seed(text: str, key: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise SpecError(f"algorithmSettings.{key}: got {text[:80]!r}; needs a whole number from 0")
    return int(text)


def _configured(cls: type[Strategy], given: Mapping[str, Any], called: Mapping[str, str]) -> Strategy:
    """Make the strategy; errors name a setting as the user called it."""
    try:
        return configure(cls, given, "algorithmSettings", texts=True)
    except SpecError as error:
        text = str(error)
        for known, key in called.items():
            text = text.replace(f"algorithmSettings.{known}:", f"algorithmSettings.{key}:")
        raise SpecError(text) from None
