"""Katib's list of algorithms on a real cluster: extended and restored by Jobs, read by Katib without a restart."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import attempt, build_at, read, run, shown_commands
from tests.cluster.searches import wait_for
from tunesmith import registry
from tunesmith.katib.config_text import PREFIX
from tunesmith.yaml_text import write_yaml

pytestmark = pytest.mark.cluster

STRATEGIES = [PREFIX + name for name in registry.discover("tunesmith.strategies")]
# Experiments of other tests may use the algorithms, whose real list is another.
FORCE = """\
- target: {kind: Job}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/args, value: [remove, --force]}
"""
BOUND_HERE = """\
- target: {{kind: ClusterRoleBinding}}
  patch: |
    - {{op: replace, path: /subjects/0/namespace, value: {}}}
"""
Entries = list[dict[str, Any]]

# The role is the cluster's, and others use it.
NO_ROLE = """\
patches:
- patch: |
    $patch: delete
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: tunesmith-runner}
"""


def algorithms(namespace: str = "kubeflow") -> Entries:
    text = read("configmap", "katib-config", "-n", namespace)["data"]["katib-config.yaml"]
    return yaml.load(text, Loader=yaml.BaseLoader)["runtime"]["suggestions"]


def test_katib_knows_every_strategy_and_its_own(installed: None) -> None:
    names = [entry["algorithmName"] for entry in algorithms()]
    # A strategy that is new since the cluster was made stands last.
    assert sorted(name for name in names if name.startswith(PREFIX)) == STRATEGIES
    assert len(names) > len(STRATEGIES)
    # The Job deletes itself after some minutes, its log with it.
    run("delete", "job", "-n", "kubeflow", "tunesmith-config", "--ignore-not-found")
    run("apply", "-k", "manifests/overlays/dev")
    run("wait", "-n", "kubeflow", "--for=condition=complete", "--timeout=5m", "job/tunesmith-config")
    assert "katib-config:" in run("logs", "-n", "kubeflow", "job/tunesmith-config")


def test_katib_reads_its_algorithms_without_a_restart(installed: None, namespace: str) -> None:
    """Katib takes an experiment whose algorithm was added the moment before, and forgets one that was taken out."""
    name = f"probe-{uuid.uuid4().hex[:8]}"
    controllers = controller_pods()
    assert (
        "failed to find suggestion config for algorithm"
        in attempt("create", "--filename=-", text=probe(name, namespace)).stderr
    )
    edit_live(lambda entries: [*entries, {**entries[-1], "algorithmName": name}])
    try:
        wait_for("Katib takes it", lambda: attempt("create", "--filename=-", text=probe(name, namespace)).returncode == 0, 30)
        run("wait", "-n", namespace, f"deployment/{name}-{name}", "--for=create", "--timeout=30s")
        # While Katib knows its algorithm: afterwards it could not be deleted.
        run("delete", "experiments.kubeflow.org", name, "-n", namespace, "--timeout=60s")
    finally:
        edit_live(lambda entries: [entry for entry in entries if entry["algorithmName"] != name])
    refused = probe(name, namespace, "again")
    wait_for("Katib forgets it", lambda: "failed to find" in attempt("create", "--filename=-", text=refused).stderr, 30)
    assert controller_pods() == controllers


def controller_pods() -> set[str]:
    found = read("pods", "-n", "kubeflow", "-l", "katib.kubeflow.org/component=controller")["items"]
    return {pod["metadata"]["uid"] + str(pod["status"]["containerStatuses"][0]["restartCount"]) for pod in found}


def probe(algorithm: str, namespace: str, name: str = "") -> str:
    """Return an experiment with an algorithm, as JSON."""
    experiment = {
        **{"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment"},
        "metadata": {"name": name or algorithm, "namespace": namespace},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
            "metricsCollectorSpec": {"collector": {"kind": "Push"}},
            "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}],
            **{"maxTrialCount": 1, "parallelTrialCount": 1, "maxFailedTrialCount": 1},
            "trialTemplate": {
                "primaryContainerName": "trial",
                "trialParameters": [{"name": "x", "reference": "x"}],
                "trialSpec": trial_job(),
            },
        },
    }
    return json.dumps(experiment)


def trial_job() -> dict[str, Any]:
    container = {
        "name": "trial",
        "image": "localhost/none:1",
        "command": ["true"],
        "env": [{"name": "X", "value": "${trialParameters.x}"}],
    }
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}}


def edit_live(change: Callable[[Entries], Entries]) -> None:
    """Edit the list of Katib's algorithms as another administrator would."""
    held = read("configmap", "katib-config", "-n", "kubeflow")
    content = yaml.safe_load(held["data"]["katib-config.yaml"])
    content["runtime"]["suggestions"] = change(content["runtime"]["suggestions"])
    held["data"]["katib-config.yaml"] = write_yaml(content)
    run("replace", "--filename=-", text=json.dumps(held))


@pytest.fixture
def another_katib(namespace: str) -> str:
    """A namespace with a configuration of Katib's as it is without Tunesmith, for Jobs to edit: the real one serves others."""
    text = read("configmap", "katib-config", "-n", "kubeflow")["data"]["katib-config.yaml"]
    content = yaml.safe_load(text)
    content["runtime"]["suggestions"] = [
        {"algorithmName": "odd", "image": "a:1", "env": [{"name": "N", "value": "0644"}, {"name": "ON", "value": "on"}]},
        *(entry for entry in content["runtime"]["suggestions"] if not entry["algorithmName"].startswith(PREFIX)),
    ]
    run("create", "configmap", "katib-config", "-n", namespace, f"--from-literal=katib-config.yaml={write_yaml(content)}")
    return namespace


def obey(page: str, namespace: str, folders: dict[str, str]) -> list[str]:
    """Do what a page says about the configuration of Katib, with the one in `namespace`; returns what the commands print."""
    said = []
    for command in shown_commands(page):
        elsewhere = [folders.get(word, namespace if word == "kubeflow" else word) for word in command]
        if "kubeflow" in command or set(command) & set(folders):
            said.append(run(*elsewhere))
    return said


@pytest.fixture
def folders(another_katib: str, tmp_path: Path) -> dict[str, str]:
    """What the pages apply, in another namespace: its place by the name that the pages use."""
    parts = {"standalone": "overlays/kubeflow", "uninstall": "overlays/uninstall"}
    return {
        f"manifests/overlays/{name}": build_at(
            tmp_path / name, another_katib, part, patches=NO_ROLE + FORCE * (name == "uninstall")
        )
        for name, part in parts.items()
    }


def test_what_the_pages_say_installs_and_uninstalls(another_katib: str, folders: dict[str, str]) -> None:
    """Follows docs/install.md, then docs/uninstall.md; the Jobs run in a namespace that enforces Pod Security `restricted`."""
    before = algorithms(another_katib)
    said = obey("install.md", another_katib, folders)
    assert f"katib-config: add {', '.join(STRATEGIES)}\n" in said
    assert algorithms(another_katib)[: len(before)] == before
    added = algorithms(another_katib)[len(before) :]
    assert [entry["algorithmName"] for entry in added] == STRATEGIES
    assert {entry["image"] for entry in added} == {"localhost/tunesmith-suggestion:0.1.0"}
    said = obey("uninstall.md", another_katib, folders)
    assert f"katib-config: remove {', '.join(STRATEGIES)}\n" in said
    assert algorithms(another_katib) == before
    left = read(
        "jobs,configmaps,serviceaccounts,roles,rolebindings", "-n", another_katib, "-l", "app.kubernetes.io/part-of=tunesmith"
    )
    assert left["items"] == []


def test_algorithms_are_not_taken_from_experiments_that_use_them(
    installed: None, another_katib: str, folders: dict[str, str], tmp_path: Path
) -> None:
    run("create", "--filename=-", text=probe(STRATEGIES[0], another_katib, "in-use"))
    run("apply", "-k", folders["manifests/overlays/standalone"])
    run("wait", "-n", another_katib, "--for=condition=complete", "--timeout=2m", "job/tunesmith-config")
    careful = build_at(
        tmp_path / "careful", another_katib, "overlays/uninstall", patches=NO_ROLE + BOUND_HERE.format(another_katib)
    )
    run("apply", "-k", careful)
    try:
        log = ["logs", "-n", another_katib, "job/tunesmith-config-remove"]
        wait_for(
            "the Job to refuse", lambda: "experiments use Tunesmith's algorithms" in attempt(*log).stderr + attempt(*log).stdout
        )
        assert STRATEGIES[0] in [entry["algorithmName"] for entry in algorithms(another_katib)]
    finally:
        run("delete", "-k", careful)
