"""The wall-clock of an experiment on a cluster, beside the same with Katib's own random algorithm (goptuna).

Each trial is a pod with one GPU that works for some seconds and reports one metric. Both experiments run in one namespace,
`--repeat` times in turns, from the creation of the Experiment to its Succeeded condition. Katib's own needs its metrics
sidecar, which Pod Security `restricted` refuses: the namespace enforces nothing.
"""

import json
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import Measurement, parser, show
from tunesmith.image import IMAGE
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.outline import Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spec import parse_spec
from tunesmith.study import Objective

LABEL = "katib.kubeflow.org/metrics-collector-injection"
POLL_SECONDS = 0.1
LIMIT_SECONDS = 900
WORK = """import time


def work(candidate):
    time.sleep({seconds})
    return (candidate["x"] - 0.3) ** 2
"""


def main() -> None:
    """Run both, print how long each took."""
    options = parser(__doc__)
    options.add_argument("--trials", type=int, default=12)
    options.add_argument("--parallel", type=int, default=4)
    options.add_argument("--work", type=float, default=5.0, help="seconds of each trial")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--image", default=IMAGE, help="image of the trials of both")
    options.add_argument("--strategy", default="random")
    given = options.parse_args()
    with namespace() as cluster, volume(cluster) as folder:
        times = {"Tunesmith": [], "Katib's goptuna": []}
        starts = {name: [] for name in times}
        for turn in range(given.repeat):
            for name, experiment in (
                ("Tunesmith", ours(given, cluster, folder, turn)),
                ("Katib's goptuna", theirs(given, turn)),
            ):
                seconds, start = run(cluster, experiment)
                times[name].append(seconds)
                starts[name].append(start)
                print(f"{name}: {seconds:.1f} s, first trial after {start:.1f} s")
    ratios = [a / b for a, b in zip(times["Tunesmith"], times["Katib's goptuna"], strict=True)]
    figures = [Measurement(f"{name}: experiment", "s", values) for name, values in times.items()]
    figures += [Measurement(f"{name}: first trial made after", "s", values) for name, values in starts.items()]
    figures.append(Measurement("Tunesmith / goptuna", "", ratios))
    title = f"{given.trials} trials of {given.work:g} s on 1 GPU each, {given.parallel} at a time"
    show(title, figures, {"strategy": given.strategy, "image": given.image}, given.json)


@contextmanager
def namespace() -> Iterator[Cluster]:
    """A namespace of its own that Katib serves."""
    from kubernetes import client

    base = Cluster.connect()
    name = f"bench-{int(time.time())}"
    core = client.CoreV1Api(base.client)
    core.create_namespace({"metadata": {"name": name, "labels": {LABEL: "enabled"}}})
    try:
        yield Cluster(base.client, name)
    finally:
        core.delete_namespace(name)


@contextmanager
def volume(cluster: Cluster) -> Iterator[Path]:
    """A folder of this machine as a volume of the namespace: the cluster must run here."""
    from kubernetes import client

    core = client.CoreV1Api(cluster.client)
    with tempfile.TemporaryDirectory(prefix="tunesmith-bench-", dir="/var/tmp") as name:
        Path(name).chmod(0o777)
        size = {"storage": "1Gi"}
        claim = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "resources": {"requests": size}}
        path = {"capacity": size, "accessModes": ["ReadWriteMany"], "storageClassName": "", "hostPath": {"path": name}}
        core.create_persistent_volume({"metadata": {"name": cluster.namespace}, "spec": path})
        spec = {**claim, "volumeName": cluster.namespace}
        core.create_namespaced_persistent_volume_claim(cluster.namespace, {"metadata": {"name": "studies"}, "spec": spec})
        try:
            yield Path(name)
        finally:
            core.delete_persistent_volume(cluster.namespace)


def ours(given: Namespace, cluster: Cluster, folder: Path, turn: int) -> dict[str, Any]:
    """Return the Experiment as the Katib engine makes it."""
    study = folder / f"ours-{turn}"
    (study / "code").mkdir(parents=True)
    study.chmod(0o777)
    (study / "code" / "work.py").write_text(WORK.format(seconds=given.work))
    content = parse_spec(
        {
            "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
            "strategy": {"name": given.strategy},
            "evaluation": {"kind": "function", "function": "work.py:work"},
        }
    ).to_json()
    settings = ClusterSpec.model_validate({"volumes": [{"claim": "studies", "path": str(folder)}]})
    outline = Outline(
        *(f"ours-{turn}", cluster.namespace, f"ours-{turn}"),
        content={key: content[key] for key in ("space", "strategy", "evaluation", "objectives", "resources")},
        objective=Objective("loss"),
        trials=given.trials,
        parallel=given.parallel,
        image=given.image,
        study=str(study),
        code=str(study / "code"),
    )
    return build_experiment(outline, settings, ResourcesSpec(gpu=1, cpu=0.1))


def theirs(given: Namespace, turn: int) -> dict[str, Any]:
    """Return the same Experiment with Katib's own random algorithm and metrics collector."""
    container = {
        "name": "trial",
        "image": given.image,
        "command": ["sh", "-c", f"sleep {given.work}; echo loss=${{trialParameters.x}}"],
        "resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "100m"}},
    }
    job = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": f"theirs-{turn}"},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": "random"},
            "parallelTrialCount": given.parallel,
            "maxTrialCount": given.trials,
            "maxFailedTrialCount": given.trials,
            "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}],
            "trialTemplate": {
                "primaryContainerName": "trial",
                "retain": True,
                "trialParameters": [{"name": "x", "reference": "x"}],
                "trialSpec": {"apiVersion": "batch/v1", "kind": "Job", "spec": job},
            },
        },
    }


def run(cluster: Cluster, experiment: dict[str, Any]) -> tuple[float, float]:
    """Return the seconds until an Experiment has succeeded and until its first trial was made; else raises RuntimeError."""
    name, started, first = experiment["metadata"]["name"], time.monotonic(), 0.0
    cluster.create_experiment(experiment)
    while time.monotonic() - started < LIMIT_SECONDS:
        status = (cluster.experiment(name) or {}).get("status", {})
        first = first or (time.monotonic() - started if status.get("trials") else 0.0)
        holding = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
        if "Succeeded" in holding:
            succeeded = status.get("trialsSucceeded", 0)
            if succeeded != experiment["spec"]["maxTrialCount"]:
                raise RuntimeError(f"{name}: {succeeded} trials succeeded: {json.dumps(status)}")
            seconds = time.monotonic() - started
            cluster.delete_experiment(name)
            return seconds, first
        if "Failed" in holding:
            break
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{name} did not succeed: {json.dumps(cluster.experiment(name), indent=1)}")


if __name__ == "__main__":
    main()
