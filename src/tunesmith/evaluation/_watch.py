"""Watches a training: reports every epoch, keeps the best epoch's weights, ends it when it is to end."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TrialFailed, TrialStopped
from tunesmith.evaluation._context import Report
from tunesmith.study import Objective

if TYPE_CHECKING:
    import keras

Metrics = dict[str, float]
IN_TARGET_UNITS = ("mae", "mean_absolute_error", "rmse", "root_mean_squared_error")


@dataclass
class Watch:
    """Follows `model` through `fit`; `scale` turns errors on the standardised target into its own units.

    A training is ended through `model.stop_training`, so that `fit` returns as it always does; why is in `ending`.
    """

    model: "keras.Model"
    objective: Objective
    report: Report
    patience: int | None = None
    scale: float = 1.0
    epochs: int = 0
    best_epoch: int = 0
    best: Metrics = field(default_factory=dict)
    ending: TrialStopped | TrialFailed | None = None
    _weights: list[Any] = field(default_factory=list)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the metrics of an epoch, counted from 0."""
        metrics = self.in_units(logs or {})
        self.epochs = epoch + 1
        self._check(metrics)
        if self.ending is None and self._improves(metrics):
            self.best_epoch, self.best = self.epochs, metrics
            self._weights = self.model.get_weights()
        if self.ending is None:
            self._tell(metrics)
        out_of_patience = self.patience is not None and self.epochs - self.best_epoch >= self.patience
        if self.ending is not None or out_of_patience:
            self.model.stop_training = True

    def restore(self) -> None:
        """Give the model the best epoch's weights."""
        if self.epochs != self.best_epoch:
            self.model.set_weights(self._weights)

    def in_units(self, logs: dict[str, Any]) -> Metrics:
        """Return Keras' metrics as floats, errors in the target's units."""
        return {
            name: float(value) * (self.scale if name.removeprefix("val_") in IN_TARGET_UNITS else 1.0)
            for name, value in logs.items()
        }

    def _check(self, metrics: Metrics) -> None:
        loss = metrics.get("loss", math.nan)
        if not math.isfinite(loss):
            name = "NaN" if math.isnan(loss) else "infinite"
            self.ending = TrialFailed(f"loss became {name} in epoch {self.epochs}")
        elif self.objective.metric not in metrics:
            known = ", ".join(sorted(metrics))
            self.ending = TrialFailed(f"the training reports no metric {self.objective.metric!r}; it reports: {known}")

    def _tell(self, metrics: Metrics) -> None:
        try:
            self.report(self.epochs, metrics)
        except TrialStopped as stopped:
            self.ending = stopped

    def _improves(self, metrics: Metrics) -> bool:
        return not self.best or self._rank(metrics) < self._rank(self.best)

    def _rank(self, metrics: Metrics) -> tuple[float, float]:
        """Smaller is better: by the objective, then by the validation loss; what is not finite comes last."""
        value = self.objective.loss(metrics[self.objective.metric])
        tie = metrics.get("val_loss", math.inf)
        return value if math.isfinite(value) else math.inf, tie if math.isfinite(tie) else math.inf
