"""Test accuracy on handwritten digits: a search, the winner trained anew and judged, beside a tuned support vector machine."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from measure import Measurement, parser, show
from tunesmith.data.dataset import Dataset
from tunesmith.data.prepare import prepare
from tunesmith.evaluate import evaluate
from tunesmith.progress import ConsoleProgress
from tunesmith.quiet import import_keras
from tunesmith.search import search
from tunesmith.spec import Spec, parse_spec
from tunesmith.train import train

GRID = {"svc__C": [1, 10, 100], "svc__gamma": ["scale", 0.01, 0.1]}


@dataclass(frozen=True)
class Split:
    """What one split of the data gave: accuracies on its test part, and the whole chain's seconds."""

    ours: float
    peer: float
    seconds: float


def make_spec(seed: int, trials: int, epochs: int) -> Spec:
    """Return the search of the layers space on digits; the seed decides the stratified split and the search."""
    return parse_spec(
        {
            "data": {"uri": "digits", "test": 0.2, "validation": 0.2, "seed": seed},
            "space": {"kind": "layers"},
            "strategy": {"name": "tpe", "seed": seed},
            "evaluation": {"epochs": epochs, "early_stopping": {"patience": 5}},
            "budget": {"trials": trials, "parallel": 2},
        }
    )


def run_split(spec: Spec, folder: Path, console: Console) -> Split:
    """Run the chain and the peer on one split."""
    assert spec.file.data is not None
    started = time.perf_counter()
    import_keras()
    prepare(spec.file.data, folder / "dataset")
    search(spec, folder / "study", folder / "dataset", ConsoleProgress(console))
    train(folder / "study", folder / "dataset", folder / "model", refit=True)
    accuracy = evaluate(folder / "model", folder / "dataset").figures.metrics["accuracy"]
    seconds = time.perf_counter() - started
    return Split(accuracy, machine_accuracy(Dataset.load(folder / "dataset")), seconds)


def machine_accuracy(dataset: Dataset) -> float:
    """Return the test accuracy of an RBF support vector machine, its C and gamma chosen by cross-validation."""
    (x, y), (more_x, more_y), (test_x, test_y) = (dataset.split(name) for name in ("train", "validation", "test"))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    grid = GridSearchCV(make_pipeline(MinMaxScaler(), SVC(kernel="rbf")), GRID, cv=folds)
    grid.fit(flat(np.concatenate([x, more_x])), np.concatenate([y, more_y]))
    return float(np.mean(grid.predict(flat(test_x)) == test_y))


def flat(images: np.ndarray) -> np.ndarray:
    """Return images of shape (n, h, w, c) as vectors."""
    return images.reshape(len(images), -1)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--splits", type=int, default=5, help="seeded stratified splits into 80 %% and 20 %%")
    options.add_argument("--trials", type=int, default=30, help="trials of each search")
    options.add_argument("--epochs", type=int, default=20, help="greatest number of epochs of a trial")
    given = options.parse_args()
    console = Console(stderr=True)
    splits = []
    for seed in range(given.splits):
        console.print(f"split {seed + 1} of {given.splits}")
        with tempfile.TemporaryDirectory() as folder:
            splits.append(run_split(make_spec(seed, given.trials, given.epochs), Path(folder), console))
    figures = [
        Measurement("test accuracy, Tunesmith, mean", "", [float(np.mean([split.ours for split in splits]))]),
        Measurement("test accuracy, RBF SVM, mean", "", [float(np.mean([split.peer for split in splits]))]),
        Measurement("test accuracy, Tunesmith", "", [split.ours for split in splits]),
        Measurement("test accuracy, RBF SVM", "", [split.peer for split in splits]),
        Measurement("prepare, search, train, judge", "s", [split.seconds for split in splits]),
    ]
    settings = {"splits": given.splits, "trials": given.trials, "epochs": given.epochs, "workers": 2}
    show("Accuracy on digits", figures, settings, given.json)


if __name__ == "__main__":
    main()
