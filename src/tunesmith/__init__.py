"""Tunesmith designs models automatically: it searches, trains, judges and exports, on one machine or on Kubeflow."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.api import Result, advise, design, minimize
    from tunesmith.distributions import choice, integer, logint, lognormal, loguniform, normal, uniform
    from tunesmith.spaces._training import Training
    from tunesmith.spaces.layers import Layers

__all__ = [
    "Layers",
    "Result",
    "Training",
    "advise",
    "choice",
    "design",
    "integer",
    "logint",
    "lognormal",
    "loguniform",
    "minimize",
    "normal",
    "uniform",
]
__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("minimize", "design", "advise", "Result"), "tunesmith.api"),
    **dict.fromkeys(("uniform", "loguniform", "integer", "logint", "normal", "lognormal", "choice"), "tunesmith.distributions"),
    "Training": "tunesmith.spaces._training",
    "Layers": "tunesmith.spaces.layers",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import tunesmith` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
