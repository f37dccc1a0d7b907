"""Test accuracy after equal minutes of real training: a search on images beside Keras-Tuner's, on the same cores.

Both have the same space, examples, epochs and time, after which neither begins another trial. Then each trains its winner on
train and validation together as its documentation tells: Tunesmith for as many epochs as a trial may have, over which the
learning rate falls to nothing (`final: {epochs: 20}`), Keras-Tuner's for the epochs that were best. The test split is seen
once, by that model. Every search runs in a fresh process, from whose start the clock runs.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from local_speed import CORES, METRIC, declared
from measure import Measurement, parser, show
from tunesmith.data.dataset import Dataset
from tunesmith.data.prepare import prepare
from tunesmith.engines._engine import Progress
from tunesmith.evaluate import evaluate
from tunesmith.search import search
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import Trial
from tunesmith.train import train

VALIDATION = 0.2


@dataclass(frozen=True)
class Told:
    """What a search is told: the data set's folder, the minutes, epochs of a trial, the seed, and when its process began."""

    side: str
    seed: int
    minutes: float
    epochs: int
    dataset: Path
    folder: Path
    started: float

    @property
    def deadline(self) -> float:
        """When no further trial may begin, in seconds since the epoch."""
        return self.started + 60 * self.minutes


@dataclass(frozen=True)
class Found:
    """What a search came to; `epochs`: of all trials together."""

    test: float
    validation: float
    trials: int
    epochs: int
    parameters: int
    minutes: float


def make_spec(seed: int, epochs: int, minutes: float) -> Spec:
    """Return the search over plain networks, in which halving ends what falls behind."""
    content = {
        "data": {"uri": "images.npz"},
        "space": {"kind": "layers"},
        "strategy": {"name": "auto", "seed": seed},
        "scheduler": {"name": "halving"},
        "evaluation": {"epochs": epochs},
        "budget": {"trials": 100_000, "parallel": CORES, "hours": minutes / 60},
    }
    return parse_spec(content)


class Tally(Progress):
    """Counts the epochs of all trials."""

    epochs = 0

    def ended(self, trial: Trial) -> None:
        self.epochs += int(trial.facts.get("epochs", 0))


def run_ours(told: Told) -> Found:
    """Search and train with Tunesmith."""
    study, model = told.folder / "study", told.folder / "model"
    left, tally = (told.deadline - time.time()) / 60, Tally()
    found = search(make_spec(told.seed, told.epochs, left), study, told.dataset, tally)
    minutes = (time.time() - told.started) / 60
    winner = train(study, told.dataset, model, epochs=told.epochs)
    accuracy = evaluate(model, told.dataset).figures.metrics["accuracy"]
    return Found(accuracy, found.best.metrics[METRIC], found.trials, tally.epochs, winner.parameters, minutes)


class TimeUp(Exception):
    """The minutes are over."""


def run_peer(told: Told, tuner: str) -> Found:
    """Search with one of Keras-Tuner's tuners, then build its best again and train that on all but the test split."""
    import keras_tuner  # pyright: ignore[reportMissingImports]  # only in the environment of the benchmarks

    data, ended = Dataset.load(told.dataset), []
    space: Any = make_spec(told.seed, told.epochs, told.minutes).for_data(data.info).space

    class Network(keras_tuner.HyperModel):
        def build(self, hp: Any) -> Any:
            return space.network(declared(space, hp), data.info).model

        def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            history = model.fit(*args, batch_size=space.realize(declared(space, hp)).batch_size, **kwargs)
            ended.append(len(history.history[METRIC]))
            return history

    class Timed(getattr(keras_tuner, tuner)):
        def on_trial_begin(self, trial: Any) -> None:
            if time.time() > told.deadline:
                raise TimeUp
            super().on_trial_begin(trial)

    limits = {"max_epochs": told.epochs, "hyperband_iterations": 1000} if tuner == "Hyperband" else {"max_trials": 100_000}
    made = Timed(Network(), METRIC, seed=told.seed, directory=told.folder, project_name="peer", **limits)
    x, y = data.split("train")
    settings = {"validation_data": data.split("validation"), "verbose": 0}
    with suppress(TimeUp):
        made.search(x, y, epochs=told.epochs, **settings)
    minutes = (time.time() - told.started) / 60
    best = made.oracle.get_best_trials(1)[0]
    xs, ys = (np.concatenate(parts) for parts in zip((x, y), data.split("validation"), strict=True))
    hp = best.hyperparameters
    model = made.hypermodel.build(hp)
    batch_size = space.realize(declared(space, hp)).batch_size
    model.fit(xs, ys, epochs=_best_epochs(best), batch_size=batch_size, verbose=0)
    x_test, y_test = data.split("test")
    accuracy = float((model.predict(x_test, verbose=0).argmax(1) == y_test).mean())
    return Found(accuracy, best.score, len(ended), sum(ended), model.count_params(), minutes)


def _best_epochs(trial: Any) -> int:
    """Return the epochs after which a trial of Keras-Tuner was best; those of an earlier rung of Hyperband count, too."""
    before = int(trial.hyperparameters.values.get("tuner/initial_epoch", 0))
    return max(trial.best_step + 1, before + 1)


SIDES: dict[str, Callable[[Told], Found]] = {
    "Tunesmith": run_ours,
    "Keras-Tuner Hyperband": partial(run_peer, tuner="Hyperband"),
    "Keras-Tuner BayesianOptimization": partial(run_peer, tuner="BayesianOptimization"),
}


def run_in_child(told: Told) -> Found:
    """Run a search in a fresh process."""
    command = [sys.executable, __file__, "--child", json.dumps(asdict(told), default=str)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{told.side} failed:\n{done.stderr}")
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def serve(told: str) -> None:
    """Be the child: search, and print what was found as the last line."""
    content = json.loads(told)
    asked = Told(**{**content, "dataset": Path(content["dataset"]), "folder": Path(content["folder"])})
    print(json.dumps(asdict(SIDES[asked.side](asked))))


def draw_images(file: Path, images: int, folder: Path) -> Path:
    """Prepare so many images of the file's train part, as many of each class, with its whole test part; returns the folder."""
    with np.load(file) as content:
        x, y, x_test, y_test = (content[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.default_rng(0)
    classes = np.unique(y)
    share = math.ceil(images / len(classes))
    chosen = np.concatenate([rng.permutation(np.flatnonzero(y == each))[:share] for each in classes])
    np.savez(folder / "images.npz", x_train=x[chosen], y_train=y[chosen], x_test=x_test, y_test=y_test)
    data = make_spec(0, 1, 1).file.data
    assert data is not None
    # The share is one of all images, those of the test part included.
    validation = VALIDATION * len(chosen) / (len(chosen) + len(x_test))
    prepare(data.model_copy(update={"uri": str(folder / "images.npz"), "validation": validation}), folder / "dataset")
    return folder / "dataset"


def figures(found: dict[str, list[Found]]) -> Iterator[Measurement]:
    """Yield the figures of all sides."""
    for side, runs in found.items():
        yield Measurement(f"{side}: test accuracy", "%", [100 * run.test for run in runs])
        yield Measurement(f"{side}: best validation accuracy", "%", [100 * run.validation for run in runs])
        yield Measurement(f"{side}: trials", "", [run.trials for run in runs])
        yield Measurement(f"{side}: epochs of all trials", "", [run.epochs for run in runs])
        yield Measurement(f"{side}: parameters of the winner", "", [run.parameters for run in runs])
        yield Measurement(f"{side}: search", "min", [run.minutes for run in runs])


def main() -> None:
    """Measure and print; after every search, so that a long run that is cut short leaves what it has."""
    options = parser(__doc__)
    options.add_argument("--data", type=Path, metavar="DIR", help="folder with fashion_mnist.npz")
    options.add_argument("--images", type=int, default=10_000, help="images that are searched and trained with")
    options.add_argument("--minutes", type=float, default=30, help="of each search")
    options.add_argument("--epochs", type=int, default=20, help="most epochs of a trial")
    options.add_argument("--seeds", type=int, default=1, help="searches of each side")
    options.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES), help="who searches")
    options.add_argument("--child", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        return serve(given.child)
    if given.data is None:
        options.error("--data is needed")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    found: dict[str, list[Found]] = {side: [] for side in given.sides}
    settings = {name: getattr(given, name) for name in ("images", "minutes", "epochs", "seeds")}
    with tempfile.TemporaryDirectory() as folder:
        dataset = draw_images(given.data / "fashion_mnist.npz", given.images, Path(folder))
        for seed in range(given.seeds):
            for side in given.sides:
                own = Path(folder) / f"{side}-{seed}"
                own.mkdir()
                found[side].append(run_in_child(Told(side, seed, given.minutes, given.epochs, dataset, own, time.time())))
                print(f"{side}, seed {seed}: {found[side][-1]}", file=sys.stderr)
    show("Fashion-MNIST, equal time", figures(found), settings, given.json)
    return None


if __name__ == "__main__":
    main()
