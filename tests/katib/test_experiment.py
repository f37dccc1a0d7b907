"""The Experiment of a search, held against its golden file. After an intended change: TUNESMITH_GOLDEN=write pytest THIS."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.katib.candidate import decode
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.outline import Outline, label
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spec import parse_spec
from tunesmith.study import Constraint, Objective, State, Trial

GOLDEN = Path(__file__).parent / "golden" / "experiment.yaml"
CLUSTER: dict[str, Any] = {
    "node_selector": {"pool": "a100"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "priority_class": "low",
    "service_account": "tunesmith-trial",
    "image_pull_secrets": ["registry"],
    "volumes": [{"claim": "data", "path": "/data", "read_only": True}],
    "secrets": ["s3-credentials"],
    "env": {"AWS_ENDPOINT_URL": "http://minio:9000"},
}
RESOURCES: dict[str, Any] = {"gpu": 1, "cpu": 2, "memory": "4Gi", "seconds": 600}
CONTENT = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
    "evaluation": {"kind": "function", "function": "a.py:f"},
    "scheduler": {"name": "median"},
}


def outline(**changes: Any) -> Outline:
    content = parse_spec(CONTENT).to_json()
    told = {key: content[key] for key in ("space", "strategy", "evaluation", "scheduler", "objectives", "resources")}
    given: dict[str, Any] = {
        **{"name": "digits-1a2b3c4d-0", "namespace": "team-a", "study_id": "digits-1a2b3c4d", "content": told},
        **{"objective": Objective("loss"), "trials": 30, "parallel": 4, "image": "registry.example/tunesmith:1"},
        **{"study": "s3://studies/digits-1a2b3c4d", "code": "s3://studies/digits-1a2b3c4d/code"},
    }
    return Outline(**{**given, **changes})


def made(**changes: Any) -> dict[str, Any]:
    return build_experiment(outline(**changes), ClusterSpec.model_validate(CLUSTER), ResourcesSpec.model_validate(RESOURCES))


def pod_of(experiment: dict[str, Any]) -> dict[str, Any]:
    return experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]


def test_an_experiment_is_its_golden_file() -> None:
    text = yaml.safe_dump(made(), sort_keys=True, width=128)
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_field_that_pod_security_restricted_asks_for_is_set() -> None:
    pod = pod_of(made())
    container = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["runAsNonRoot"]
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["readOnlyRootFilesystem"]
    assert pod["automountServiceAccountToken"] is False


def test_an_evicted_pod_is_replaced_and_a_bad_candidate_is_not_tried_again() -> None:
    job = made()["spec"]["trialTemplate"]["trialSpec"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["podFailurePolicy"] == {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}


def test_a_trials_deadline_does_not_count_the_time_that_it_waits_for_a_gpu() -> None:
    job = made()["spec"]["trialTemplate"]["trialSpec"]["spec"]
    assert "activeDeadlineSeconds" not in job, "a Job's clock runs while its pod waits for a node"
    assert job["template"]["spec"]["activeDeadlineSeconds"] >= 2 * RESOURCES["seconds"], "a second attempt fits as well"
    assert "activeDeadlineSeconds" not in pod_of(build_experiment(outline(), ClusterSpec(), ResourcesSpec()))


def test_the_pods_memory_has_room_for_the_libraries() -> None:
    assert int(pod_of(made())["containers"][0]["resources"]["limits"]["memory"]) == 4 * 2**30 + 1536 * 2**20


def test_without_a_scheduler_there_is_one_placeholder_and_without_gpus_none_is_asked_for() -> None:
    told = {key: value for key, value in outline().content.items() if key != "scheduler"}
    experiment = build_experiment(outline(content=told), ClusterSpec(), ResourcesSpec())
    assert [parameter["name"] for parameter in experiment["spec"]["parameters"]] == ["candidate"]
    container = pod_of(experiment)["containers"][0]
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert "TUNESMITH_STOP_RULE" not in {entry["name"] for entry in container["env"]}


def test_of_a_strategy_that_edits_katib_is_asked_whose_edit_a_candidate_is() -> None:
    experiment = made(kin=True)
    assert [parameter["name"] for parameter in experiment["spec"]["parameters"]] == ["candidate", "stop_rule", "parent"]
    entries = {entry["name"]: entry["value"] for entry in pod_of(experiment)["containers"][0]["env"]}
    assert entries["TUNESMITH_PARENT"] == "${trialParameters.parent}"
    assert "parent" not in {parameter["name"] for parameter in made()["spec"]["parameters"]}


def test_the_spec_in_the_pods_environment_survives_katibs_pasting() -> None:
    entries = {entry["name"]: entry["value"] for entry in pod_of(made())["containers"][0]["env"]}
    text = entries["TUNESMITH_SPEC"]
    assert text.replace("-", "").replace("_", "").isalnum()
    assert json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["space"] == outline().content["space"]
    assert entries["TUNESMITH_TRIAL"] == "${trialParameters.trial}"


def test_a_continued_study_tells_its_history_and_where_its_numbers_go_on() -> None:
    ended = Trial(4, {"x": 0.5}, State.FINISHED, {"loss": 1.25})
    settings = {
        item["name"]: item["value"] for item in made(offset=5, earlier=[ended])["spec"]["algorithm"]["algorithmSettings"]
    }
    number, encoded, state, value = json.loads(settings["earlier"])[0]
    assert (settings["offset"], number, decode(encoded), state, value) == ("5", 4, {"x": 0.5}, "finished", 1.25)


def test_katib_observes_every_metric_that_the_search_asks_for() -> None:
    further = {"others": (Objective("latency_ms", "minimize"),), "constraints": (Constraint("size", "<=", 7),)}
    ended = Trial(0, {"x": 0.5}, State.FINISHED, {"loss": 1.25, "size": 3.0})
    spec = made(offset=1, earlier=[ended], **further)["spec"]
    assert spec["objective"]["objectiveMetricName"] == "loss"
    assert spec["objective"]["additionalMetricNames"] == ["latency_ms", "size"]
    assert [item["name"] for item in spec["objective"]["metricStrategies"]] == ["loss", "latency_ms", "size"]
    settings = {item["name"]: item["value"] for item in spec["algorithm"]["algorithmSettings"]}
    assert json.loads(settings["earlier"])[0][3:] == [1.25, None, 3.0]


@pytest.mark.parametrize("namespace", ["team-b", "a" * 63])
def test_experiments_of_one_name_in_two_namespaces_have_labels_of_their_own(namespace: str) -> None:
    name = "d" * 40
    assert label(name, "team-a") != label(name, namespace)
    assert len(label(name, namespace)) <= 63
