"""A trial whose data and outcome lie on a real S3 server, which may be away for a while."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.minio import Minio, environment, server
from tests.katib.db_manager import DBManager, serve
from tests.model_folders import Made
from tests.trial.pods import Pod
from tests.trial.test_trial import wait_for
from tunesmith import storage
from tunesmith.data.info import DatasetInfo
from tunesmith.search import study_content
from tunesmith.spec import parse_spec
from tunesmith.strategies.random import Random
from tunesmith.study import StudyView

pytestmark = pytest.mark.cluster
__all__ = ["environment", "server"]


@pytest.fixture
def pod(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Pod]:
    manager = DBManager()
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with serve(manager) as address:
        yield Pod(tmp_path, manager, {"KATIB_DB_MANAGER": address, **aws})


@pytest.fixture
def study(pod: Pod) -> str:
    return f"minio://studies/{pod.folder.name}"


def outcome(study: str) -> dict[str, Any]:
    return json.loads(storage.read_text(f"{study}/trials/3/outcome.json"))


def tell_at(pod: Pod, study: str, source: str) -> None:
    """Tell the pod of a function whose code lies in the study."""
    pod.tell_function(source)
    storage.upload(pod.folder / "code", f"{study}/code")
    pod.environ |= {"TUNESMITH_STUDY": study, "TUNESMITH_CODE": f"{study}/code"}


def test_code_comes_from_the_store_and_the_outcome_goes_there(pod: Pod, study: str) -> None:
    tell_at(pod, study, "def loss(candidate):\n    return candidate['x']\n")
    pod.run()
    assert outcome(study)["metrics"] == {"loss": 0.25}
    assert storage.names(f"{study}/trials/3") == ["attempts", "candidate.json", "log", "outcome.json"]


def test_a_network_is_trained_on_data_from_the_store(pod: Pod, study: str, image_model: Made) -> None:
    info = DatasetInfo.load(image_model.dataset)
    storage.upload(image_model.dataset, f"{study}/dataset")
    content = {"space": {"kind": "layers", "convs": 1, "dense": 1}, "data": {"uri": "digits"}, "evaluation": {"epochs": 1}}
    spec = parse_spec(content).for_data(info)
    assert spec.objective is not None
    pod.candidate = dict(Random().propose(StudyView(spec.space, spec.objective), 1)[0].candidate)
    pod.tell(study_content(spec, info.fingerprint), TUNESMITH_STUDY=study, TUNESMITH_DATASET=f"{study}/dataset")
    pod.run()
    assert outcome(study)["state"] == "finished"
    storage.download(f"{study}/trials/3/model.keras", pod.folder / "model.keras")
    assert (pod.folder / "model.keras").stat().st_size > 1000
    assert [path.name for path in (pod.folder / "disk/cache/tunesmith/data").iterdir()] == [info.fingerprint]


def come_back_later(server: Minio) -> threading.Timer:
    """Start the server again when a trial has had time to miss it."""
    timer = threading.Timer(4.0, server.start)
    timer.start()
    return timer


def test_a_store_that_is_away_when_a_trial_begins_is_waited_for(pod: Pod, study: str, server: Minio) -> None:
    tell_at(pod, study, "def loss(candidate):\n    return candidate['x']\n")
    server.stop()
    timer = come_back_later(server)
    pod.run()
    timer.join()
    assert outcome(study)["metrics"] == {"loss": 0.25}


def test_a_store_that_is_away_when_a_trial_ends_is_waited_for(pod: Pod, study: str, server: Minio) -> None:
    source = (
        "import pathlib, time\ndef loss(candidate, context):\n    context.report(1, {'loss': 1.0})\n"
        f"    while not pathlib.Path('{pod.folder}/go').exists():\n        time.sleep(0.05)\n    return 0.5\n"
    )
    tell_at(pod, study, source)
    process = pod.start()
    wait_for(lambda: pod.manager.rows)
    server.stop()
    timer = come_back_later(server)
    (pod.folder / "go").touch()
    output, errors = process.communicate(timeout=120)
    timer.join()
    assert process.returncode == 0, output + errors
    assert outcome(study)["metrics"] == {"loss": 0.5}
    assert pod.results()["loss"] == 0.5
