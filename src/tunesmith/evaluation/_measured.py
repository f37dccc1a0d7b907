"""What a network is measured by beside its scores, where the search asks for it: size, multiplications, memory, latency."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.aims import Aims, Objective
from tunesmith.evaluation._costs import multiplications, peak_memory
from tunesmith.evaluation._runtimes import RUNTIMES, latency

if TYPE_CHECKING:
    import keras

COUNTED: dict[str, Callable[["keras.Model"], int]] = {
    "parameters": lambda model: model.count_params(),
    "macs": multiplications,
    "peak_memory": peak_memory,
}
MEASURED = (*COUNTED, *RUNTIMES)


def measured(aims: Aims) -> tuple[str, ...]:
    """Return the metrics asked for that no training reports, but that the trained network can be measured by."""
    return tuple(metric for metric in aims.metrics if metric in MEASURED)


def trained_by(aims: Aims) -> Objective:
    """Return what tells the best epoch: the first metric that a training reports, of the objectives, then the constraints."""
    for objective in aims.objectives:
        if objective.metric not in MEASURED:
            return objective
    for constraint in aims.constraints:
        if constraint.metric not in MEASURED:
            return Objective(constraint.metric, "minimize" if constraint.relation == "<=" else "maximize")
    return Objective("val_loss", "minimize")


def network_metrics(model: "keras.Model", examples: Any, names: Sequence[str]) -> dict[str, float]:
    """Return the metrics `names` of a network; a latency is the median for the first of `examples`, a tensor."""
    example = np.asarray(examples[:1])
    return {name: float(COUNTED[name](model)) if name in COUNTED else latency(model, example, name).median_ms for name in names}
