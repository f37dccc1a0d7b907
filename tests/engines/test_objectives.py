"""Searches with several objectives or constraints, on this machine and on a cluster in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fake_katib import FakeKatib, suggestion_service
from tunesmith.aims import Aims
from tunesmith.engines import katib as engine_module
from tunesmith.engines._books import CHECKPOINTS
from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.inline import Inline
from tunesmith.engines.katib import Katib, Place
from tunesmith.errors import StudyError
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.katib import api_pb2_grpc
from tunesmith.ranking import pareto_front, ranking
from tunesmith.record import Record
from tunesmith.search import outcome
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spec import parse_spec
from tunesmith.study import State, Trial

STUDY = "digits-1a2b3c4d"
OBJECTIVES = [{"metric": "loss", "goal": "minimize"}, {"metric": "speed", "goal": "maximize"}]


def figures(candidate: dict[str, Any]) -> dict[str, float]:
    """A loss that is least at 0.3 and a speed that grows with x, so that the front lies between 0.3 and 1."""
    return {"loss": (candidate["x"] - 0.3) ** 2, "speed": 10 * candidate["x"], "size": candidate["n"]}


def search(
    folder: Path,
    function: Any,
    trials: int,
    cluster: FakeKatib | None = None,
    **sections: Any,
) -> list[Trial]:
    content = {
        "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}, "n": {"int": [1, 9]}}},
        "strategy": {"name": "tpe", "startup": 4},
        "evaluation": {"kind": "function", "function": "a.py:f"},
        "objectives": OBJECTIVES,
        **sections,
    }
    spec = parse_spec(content)
    assert spec.objective is not None
    engine: Engine = Inline()
    if cluster:
        place = Place(STUDY, str(cluster.study))
        engine = Katib(cluster, ClusterSpec(), ResourcesSpec(), spec.to_json(), place, "image:1")
    with Record.start(folder, spec.to_json()) as record:
        evaluator = FunctionEvaluator(function, "loss")
        aims = {"others": spec.others, "constraints": spec.constraints}
        given = Search(spec.space, spec.strategy, spec.objective, evaluator, Limits(trials), record, **aims)
        engine.run(given, Progress())
        return record.trials()


@pytest.fixture(scope="module")
def stub() -> Iterator[api_pb2_grpc.SuggestionStub]:
    with suggestion_service() as found:
        yield found


@pytest.fixture
def cluster(stub: api_pb2_grpc.SuggestionStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKatib:
    monkeypatch.setattr(engine_module, "POLL_SECONDS", 0.0)
    return FakeKatib(stub, tmp_path / "storage" / STUDY, lambda candidate: {"state": "finished", "metrics": figures(candidate)})


@pytest.mark.parametrize("sections", [{}, {"constraints": ["size <= 5"]}, {"constraints": ["loss <= 0.1", "speed >= 4"]}])
def test_a_cluster_tries_the_same_candidates_as_this_machine(
    cluster: FakeKatib, tmp_path: Path, sections: dict[str, Any]
) -> None:
    here = search(tmp_path / "here", figures, 14, **sections)
    there = search(tmp_path / "there", figures, 14, cluster, **sections)
    assert [trial.candidate for trial in there] == [trial.candidate for trial in here]
    assert [trial.metrics for trial in there] == [trial.metrics for trial in here]


def test_a_study_that_goes_on_on_a_cluster_knows_all_metrics_of_its_earlier_trials(cluster: FakeKatib, tmp_path: Path) -> None:
    here = search(tmp_path / "here", figures, 14, constraints=["size <= 5"])
    search(tmp_path / "there", figures, 8, cluster, constraints=["size <= 5"])
    there = search(tmp_path / "there", figures, 14, cluster, constraints=["size <= 5"])
    assert [trial.candidate for trial in there] == [trial.candidate for trial in here]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"loss": 1.0}, "the objective 'speed' is missing or not finite; reported: loss"),
        ({"loss": 1.0, "speed": float("nan")}, "the objective 'speed' is missing or not finite; reported: loss"),
        ({"loss": 1.0, "speed": 1.0}, "the constraint's metric 'size' is missing or not finite; reported: loss, speed"),
    ],
)
def test_a_trial_that_lacks_a_metric_that_is_asked_for_has_failed(
    tmp_path: Path, answer: dict[str, float], reason: str
) -> None:
    (trial,) = search(tmp_path, lambda candidate: answer, 1, constraints=["size <= 5"])
    assert (trial.state, trial.reason) == (State.FAILED, reason)


def test_the_models_of_the_whole_front_are_kept(tmp_path: Path) -> None:
    def function(candidate: dict[str, Any], context: Any) -> dict[str, float]:
        (context.folder / "model.keras").touch()
        return {"loss": candidate["x"], "speed": candidate["x"] if context.number % 4 else 0.0}

    trials = search(tmp_path, function, 24)
    aims = Aims.of({"objectives": OBJECTIVES})
    front = {trial.number for trial in pareto_front(trials, aims)}
    kept = {int(path.parent.name) for path in tmp_path.glob("trials/*/model.keras")}
    assert len(front) > CHECKPOINTS
    assert kept == front


def test_where_the_front_is_short_the_next_best_keep_theirs(tmp_path: Path) -> None:
    def function(candidate: dict[str, Any], context: Any) -> dict[str, float]:
        (context.folder / "model.keras").touch()
        return {"loss": candidate["x"], "speed": -candidate["x"]}

    trials = search(tmp_path, function, 12)
    best = ranking(trials, Aims.of({"objectives": OBJECTIVES}))[:CHECKPOINTS]
    kept = {int(path.parent.name) for path in tmp_path.glob("trials/*/model.keras")}
    assert kept == {trial.number for trial in best}


def test_the_outcome_is_the_knee_and_the_front(tmp_path: Path) -> None:
    trials = search(tmp_path, figures, 20)
    aims = Aims.of({"objectives": OBJECTIVES})
    with Record.read(tmp_path) as record:
        found = outcome(record, aims)
    assert found.best == found.front[0] == ranking(trials, aims)[0]
    told = found.to_json()
    assert told["best"] == told["front"][0]
    assert told["objectives"] == OBJECTIVES


def test_a_search_in_which_nothing_keeps_the_constraints_says_what_came_nearest(tmp_path: Path) -> None:
    trials = search(tmp_path, figures, 6, constraints=["size <= 0", "speed >= 20"], objectives=OBJECTIVES[:1])
    aims = Aims.of({"objectives": OBJECTIVES[:1], "constraints": ["size <= 0", "speed >= 20"]})
    nearest = ranking(trials, aims)[0]
    with Record.read(tmp_path) as record, pytest.raises(StudyError) as caught:
        outcome(record, aims)
    size, speed = nearest.metrics["size"], nearest.metrics["speed"]
    assert str(caught.value).endswith(
        "none of 6 finished trials keeps size <= 0, speed >= 20; "
        f"trial {nearest.number} comes nearest with size {size:.4g}, speed {speed:.4g}"
    )
