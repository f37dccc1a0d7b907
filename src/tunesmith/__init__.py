"""Tunesmith designs models automatically: it searches, trains, judges and exports, on one machine or on Kubeflow."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.api import Result as Result, design as design, minimize as minimize
    from tunesmith.distributions import (
        choice as choice,
        integer as integer,
        logint as logint,
        lognormal as lognormal,
        loguniform as loguniform,
        normal as normal,
        uniform as uniform,
    )
    from tunesmith.evaluation._network import Training as Training

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("minimize", "design", "Result"), "tunesmith.api"),
    **dict.fromkeys(
        ("uniform", "loguniform", "integer", "logint", "normal", "lognormal", "choice"), "tunesmith.distributions"
    ),
    "Training": "tunesmith.evaluation._network",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import tunesmith` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
