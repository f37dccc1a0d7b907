import json
from typing import Any

import pytest

from tests.kfp_client.backend import State, task, tasks
from tunesmith.errors import SpecError
from tunesmith.kfp_client.connection import Backend
from tunesmith.kfp_client.runs import get_run
from tunesmith.kfp_client.verdict import Verdict, judge

FAILED_LOG = """
time=2026-01-05T03:00:00.000Z level=INFO msg="capturing logs" argo=true
I0105 03:00:00.000000      15 main.go:67] Setting log level to: '1'
[KFP Executor 2026-01-05 03:00:00,000 INFO]: Looking for component `check_model`
Traceback (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 198, in _run_module_as_main
    return _run_code(code, main_globals, None,
tunesmith.errors.GateFailed: accuracy 0.5000 is below min_accuracy 0.9 on 359 test examples
E0105 03:00:01.000000      15 launcher_v2.go:449] Component failed to execute successfully: exit status 1
F0105 03:00:01.000000      15 main.go:59] failed to execute component: exit status 1
time=2026-01-05T03:00:01.000Z level=INFO msg="sub-process exited" argo=true error="exit status 1"
Error: exit status 1
"""


def told(step: str, **figures: Any) -> str:
    """Return a log with a line of figures among others."""
    return f"noise\ntunesmith-figures: {json.dumps({'step': step, 'figures': figures})}\nmore noise\n"


def verdict(state: State, backend: Backend, /, *required: str, **run: Any) -> Verdict:
    given = {"state": "SUCCEEDED", "finished_at": "2026-01-05T03:10:00Z", "runtime_config": {"parameters": {}}}
    return judge(backend, get_run(backend, state.add_run(**given | run)["run_id"]), required)


def promoting(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"runtime_config": {"parameters": {"registry_uri": "s3://m"}}, "run_details": tasks(*steps)}


def test_a_run_that_succeeded_is_what_was_asked_for(state: State, backend: Backend) -> None:
    found = verdict(state, backend)
    assert found.passed
    assert (found.gate, found.promoted) == ("off", None)


@pytest.mark.parametrize("end", ["FAILED", "CANCELED", "SKIPPED", "RUNNING"])
def test_any_other_end_is_not(state: State, backend: Backend, end: str) -> None:
    assert not verdict(state, backend, state=end).passed


def test_a_gate_that_was_passed_counts_and_a_missing_one_does_where_it_is_asked_for(state: State, backend: Backend) -> None:
    gated = {"runtime_config": {"parameters": {"min_test_accuracy": 0.9, "min_test_r2": 0}}}
    assert verdict(state, backend, "gate", **gated).gate == "passed"
    assert verdict(state, backend, "gate", **gated).passed
    assert verdict(state, backend, **gated, state="FAILED").gate == "not passed"
    assert verdict(state, backend, "gate").reasons == ("the run has no gate; set min_test_accuracy or min_test_r2",)


def test_a_promotion_is_seen_by_its_step(state: State, backend: Backend) -> None:
    found = verdict(state, backend, "promotion", **promoting(task("promote-model", "SUCCEEDED")))
    assert found.promoted is True
    assert found.passed


@pytest.mark.parametrize("steps", [[], [task("promote-model", "SKIPPED")]])
def test_a_model_that_stays_fails_only_where_a_promotion_is_asked_for(
    state: State, backend: Backend, steps: list[dict[str, Any]]
) -> None:
    assert verdict(state, backend, **promoting(*steps)).passed
    found = verdict(state, backend, "promotion", **promoting(*steps))
    assert found.promoted is False
    assert found.reasons == ("the new model was not promoted",)


def test_figures_are_read_from_the_logs_of_the_steps_pods(state: State, backend: Backend) -> None:
    state.logs["tune-x7k2p-system-container-impl-123"] = told("evaluate-model", test_accuracy=0.97)
    found = verdict(state, backend, run_details=tasks(task("evaluate-model", "SUCCEEDED", 1, ("tune-x7k2p-123",))))
    assert found.figures == {"evaluate-model": {"test_accuracy": 0.97}}
    assert "| evaluate-model | test_accuracy | 0.97 |" in found.markdown()


def test_figures_of_a_step_that_was_retried_are_found(state: State, backend: Backend) -> None:
    state.logs["tune-x7k2p-retry-system-container-impl-5"] = told("search-model", trials=3)
    details = tasks(
        task("search-model", "SUCCEEDED", 1, ("tune-x7k2p-4",)), task("executor", "SUCCEEDED", 2, ("tune-x7k2p-5",))
    )
    assert verdict(state, backend, run_details=details).figures == {"search-model": {"trials": 3}}


def test_logs_that_are_gone_fail_nothing(state: State, backend: Backend) -> None:
    found = verdict(state, backend, run_details=tasks(task("evaluate-model", "SUCCEEDED", 1, ("tune-x7k2p-123",))))
    assert found.passed
    assert "No figures" in found.markdown()


def test_a_failure_is_told_with_its_step_and_its_own_words(state: State, backend: Backend) -> None:
    state.logs["tune-x7k2p-system-container-impl-9"] = FAILED_LOG
    details = tasks(task("evaluate-model", "SUCCEEDED", 1), task("check-model", "FAILED", 2, ("tune-x7k2p-9",)))
    found = verdict(state, backend, state="FAILED", run_details=details)
    assert found.reasons == ("check-model: GateFailed: accuracy 0.5000 is below min_accuracy 0.9 on 359 test examples",)


def test_of_steps_that_were_tried_again_the_last_attempt_of_the_failed_one_is_told(state: State, backend: Backend) -> None:
    state.logs["tune-x7k2p-system-container-impl-5"] = FAILED_LOG.replace("GateFailed: accuracy", "DataError: passing")
    state.logs["tune-x7k2p-system-container-impl-8"] = FAILED_LOG.replace("GateFailed: accuracy", "DataError: first")
    state.logs["tune-x7k2p-system-container-impl-9"] = FAILED_LOG
    details = tasks(
        *(task("prepare-data", "SUCCEEDED", 1), task("executor", "SUCCEEDED", 1, ("tune-x7k2p-5", "tune-x7k2p-6"))),
        *(task("tune-x7k2p(0)", "FAILED"), task("check-model(0)", "FAILED", 2)),
        *(task("check-model", "FAILED", 2), task("executor", "FAILED", 2, ("tune-x7k2p-8", "tune-x7k2p-9"))),
    )
    found = verdict(state, backend, state="FAILED", run_details=details)
    assert found.reasons[0].startswith("check-model: GateFailed: accuracy 0.5000")


def test_a_run_that_goes_on_after_the_time_limit_is_told_as_that(state: State, backend: Backend) -> None:
    found = verdict(state, backend, state="RUNNING", finished_at="1970-01-01T00:00:00Z")
    assert "the run is still running" in found.reasons[0]


def test_the_summary_is_a_table_that_no_text_can_break(state: State, backend: Backend) -> None:
    state.logs["t-system-container-impl-1"] = told("promote-model", promoted="a|b\nc")
    found = verdict(state, backend, **promoting(task("promote-model", "SUCCEEDED", 1, ("t-1",))))
    assert "| promote-model | promoted | a\\|b c |" in found.markdown().splitlines()
    assert f"[the run]({found.run.link})" in found.markdown()
    assert json.loads(json.dumps(found.to_json()))["promoted"] is True


def test_what_cannot_be_required_is_named(state: State, backend: Backend) -> None:
    with pytest.raises(SpecError, match="require: 'luck' is unknown; allowed: gate, promotion"):
        verdict(state, backend, "luck")
