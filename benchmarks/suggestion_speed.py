"""How fast the suggestion service answers after thousands of trials, as a process of its own on one core; its start and memory.

Katib's own Go service (goptuna) is asked beside it where its program is found (`--goptuna`); it keeps its trials in memory, so
it has to be led through the whole search, and is so only up to `--goptuna-trials`.
"""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import grpc
import psutil

from measure import Measurement, parser, show
from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import trial_name
from tunesmith.katib.carried import Packed
from tunesmith.katib.plain import Plain
from tunesmith.katib.plan import Plan
from tunesmith.katib.study_view import read_plan
from tunesmith.registry import discover

PARAMETERS: dict[str, dict[str, Any]] = {
    **{f"rate{i}": {"loguniform": [1e-5, 1.0]} for i in range(3)},
    **{f"share{i}": {"uniform": [0, 1]} for i in range(3)},
    **{f"units{i}": {"int": [1, 512]} for i in range(2)},
    **{f"kind{i}": {"choice": ["a", "b", "c"]} for i in range(2)},
}
GOPTUNA_PORT = 6789
WARM_UP = 3
CALLS = 20


@dataclass
class Experiment:
    """An experiment of ten parameters, its form `spec` (carried by a setting) or `plain`, and its past."""

    form: str
    algorithm: str = "tunesmith-tpe"
    trials: list[api_pb2.Trial] = field(default_factory=list)

    def message(self) -> api_pb2.Experiment:
        """Return the experiment as Katib sends it."""
        made = api_pb2.Experiment(name="benchmark")
        made.spec.objective.type, made.spec.objective.objective_metric_name = api_pb2.MINIMIZE, "loss"
        made.spec.algorithm.algorithm_name = self.algorithm
        if self.form == "plain":
            self._add_parameters(made.spec.parameter_specs)
            return made
        content = {
            "space": {"kind": "parameters", "parameters": PARAMETERS},
            "strategy": {"name": self.algorithm.removeprefix("tunesmith-")},
            "evaluation": {"kind": "function", "function": "a.py:f"},
        }
        made.spec.algorithm.algorithm_settings.add(name="spec", value=json.dumps(content))
        made.spec.parameter_specs.parameters.add(name="candidate", parameter_type=api_pb2.CATEGORICAL)
        return made

    def _add_parameters(self, specs: api_pb2.ExperimentSpec.ParameterSpecs) -> None:
        for name, form in PARAMETERS.items():
            ((kind, ends),) = form.items()
            parameter = specs.parameters.add(name=name, parameter_type=api_pb2.INT if kind == "int" else api_pb2.DOUBLE)
            if kind == "choice":
                parameter.parameter_type = api_pb2.CATEGORICAL
                parameter.feasible_space.list.extend(ends)
                continue
            parameter.feasible_space.min, parameter.feasible_space.max = map(str, ends)
            # goptuna knows no distributions.
            if kind == "loguniform" and self.algorithm.startswith("tunesmith"):
                parameter.feasible_space.distribution = api_pb2.LOG_UNIFORM

    def request(self, more: int = 0) -> api_pb2.GetSuggestionsRequest:
        """Return the request for one more trial, after `more` others that nobody has heard of since."""
        total = len(self.trials) + 1 + more
        return api_pb2.GetSuggestionsRequest(
            experiment=self.message(), trials=self.trials, current_request_number=1, total_request_number=total
        )

    def fill(self, count: int) -> None:
        """Give it `count` finished random trials."""
        plan = read_plan(self.message())
        assert isinstance(plan.code, Packed | Plain)
        rng = random.Random(0)
        while len(self.trials) < count:
            self._add_random(plan, rng)

    def _add_random(self, plan: Plan, rng: random.Random) -> None:
        candidate = plan.space.choose(lambda _, distribution: distribution.quantile(rng.random()))
        number, assigned = len(self.trials), plan.code.write(candidate)
        self.add(trial_name(plan.study, "benchmark", number, assigned), assigned, sum(map(float, _units(candidate))))

    def add(self, name: str, assigned: dict[str, str], loss: float) -> None:
        """Give it one finished trial."""
        trial = api_pb2.Trial(name=name)
        for parameter, value in assigned.items():
            trial.spec.parameter_assignments.assignments.add(name=parameter, value=value)
        trial.status.condition = api_pb2.TrialStatus.SUCCEEDED
        trial.status.start_time = trial.status.completion_time = "2026-01-01T00:00:00Z"
        trial.status.observation.metrics.add(name="loss", value=repr(loss))
        self.trials.append(trial)


def _units(candidate: dict[str, Any]) -> Iterator[float]:
    for value in candidate.values():
        yield value / 512 if isinstance(value, int) else value if isinstance(value, float) else 0.1 * ord(value[0])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def program(command: list[str], port: int) -> Iterator[tuple[api_pb2_grpc.SuggestionStub, int, float]]:
    """Run a service on one core; yields a stub, its process' id, and the seconds until it listened."""
    core = min(os.sched_getaffinity(0))
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "GOMAXPROCS": "1"},
        # Before it makes any threads.
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509
    )
    try:
        while not _listens(port):
            time.sleep(0.005)
        listened = time.perf_counter() - started
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            yield api_pb2_grpc.SuggestionStub(channel), process.pid, listened
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def ours() -> Iterator[tuple[api_pb2_grpc.SuggestionStub, int, float]]:
    """Run Tunesmith's service."""
    port = free_port()
    command = [sys.executable, "-m", "tunesmith.katib.server", "--port", str(port), "--metrics-port", "0"]
    with program(command, port) as running:
        yield running


def timed(stub: api_pb2_grpc.SuggestionStub, request: api_pb2.GetSuggestionsRequest) -> float:
    """Return the seconds of one answer; a fallback to another strategy is an error here."""
    started = time.perf_counter()
    reply = stub.GetSuggestions(request)
    seconds = time.perf_counter() - started
    settings = {setting.name for setting in reply.algorithm.algorithm_settings}
    assert len(reply.parameter_assignments) == 1
    assert "fallback" not in settings
    return seconds


def answers(name: str, seconds: list[float]) -> Iterator[Measurement]:
    """Yield the median and the 95th percentile."""
    yield Measurement(f"{name}: p50", "s", [sorted(seconds)[len(seconds) // 2]])
    yield Measurement(f"{name}: p95", "s", [quantiles(seconds, n=20, method="inclusive")[-1]])


def speed(strategy: str, past: list[int], calls: int) -> Iterator[Measurement]:
    """Yield start-up and answers of our service."""
    for form in ("spec", "plain"):
        experiment = Experiment(form, f"tunesmith-{strategy}")
        for count in past:
            experiment.fill(count)
            size = experiment.request().ByteSize()
            yield Measurement(f"{form}, {count} trials: request", "MB", [size / 1e6])
            with ours() as (stub, _, _):
                seconds = [timed(stub, experiment.request(call)) for call in range(calls + WARM_UP)][WARM_UP:]
            yield from answers(f"{form}, {count} trials", seconds)


def start_up(strategy: str, runs: int) -> Iterator[Measurement]:
    """Yield how long the service needs to listen, and to give its first answer."""
    experiment = Experiment("spec", f"tunesmith-{strategy}")
    listened, answered = [], []
    for _ in range(runs):
        started = time.perf_counter()
        with ours() as (stub, _, seconds):
            timed(stub, experiment.request())
            answered.append(time.perf_counter() - started)
            listened.append(seconds)
    yield Measurement("start to listening", "s", listened)
    yield Measurement("start to the first answer", "s", answered)


def memory(strategy: str, calls: int) -> Iterator[Measurement]:
    """Yield the resident memory after so many answers with 100 past trials."""
    experiment = Experiment("plain", f"tunesmith-{strategy}")
    experiment.fill(100)
    with ours() as (stub, pid, _):
        for call in range(1, calls + 1):
            timed(stub, experiment.request(call))
            if call in (100, 1000, calls):
                yield Measurement(f"memory after {call} answers", "MiB", [psutil.Process(pid).memory_info().rss / 2**20])


def goptuna(path: Path, past: list[int], calls: int) -> Iterator[Measurement]:
    """Yield the answers of Katib's Go service, led through a search."""
    for algorithm in ("random", "tpe"):
        experiment = Experiment("plain", algorithm)
        rng = random.Random(0)
        with program([str(path)], GOPTUNA_PORT) as (stub, _, _):
            seconds: list[float] = []
            while len(experiment.trials) < max(past):
                request = experiment.request()
                started = time.perf_counter()
                (made,) = stub.GetSuggestions(request).parameter_assignments
                seconds.append(time.perf_counter() - started)
                assigned = {item.name: item.value for item in made.assignments}
                experiment.add(f"benchmark-{len(experiment.trials)}", assigned, rng.random())
                if len(experiment.trials) in past:
                    yield from answers(f"goptuna {algorithm}, {len(experiment.trials)} trials", seconds[-calls:])


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--strategy", choices=discover("tunesmith.strategies"), default="tpe", help="whose answers")
    options.add_argument("--past", type=int, nargs="+", default=[100, 1000, 5000], help="past trials")
    options.add_argument("--calls", type=int, default=CALLS, help="answers measured for each")
    options.add_argument("--memory-calls", type=int, default=10_000, help="answers after which memory is looked at again")
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tunesmith/cluster/bin/goptuna-suggestion"
    options.add_argument("--goptuna", type=Path, default=default, help="Katib's Go service")
    options.add_argument("--goptuna-trials", type=int, default=1000, help="most past trials for it")
    given = options.parse_args()
    strategy = given.strategy
    figures = [*start_up(strategy, 5), *speed(strategy, given.past, given.calls), *memory(strategy, given.memory_calls)]
    theirs = [count for count in given.past if count <= given.goptuna_trials]
    if given.goptuna.is_file() and theirs:
        figures += goptuna(given.goptuna, theirs, given.calls)
    show(f"The suggestion service, {strategy}, ten parameters", figures, {"answers each": given.calls}, given.json)


if __name__ == "__main__":
    main()
