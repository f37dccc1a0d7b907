"""The figures by which a model is judged, from the truth and the model's answers; scikit-learn does the counting."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.errors import SpecError

CONFIDENCE = 0.95
RESAMPLES = 1000
ROC_POINTS = 200


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is recognised; 0 where a figure is undefined. `support` counts its test examples."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class RocPoint:
    """One threshold on the second class's probability; the first one, above every score, is written as 1."""

    false_positive_rate: float
    true_positive_rate: float
    threshold: float


@dataclass(frozen=True)
class Figures:
    """Quality on the test split.

    `metrics`: accuracy, macro_f1, log_loss and, for two classes, roc_auc; for a regression mae, rmse (in the target's units)
    and r2. One that is undefined on these examples is left out. `intervals`: 95 % (low, high) of accuracy or mae.
    `confusion[i][j]` counts examples of class i taken for class j. All but the first two are empty for a regression.
    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    classes: tuple[ClassFigures, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    roc: tuple[RocPoint, ...] = ()


def judge_classes(y: np.ndarray, answers: np.ndarray, classes: tuple[str, ...]) -> Figures:
    """Judge class probabilities of shape (examples, classes) against class indices; raises SpecError where they are none."""
    from sklearn import metrics as sk

    probabilities = _as_probabilities(answers)
    guesses = probabilities.argmax(axis=1)
    labels = np.arange(len(classes))
    scores: Any = sk.precision_recall_fscore_support  # its stubs are derived from its defaults
    precision, recall, f1, support = scores(y, guesses, labels=labels, zero_division=0)
    auc, roc = _roc(y, probabilities[:, 1]) if len(classes) == 2 else (math.nan, ())
    accuracy = float(sk.accuracy_score(y, guesses))
    return Figures(
        metrics=_finite(
            accuracy=accuracy, macro_f1=float(np.mean(f1)), log_loss=sk.log_loss(y, probabilities, labels=labels), roc_auc=auc
        ),
        intervals={"accuracy": wilson(int((guesses == y).sum()), len(y))},
        classes=tuple(
            ClassFigures(name, float(p), float(r), float(f), int(n))
            for name, p, r, f, n in zip(classes, precision, recall, f1, support, strict=True)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in sk.confusion_matrix(y, guesses, labels=labels)),
        roc=roc,
    )


def _as_probabilities(answers: np.ndarray) -> np.ndarray:
    """Return the rows scaled to sum to exactly 1; raises SpecError where they are no probabilities at all."""
    sums = answers.sum(axis=1, keepdims=True)
    if answers.min() < 0 or np.abs(sums - 1).max() > 0.01:
        raise SpecError("the model's answers are no class probabilities (from 0, summing to 1); end the network with a softmax")
    return answers / sums


def _roc(y: np.ndarray, scores: np.ndarray) -> tuple[float, tuple[RocPoint, ...]]:
    """Return the area under the curve and at most ROC_POINTS points of it; NaN and none where one class has no example."""
    from sklearn import metrics as sk

    if len(np.unique(y)) < 2:
        return math.nan, ()
    curve = np.stack(sk.roc_curve(y, scores), axis=1)
    curve[0, 2] = 1.0
    kept = np.unique(np.linspace(0, len(curve) - 1, ROC_POINTS).round().astype(int))
    return float(sk.roc_auc_score(y, scores)), tuple(RocPoint(*(float(value) for value in curve[i])) for i in kept)


def judge_regression(y: np.ndarray, answers: np.ndarray) -> Figures:
    """Judge answers of shape (examples, 1) against targets, both in the target's units."""
    from sklearn import metrics as sk

    truth, guesses = y.astype(np.float64), answers[:, 0]
    # R² compares with the truth's spread; without any, scikit-learn answers 0 or 1, which a gate would take for a figure.
    r2 = sk.r2_score(truth, guesses) if np.ptp(truth) > 0 else math.nan
    return Figures(
        metrics=_finite(mae=sk.mean_absolute_error(truth, guesses), rmse=sk.root_mean_squared_error(truth, guesses), r2=r2),
        intervals={"mae": bootstrap(np.abs(truth - guesses))},
    )


def wilson(successes: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    from scipy.stats import binomtest

    low, high = binomtest(successes, total).proportion_ci(CONFIDENCE, method="wilson")
    return float(low), float(high)


def bootstrap(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean over RESAMPLES seeded resamples."""
    rng = np.random.default_rng(0)
    means = [rng.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _finite(**metrics: float) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
