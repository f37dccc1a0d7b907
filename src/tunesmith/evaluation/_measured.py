"""What a network is measured by beside its scores, where the search asks for it: its parameters, and the time of one answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.aims import Aims, Objective
from tunesmith.latency import Latency, measure

if TYPE_CHECKING:
    import keras

PARAMETERS, LATENCY = "parameters", "latency_ms"
MEASURED = (PARAMETERS, LATENCY)


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
    """Return the metrics `names` of a network; its latency is the median for the first of `examples`, a tensor."""
    metrics = {}
    if PARAMETERS in names:
        metrics[PARAMETERS] = float(model.count_params())
    if LATENCY in names:
        metrics[LATENCY] = latency(model, np.asarray(examples[:1])).median_ms
    return metrics


def latency(model: "keras.Model", example: np.ndarray) -> Latency:
    """Return how long the network takes to answer a batch of one example."""
    import tensorflow as tf

    serve = tf.function(lambda batch: model(batch, training=False))
    tensor = tf.convert_to_tensor(np.asarray(example), dtype=model.inputs[0].dtype)
    return measure(lambda: np.asarray(serve(tensor)))
