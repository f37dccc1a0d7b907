"""What the engine costs beside the evaluations: no-op trials, resuming, memory, start-up."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from measure import Measurement, parser, show
from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.inline import Inline
from tunesmith.engines.local import Local
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.record import Record
from tunesmith.registry import build
from tunesmith.spaces._space import Candidate
from tunesmith.spec import build_space
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Objective, Proposal, State, StudyView, Trial, trial_seed

SPACE = build_space(
    {
        "kind": "parameters",
        "parameters": {
            "learning_rate": {"loguniform": [1e-4, 1e-1]},
            "dropout": {"uniform": [0, 0.9]},
            "units": {"logint": [16, 512]},
            "layers": {"int": [1, 8]},
            "activation": {"choice": ["relu", "gelu", "tanh"]},
            "optimizer": {"choice": {"sgd": {"momentum": {"uniform": [0, 1]}}, "adam": {}}},
        },
    }
)
OBJECTIVE = Objective("loss")


class NoOp(Evaluator):
    """Answers at once, with a figure that the candidate decides."""

    def evaluate(self, candidate: Candidate, context: Context) -> dict[str, float]:
        return {"loss": loss(candidate)}


def loss(candidate: Candidate) -> float:
    """Return some figure of a candidate."""
    values: dict[str, Any] = dict(candidate)
    return values["dropout"] + values["units"] / 512


@dataclass(frozen=True)
class FirstProposal(Strategy):
    """Another strategy, with the time at which it first answered."""

    inner: Strategy
    times: list[float] = field(default_factory=list)

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        proposals = self.inner.propose(study, count)
        self.times.append(time.perf_counter())
        return proposals


class Memory(Progress):
    """Notes this process' resident memory, in MiB, when so many trials have ended."""

    def __init__(self, at: tuple[int, ...]) -> None:
        self.at, self.count = at, 0
        self.found: dict[int, float] = {}

    def ended(self, trial: Trial) -> None:
        self.count += 1
        if self.count in self.at:
            self.found[self.count] = psutil.Process().memory_info().rss / 2**20


def strategy(name: str) -> Strategy:
    """Return a strategy with its default settings."""
    return build("tunesmith.strategies", name, Strategy, {}, "strategy")


def run_study(engine: Engine, strategy: Strategy, trials: int, parallel: int, progress: Progress) -> float:
    """Run a study of no-ops; return its seconds, with the forks of the workers (their server is up since the first study)."""
    with tempfile.TemporaryDirectory() as folder, Record.start(Path(folder), {}) as record:
        started = time.perf_counter()
        engine.run(Search(SPACE, strategy, OBJECTIVE, NoOp(), Limits(trials, parallel), record), progress)
        return time.perf_counter() - started


def fill(folder: Path, trials: int) -> None:
    """Record a study of finished trials, without the engine."""
    with Record.start(folder, {}) as record:
        for number in range(trials):
            view = StudyView(SPACE, OBJECTIVE, issued=number)
            trial = record.begin(number, SPACE.sample(view.rng()))
            seconds = 1.0 + trial_seed(0, number) % 7
            record.finish(Trial(number, trial.candidate, State.FINISHED, {"loss": loss(trial.candidate)}, seconds=seconds))


def resume(folder: Path, name: str) -> float:
    """Return the seconds from opening a study to its next proposal; one trial is then added to it."""
    timed = FirstProposal(strategy(name))
    started = time.perf_counter()
    with Record.start(folder, {}) as record:
        limits = Limits(len(record.trials()) + 1)
        Inline().run(Search(SPACE, timed, OBJECTIVE, NoOp(), limits, record), Progress())
    return timed.times[0] - started


def start_up(*arguments: str) -> float:
    """Return the seconds that a fresh interpreter takes for `arguments`."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def measurements(trials: int, resumed: int, remembered: int, runs: int) -> Iterator[Measurement]:
    """Yield all figures; memory comes first, before anything else has used some."""
    memory = Memory((min(100, remembered), remembered))
    run_study(Local(), strategy("tpe"), remembered, 2, memory)
    for count, mebibytes in memory.found.items():
        yield Measurement(f"memory of the parent after {count} trials", "MiB", [mebibytes])
    for name in ("random", "tpe"):
        for place, engine, parallel in (("inline", Inline(), 1), ("2 workers", Local(), 2)):
            seconds = run_study(engine, strategy(name), trials, parallel, Progress())
            yield Measurement(f"{trials} no-ops, {place}, {name}", "s", [seconds])
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), resumed)
        for name in ("random", "tpe"):
            times = [resume(Path(folder), name) for _ in range(runs)]
            yield Measurement(f"resume a study of {resumed} to its next proposal, {name}", "s", times)
    yield Measurement("an empty interpreter", "s", [start_up("-c", "") for _ in range(runs)])
    yield Measurement("import tunesmith", "s", [start_up("-c", "import tunesmith") for _ in range(runs)])
    yield Measurement("tunesmith --help", "s", [start_up("-m", "tunesmith", "--help") for _ in range(runs)])


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--trials", type=int, default=1000, help="no-op trials of a study")
    options.add_argument("--resume-trials", type=int, default=10_000, help="trials of the study that is resumed")
    options.add_argument("--memory-trials", type=int, default=2000, help="trials after which memory is looked at again")
    options.add_argument("--runs", type=int, default=5, help="repetitions of the quick measurements")
    given = options.parse_args()
    figures = measurements(given.trials, given.resume_trials, given.memory_trials, given.runs)
    show("Overhead of the engine", figures, {"runs": given.runs}, given.json)


if __name__ == "__main__":
    main()
