"""What holds for whatever the manifests apply: restricted pods, bounded resources, named images, rights without wildcards."""

import re
from pathlib import Path

import pytest
import yaml

from tests.manifests.builds import FOLDERS, MANIFESTS, Object, build, kubectl, objects, pod_specs
from tunesmith import __version__, registry
from tunesmith.katib import job
from tunesmith.katib.entries import CONTAINER, strategy_entries
from tunesmith.katib.outline import Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.study import Objective

OVERLAYS = [name for name in FOLDERS if name != "base"]


@pytest.fixture(scope="module", autouse=True)
def builder() -> None:
    kubectl()


def every_container() -> list[tuple[str, Object, Object]]:
    """Return overlay, pod and container of all that runs, and what Katib is told to run."""
    found = [
        (name, spec, container)
        for name in FOLDERS
        for item in objects(name)
        for spec in pod_specs(item)
        for container in [*spec.get("initContainers", []), *spec["containers"]]
    ]
    assert len(found) >= len(OVERLAYS) - 1
    return [*found, ("algorithms", {}, CONTAINER)]


def test_every_container_is_restricted() -> None:
    for name, pod, container in every_container():
        held = container["securityContext"]
        assert held["allowPrivilegeEscalation"] is False, name
        assert held["readOnlyRootFilesystem"] is True, name
        assert held["runAsNonRoot"] is True, name
        assert held["runAsUser"] == job.USER, name
        assert held["capabilities"] == {"drop": ["ALL"]}, name
        assert held["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert not any("hostPath" in volume for volume in pod.get("volumes", [])), name


def test_every_container_asks_for_and_is_held_to_processor_and_memory() -> None:
    for name, _, container in every_container():
        assert set(container["resources"]["requests"]) >= {"cpu", "memory"}, name
        assert set(container["resources"]["limits"]) >= {"cpu", "memory"}, name


def test_every_image_has_a_tag_of_this_version() -> None:
    for name, _, container in every_container():
        if name in OVERLAYS:
            assert container["image"] == f"localhost/tunesmith-suggestion:{__version__}", name


def test_no_file_speaks_of_the_latest_image() -> None:
    for path in MANIFESTS.rglob("*.yaml"):
        assert not re.search(r"image: \S+:latest|newTag: latest", path.read_text()), path


def test_no_right_is_given_by_a_wildcard_nor_over_secrets() -> None:
    for name in FOLDERS:
        for role in objects(name):
            for rule in role.get("rules", []):
                assert "*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]], name
                assert not {"secrets", "pods/exec", "roles", "rolebindings"} & set(rule["resources"]), name


def test_the_configs_rights_are_on_named_objects_alone() -> None:
    rules = next(found["rules"] for found in objects("base") if found["kind"] == "Role")
    assert all(rule.get("resourceNames") for rule in rules)


def test_rights_are_given_in_single_namespaces_but_for_a_look_around_before_uninstalling() -> None:
    for name in set(FOLDERS) - {"uninstall"}:
        assert "ClusterRoleBinding" not in {found["kind"] for found in objects(name)}, name


def test_every_object_is_marked_as_tunesmiths() -> None:
    for name in FOLDERS:
        for found in objects(name):
            labels = found["metadata"].get("labels", {})
            assert labels.get("app.kubernetes.io/part-of") == "tunesmith", (name, found["kind"], found["metadata"]["name"])


def test_every_strategy_is_registered() -> None:
    listed = next(found for found in objects("standalone") if found["metadata"]["name"] == "tunesmith-algorithms")
    told = yaml.safe_load(listed["data"]["algorithms.yaml"])
    assert [entry["algorithmName"] for entry in told] == [
        f"tunesmith-{name}" for name in registry.discover("tunesmith.strategies")
    ]
    assert told == strategy_entries()


def test_one_edit_moves_every_image_to_another_registry(tmp_path: Path) -> None:
    copy = tmp_path / "manifests"
    for path in MANIFESTS.rglob("*.yaml"):
        (copy / path.relative_to(MANIFESTS)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(MANIFESTS)).write_text(
            path.read_text().replace("newName: localhost/", "newName: mirror.example/x/")
        )
    for folder in FOLDERS.values():
        images = set(re.findall(r"image: (\S+)", build(copy / folder)))
        assert all(image.startswith(("mirror.example/x/", "tunesmith-suggestion")) for image in images), folder
    assert "mirror.example/x/tunesmith-suggestion" in build(copy / "overlays" / "standalone")


def test_another_namespace_is_three_lines(tmp_path: Path) -> None:
    base = Path("../" * len(tmp_path.parents)) / MANIFESTS.relative_to("/") / "base"
    lines = f"namespace: team-a\nresources:\n- {base}/namespace\n- {base}/experiments\n"
    (tmp_path / "kustomization.yaml").write_text(lines)
    made = list(yaml.safe_load_all(build(tmp_path)))
    assert [found["metadata"]["name"] for found in made if found["kind"] == "Namespace"] == ["team-a"]
    assert {found["metadata"].get("namespace", "team-a") for found in made} == {"team-a"}
    bound = next(found for found in made if found["kind"] == "RoleBinding")
    assert bound["subjects"] == [{"kind": "ServiceAccount", "name": "tunesmith-runner", "namespace": "team-a"}]


def test_the_trials_policy_meets_the_pods_that_experiments_make() -> None:
    policy = next(found for found in objects("base") if found["metadata"]["name"] == "tunesmith-trials")
    outline = Outline("e", "experiments", "s", {}, Objective("loss", "minimize"), 1, 1, "image", "s3://b/s")
    labels = job.trial_job(outline, ClusterSpec(), ResourcesSpec(), [])["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_label_that_lets_katib_in_never_lies_on_its_own_namespace() -> None:
    for name in FOLDERS:
        for found in objects(name):
            assert (found["kind"], found["metadata"]["name"]) != ("Namespace", "kubeflow"), name


@pytest.mark.parametrize("name", FOLDERS)
def test_nothing_is_applied_that_kubernetes_makes_by_itself(name: str) -> None:
    """A new namespace gets its account `default` at some moment: an apply that brings one fails when it comes second."""
    accounts = [item["metadata"]["name"] for item in objects(name) if item["kind"] == "ServiceAccount"]
    assert "default" not in accounts
