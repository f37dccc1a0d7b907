"""Wall-clock of a search on this machine beside Keras-Tuner's Bayesian optimization.

Both have the same space, data, epochs, batch sizes and cores. Each search runs in a fresh process, from whose start the clock
runs, imports included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from measure import Measurement, parser, show
from tunesmith.data.dataset import Dataset
from tunesmith.data.prepare import prepare
from tunesmith.engines._engine import Progress
from tunesmith.search import search
from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogUniform, Value
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import Trial

CORES = 2
METRIC = "val_accuracy"


@dataclass
class Run:
    """One search: seconds since its process' start at each trial's end, each trial's score, its seconds in `fit` and in all."""

    ends: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    fit_seconds: list[float] = field(default_factory=list)
    trial_seconds: list[float] = field(default_factory=list)
    parameters: list[float] = field(default_factory=list)
    seconds: float = 0.0
    workers: int = 1

    @property
    def best(self) -> float:
        """The best validation score."""
        return max(self.scores)

    @property
    def overhead(self) -> float:
        """Seconds a trial that are not spent in `fit`, of all workers together."""
        return (self.workers * self.seconds - sum(self.fit_seconds)) / len(self.scores)

    def seconds_to(self, score: float) -> float | None:
        """Return when a trial first scored as much; None where none did."""
        return next((end for end, reached in zip(self.ends, self.scores, strict=True) if reached >= score), None)


def make_spec(seed: int, trials: int, epochs: int) -> Spec:
    """Return the search of the layers space on digits, every trial with all its epochs."""
    return parse_spec(
        {
            "data": {"uri": "digits"},
            "space": {"kind": "layers"},
            "strategy": {"name": "tpe", "seed": seed},
            "evaluation": {"epochs": epochs},
            "budget": {"trials": trials, "parallel": CORES},
        }
    )


class Clock(Progress):
    """Notes when each trial ends, and what it reached."""

    def __init__(self, started: float) -> None:
        self.started, self.run = started, Run(workers=CORES)

    def ended(self, trial: Trial) -> None:
        self.run.ends.append(time.time() - self.started)
        self.run.scores.append(trial.metrics.get(METRIC, 0.0))
        self.run.fit_seconds.append(trial.facts["fit_seconds"])
        self.run.trial_seconds.append(trial.seconds)
        self.run.parameters.append(trial.facts["parameters"])


def run_ours(spec: Spec, dataset: Path, folder: Path, started: float) -> Run:
    """Search with Tunesmith's local engine."""
    clock = Clock(started)
    search(spec, folder / "study", dataset, clock)
    clock.run.seconds = time.time() - started
    return clock.run


def run_peer(spec: Spec, dataset: Path, folder: Path, started: float) -> Run:
    """Search with Keras-Tuner."""
    import keras_tuner  # pyright: ignore[reportMissingImports]  # only in the environment of `make bench-local`

    run, data, epochs = Run(), Dataset.load(dataset), spec.file.evaluation.epochs
    space: Any = spec.for_data(data.info).space

    class Network(keras_tuner.HyperModel):
        def build(self, hp: Any) -> Any:
            return space.network(declared(space, hp), data.info).model

        def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            batch_size = space.realize(declared(space, hp)).batch_size
            before = time.time()
            history = model.fit(*args, batch_size=batch_size, **kwargs)
            run.ends.append(time.time() - started)
            run.fit_seconds.append(time.time() - before)
            run.scores.append(max(history.history[METRIC]))
            run.parameters.append(model.count_params())
            return history

    tuner = keras_tuner.BayesianOptimization(
        Network(), METRIC, max_trials=spec.file.budget.trials, seed=spec.seed, directory=folder, project_name="peer"
    )
    x, y = data.split("train")
    tuner.search(x, y, validation_data=data.split("validation"), epochs=epochs, verbose=0)
    run.seconds = time.time() - started
    return run


def declared(space: Any, hp: Any) -> dict[str, Value]:
    """Return the peer's candidate: the parameters of our own space, declared as Keras-Tuner's."""
    return space.choose(lambda name, distribution: declare(hp, name, distribution))


def declare(hp: Any, name: str, distribution: Distribution) -> Value:
    """Declare a parameter with Keras-Tuner's words; it knows no normal distribution, so the support is taken evenly."""
    if isinstance(distribution, Choice):
        options = list(distribution.options)
        return hp.Boolean(name) if isinstance(options[0], bool) else hp.Choice(name, options)
    low, high = distribution.quantile(0.0), distribution.quantile(1.0)
    sampling = "log" if isinstance(distribution, LogInt | LogUniform) else "linear"
    return (hp.Int if isinstance(distribution, Int | LogInt) else hp.Float)(name, low, high, sampling=sampling)


SIDES: dict[str, Callable[[Spec, Path, Path, float], Run]] = {"ours": run_ours, "peer": run_peer}


def run_in_child(side: str, seed: int, dataset: Path, given: argparse.Namespace) -> Run:
    """Run one side's search in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        told = json.dumps([side, seed, given.trials, given.epochs, str(dataset), folder, time.time()])
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, "--child", told]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side} failed:\n{done.stderr}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def serve(told: str) -> None:
    """Be the child: search, and print the run as the last line."""
    side, seed, trials, epochs, dataset, folder, started = json.loads(told)
    run = SIDES[side](make_spec(seed, trials, epochs), Path(dataset), Path(folder), started)
    print(json.dumps(asdict(run)))


def compare(ours: list[Run], peers: list[Run]) -> Iterator[Measurement]:
    """Yield the figures of both sides and what they say."""
    pairs = list(zip(ours, peers, strict=True))
    for name, runs in (("Tunesmith", ours), ("Keras-Tuner", peers)):
        yield Measurement(f"{name}: wall-clock", "s", [run.seconds for run in runs])
        yield Measurement(f"{name}: best validation accuracy", "", [run.best for run in runs])
        yield Measurement(f"{name}: overhead a trial (workers x wall-clock - time in fit)", "s", [run.overhead for run in runs])
        yield Measurement(f"{name}: parameters of a network, mean", "", [statistics.mean(run.parameters) for run in runs])
    outside = [all_of - fit for run in ours for all_of, fit in zip(run.trial_seconds, run.fit_seconds, strict=True)]
    yield Measurement("Tunesmith: seconds of a trial outside fit, workers warm", "s", outside)
    yield Measurement("speed-up at equal epochs", "x", [peer.seconds / our.seconds for our, peer in pairs])
    times = [(our.seconds_to(peer.best), peer.seconds_to(peer.best)) for our, peer in pairs]
    reached = [peer / our for our, peer in times if our is not None and peer is not None]
    yield Measurement("share of runs that reach the peer's best score", "", [len(reached) / len(pairs)])
    if reached:
        yield Measurement("speed-up to the peer's best score", "x", reached)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=3, help="searches of each side, with other seeds")
    options.add_argument("--trials", type=int, default=30, help="trials of each search")
    options.add_argument("--epochs", type=int, default=10, help="epochs of each trial")
    options.add_argument("--child", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        return serve(given.child)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    runs: dict[str, list[Run]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        data = make_spec(0, 1, 1).file.data
        assert data is not None
        prepare(data, dataset)
        for seed in range(given.runs):
            # Whatever else the machine does should meet both sides: they take turns at going first.
            for side in sorted(SIDES, reverse=bool(seed % 2)):
                runs[side].append(run_in_child(side, seed, dataset, given))
                print(f"run {seed + 1}, {side}: {runs[side][-1].seconds:.1f} s", file=sys.stderr)
    settings = {"runs": given.runs, "trials": given.trials, "epochs": given.epochs, "workers": CORES}
    show("A search on one machine", compare(runs["ours"], runs["peer"]), settings, given.json)
    return None


if __name__ == "__main__":
    main()
