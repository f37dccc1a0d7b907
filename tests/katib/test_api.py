"""The interface's definition agrees with Katib's on the wire, and the generated code with the definition."""

import base64
from pathlib import Path

import pytest

import tunesmith.katib
from tunesmith.katib import api_pb2
from tunesmith.katib.generate import generate

# Written by code generated from Katib's own definition (v0.19.0), with fields that ours leaves out.
REQUEST = (
    "CnsKA2V4cBJ0ChwKGgoJY2FuZGlkYXRlEAQaCxoEYXV0byIBMSgBEiMIAhGuR+F6FK7vPxoMdmFsX2FjY3VyYWN5Igh2YWxfbG9zcxoXCgl0dW5lc21pdGgS"
    "CgoEc3BlYxICe30iDAoKbWVkaWFuc3RvcCgCMAw6BAoCCAgScwoIZXhwLTAwMDASIBICCAIaEgoQCgljYW5kaWRhdGUSA2UzMCIGCgFhEgFiGkUKFDIwMjYt"
    "MDEtMDFUMDA6MDA6MDBaEhQyMDI2LTAxLTAxVDAwOjAxOjAwWhgCIhUKEwoMdmFsX2FjY3VyYWN5EgMwLjUScwoIZXhwLTAwMDESIBICCAIaEgoQCgljYW5k"
    "aWRhdGUSA2UzMSIGCgFhEgFiGkUKFDIwMjYtMDEtMDFUMDA6MDA6MDBaEhQyMDI2LTAxLTAxVDAwOjAxOjAwWhgGIhUKEwoMdmFsX2FjY3VyYWN5EgMwLjQg"
    "ASgD"
)
REPLY = "CiQKEAoJY2FuZGlkYXRlEgNlMzASCGV4cC0wMDAyGgYKAWsSAXYSGQoJdHVuZXNtaXRoEgwKBmlzc3VlZBICe30="
REPORT = "CghleHAtMDAwMhItCisKFDIwMjYtMDEtMDFUMDA6MDA6MDBaEhMKDHZhbF9hY2N1cmFjeRIDMC41"


def test_katibs_request_is_understood() -> None:
    request = api_pb2.GetSuggestionsRequest.FromString(base64.b64decode(REQUEST))
    spec = request.experiment.spec
    assert (request.experiment.name, request.current_request_number, request.total_request_number) == ("exp", 1, 3)
    assert (spec.parallel_trial_count, spec.max_trial_count) == (2, 12)
    (parameter,) = spec.parameter_specs.parameters
    assert (parameter.name, parameter.parameter_type) == ("candidate", api_pb2.CATEGORICAL)
    assert list(parameter.feasible_space.list) == ["auto"]
    assert (spec.objective.type, spec.objective.goal, spec.objective.objective_metric_name) == (
        api_pb2.MAXIMIZE,
        0.99,
        "val_accuracy",
    )
    assert list(spec.objective.additional_metric_names) == ["val_loss"]
    assert spec.algorithm.algorithm_name == "tunesmith"
    assert [(s.name, s.value) for s in spec.algorithm.algorithm_settings] == [("spec", "{}")]
    first, second = request.trials
    assert (first.name, first.status.condition, second.status.condition) == (
        "exp-0000",
        api_pb2.TrialStatus.SUCCEEDED,
        api_pb2.TrialStatus.EARLYSTOPPED,
    )
    assert dict(first.spec.labels) == {"a": "b"}
    assert [(a.name, a.value) for a in second.spec.parameter_assignments.assignments] == [("candidate", "e31")]
    assert first.status.start_time == "2026-01-01T00:00:00Z"
    assert first.status.completion_time == "2026-01-01T00:01:00Z"
    assert [(m.name, m.value) for m in second.status.observation.metrics] == [("val_accuracy", "0.4")]


PLAIN = "CgVwbGFpbhJGCjAKHAoCbHIQARoUCgQwLjA1EgQwLjAxIgQwLjAxKAQKEAoEa2luZBADGgYaATEaATIiDAoKbWVkaWFuc3RvcDoECgIIAw=="


def test_katibs_plain_parameters_are_understood() -> None:
    spec = api_pb2.Experiment.FromString(base64.b64decode(PLAIN)).spec
    rate, kind = spec.parameter_specs.parameters
    space = rate.feasible_space
    assert (rate.parameter_type, space.min, space.max, space.step) == (api_pb2.DOUBLE, "0.01", "0.05", "0.01")
    assert space.distribution == api_pb2.LOG_NORMAL
    assert (kind.parameter_type, list(kind.feasible_space.list)) == (api_pb2.DISCRETE, ["1", "2"])
    assert spec.HasField("nas_config")


def test_our_reply_and_report_are_katibs_byte_for_byte() -> None:
    reply = api_pb2.GetSuggestionsReply()
    assigned = reply.parameter_assignments.add(trial_name="exp-0002")
    assigned.assignments.add(name="candidate", value="e30")
    assigned.labels["k"] = "v"
    reply.algorithm.algorithm_name = "tunesmith"
    reply.algorithm.algorithm_settings.add(name="issued", value="{}")
    assert reply.SerializeToString(deterministic=True) == base64.b64decode(REPLY)
    report = api_pb2.ReportObservationLogRequest(trial_name="exp-0002")
    log = report.observation_log.metric_logs.add(time_stamp="2026-01-01T00:00:00Z")
    log.metric.name, log.metric.value = "val_accuracy", "0.5"
    assert report.SerializeToString(deterministic=True) == base64.b64decode(REPORT)


def test_services_and_methods_have_katibs_names() -> None:
    services = api_pb2.DESCRIPTOR.services_by_name
    methods = {service.full_name: list(service.methods_by_name) for service in services.values()}
    assert methods == {
        "api.v1.beta1.Suggestion": ["GetSuggestions", "ValidateAlgorithmSettings"],
        "api.v1.beta1.DBManager": ["ReportObservationLog", "GetObservationLog"],
    }


def test_the_generated_code_is_that_of_the_definition(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    folder = Path(tunesmith.katib.__file__).parent
    generate(tmp_path)
    for made in (tmp_path / "tunesmith" / "katib").iterdir():
        assert made.read_text() == (folder / made.name).read_text(), f"{made.name} is out of date; run `make generate`"
