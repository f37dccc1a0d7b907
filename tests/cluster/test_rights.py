"""What each account may do on a real cluster, and what it may not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import attempt, build_at, kubeconfig, run
from tunesmith.errors import ClusterError
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.outline import Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.study import Objective

pytestmark = pytest.mark.cluster

RUNNER = {
    **dict.fromkeys([("experiments.kubeflow.org", verb) for verb in ("create", "get", "list", "patch", "delete")], ""),
    **dict.fromkeys([("trials.kubeflow.org", "get"), ("suggestions.kubeflow.org", "get")], ""),
    **dict.fromkeys([("pods", "get"), ("pods", "list"), ("events", "list")], ""),
}
CONFIG = {
    ("configmaps", "get"): "katib-config",
    ("configmaps", "patch"): "katib-config",
    ("jobs.batch", "get"): "tunesmith-config",
}


def rights(account: str, namespace: str) -> dict[tuple[str, str], str]:
    """Return what an account may in a namespace beyond what everybody may: names of objects by resource and verb."""

    def listed(who: str) -> dict[tuple[str, str], str]:
        said = run("auth", "can-i", "--list", "--no-headers", "-n", namespace, f"--as=system:serviceaccount:{who}")
        rows = re.findall(r"^(\S+) +\[.*?\] +\[(.*?)\] +\[(.*?)\]$", said, re.MULTILINE)
        return {(resource, verb): names for resource, names, verbs in rows for verb in verbs.split()}

    everybody = listed("nowhere:nobody")
    return {right: names for right, names in listed(account).items() if right not in everybody}


def test_a_runner_may_search_in_its_namespace_and_nothing_more(installed: None) -> None:
    assert rights("experiments:tunesmith-runner", "experiments") == RUNNER
    assert rights("experiments:tunesmith-runner", "kubeflow") == {}
    assert rights("experiments:tunesmith-runner", "default") == {}


def test_a_step_of_kubeflow_pipelines_may_search_where_experiments_are(installed: None) -> None:
    assert rights("kubeflow:pipeline-runner", "experiments") == RUNNER


@pytest.mark.parametrize("namespace", ["experiments", "kubeflow"])
def test_trials_and_suggestion_services_may_nothing(installed: None, namespace: str) -> None:
    assert rights("experiments:tunesmith-trial", namespace) == {}
    assert rights("experiments:default", namespace) == {}


def test_the_config_job_may_edit_one_configmap(installed: None) -> None:
    assert rights("kubeflow:tunesmith-config", "kubeflow") == CONFIG
    assert rights("kubeflow:tunesmith-config", "experiments") == {}


@pytest.mark.parametrize(
    ("account", "namespace", "asked", "answer"),
    [
        ("experiments:tunesmith-runner", "experiments", "create experiments.kubeflow.org", "yes"),
        ("experiments:tunesmith-runner", "experiments", "get pods", "yes"),
        ("experiments:tunesmith-runner", "experiments", "get pods --subresource=log", "no"),
        ("experiments:tunesmith-runner", "experiments", "create pods", "no"),
        ("experiments:tunesmith-runner", "experiments", "create pods --subresource=exec", "no"),
        ("experiments:tunesmith-runner", "experiments", "get secrets", "no"),
        ("experiments:tunesmith-runner", "experiments", "update trials.kubeflow.org", "no"),
        ("experiments:tunesmith-runner", "kubeflow", "list pods", "no"),
        ("experiments:tunesmith-trial", "experiments", "get experiments.kubeflow.org", "no"),
        ("kubeflow:tunesmith-config", "kubeflow", "patch configmaps/katib-config", "yes"),
        ("kubeflow:tunesmith-config", "kubeflow", "patch configmaps/trial-templates", "no"),
        ("kubeflow:tunesmith-config", "kubeflow", "list configmaps", "no"),
        ("kubeflow:tunesmith-config", "kubeflow", "patch deployments.apps/katib-controller", "no"),
        ("kubeflow:tunesmith-config", "kubeflow", "get secrets", "no"),
    ],
)
def test_who_may_what(installed: None, account: str, namespace: str, asked: str, answer: str) -> None:
    told = attempt("auth", "can-i", *asked.split(), "-n", namespace, f"--as=system:serviceaccount:{account}")
    assert told.stdout.strip() == answer


@pytest.fixture
def editors(namespace: str) -> Iterator[str]:
    """A profile's editors as Kubeflow binds them, without Kubeflow: a role that aggregates, and the account default-editor."""
    name = f"{namespace}-editors"
    selector = {"matchLabels": {"rbac.authorization.kubeflow.org/aggregate-to-kubeflow-edit": "true"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": []}
    run("apply", "--filename=-", text=json.dumps(role | {"aggregationRule": {"clusterRoleSelectors": [selector]}}))
    run(
        "create",
        "rolebinding",
        "default-editor",
        "-n",
        namespace,
        f"--clusterrole={name}",
        f"--serviceaccount={namespace}:default-editor",
    )
    yield namespace
    run("delete", "clusterrole", name)


def test_the_editor_of_a_profile_may_search_there(installed: None, editors: str) -> None:
    run("wait", f"clusterrole/{editors}-editors", "--for=jsonpath={.rules[0].verbs}", "--timeout=30s")
    assert RUNNER.items() <= rights(f"{editors}:default-editor", editors).items()


def account_client(account: str, namespace: str) -> Cluster:
    """Return the cluster as a service account sees it, with a token of its own."""
    from kubernetes import client, config

    settings = client.Configuration()
    config.load_kube_config(kubeconfig(), client_configuration=settings)
    token = run("create", "token", account, "-n", namespace).strip()
    settings.cert_file = settings.key_file = settings.refresh_api_key_hook = None
    settings.api_key = {"authorization": f"Bearer {token}"}
    return Cluster(client.ApiClient(settings), namespace, patience=0)


def test_the_engines_calls_are_allowed_to_a_runner(installed: None, namespace: str, tmp_path: Path) -> None:
    run("apply", "-k", build_at(tmp_path / "here", namespace, "base/experiments"))
    cluster = account_client("tunesmith-runner", namespace)
    content = {"strategy": {"name": "random"}, "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}}}
    outline = Outline(
        *("rights", namespace, "study", content, Objective("loss"), 1, 1), image="localhost/no-such:1", study="s3://b/s"
    )
    assert cluster.create_experiment(build_experiment(outline, ClusterSpec(), ResourcesSpec()))
    assert cluster.experiments("tunesmith.io/study=study")
    assert cluster.experiment("rights")
    cluster.change_budget("rights", 2, 1)
    cluster.suggestion("rights")
    cluster.pods("a=b")
    cluster.events()
    with pytest.raises(ClusterError, match=r'trials.kubeflow.org "none" not found'):
        cluster.trial("none")
    cluster.delete_experiment("rights")
    with pytest.raises(ClusterError, match=r'cannot list resource "pods"'):
        account_client("tunesmith-trial", namespace).pods("a=b")
