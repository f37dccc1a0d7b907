"""What a network is measured by beside its scores, where the search asks for it: size, multiplications, memory, latency."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.errors import SpecError
from tunesmith.evaluation._costs import multiplications, peak_memory
from tunesmith.evaluation._runtimes import RUNTIMES, latency
from tunesmith.registry import did_you_mean
from tunesmith.spaces._architecture import TASK_METRICS

if TYPE_CHECKING:
    import keras

COUNTED: dict[str, Callable[["keras.Model"], int]] = {
    "parameters": lambda model: model.count_params(),
    "macs": multiplications,
    "peak_memory": peak_memory,
}
MEASURED = (*COUNTED, *RUNTIMES)


def reported(task: str | None = None) -> tuple[str, ...]:
    """Return what the training of a network reports that Tunesmith has compiled; for either task where none is given."""
    of_task = [TASK_METRICS[task]] if task else list(TASK_METRICS.values())
    return tuple(f"{split}{name}" for split in ("val_", "") for name in (*of_task, "loss"))


def check_metrics(objectives: Sequence[Objective], constraints: Sequence[Constraint], task: str | None = None) -> None:
    """Raise SpecError for a metric that neither the training of such a network reports nor the network is measured by."""
    allowed = [*reported(task), *MEASURED]
    named = {f"objectives.{place}.metric": objective.metric for place, objective in enumerate(objectives)}
    named |= {f"constraints.{place}": constraint.metric for place, constraint in enumerate(constraints)}
    for place, metric in named.items():
        if metric not in allowed:
            whose = f"the training of a {task}" if task else "a training"
            raise SpecError(
                f"{place}: {metric!r} is no metric of {whose}; allowed: {', '.join(allowed)}{did_you_mean(metric, allowed)}"
            )


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
