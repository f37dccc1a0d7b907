"""What a search brings to the cluster's storage before its trials start, and what it refuses to."""

import re
from pathlib import Path
from typing import Any

import pytest

from tunesmith import on_katib
from tunesmith.engines.katib import Katib
from tunesmith.errors import SpecError
from tunesmith.image import GPU_IMAGE
from tunesmith.katib.cluster import Cluster
from tunesmith.on_katib import katib_engine, new_id
from tunesmith.spec import parse_spec


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "connect", lambda namespace: Cluster(None, namespace or "default"))


def engine(folder: Path, cluster: dict[str, Any], **sections: Any) -> Katib:
    """Return the engine of a search for a function, whose code lies in `folder`."""
    (folder / "code").mkdir(exist_ok=True)
    for name in ("loss.py", "beside.py"):
        (folder / "code" / name).write_text("def loss(candidate):\n    return 0.0\n")
    content = {
        "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
        "evaluation": {"kind": "function", "function": "loss.py:loss"},
        "cluster": cluster,
        **sections,
    }
    spec = parse_spec(content, folder=folder / "code")
    (folder / "runs" / "sweep" / "study").mkdir(parents=True, exist_ok=True)
    return katib_engine(spec, spec.to_json(), folder / "runs" / "sweep" / "study")


def volume(path: Path, **given: Any) -> list[dict[str, Any]]:
    return [{"claim": "studies", "path": str(path), **given}]


def test_the_code_and_what_lies_beside_it_are_brought_below_the_studys_name(tmp_path: Path) -> None:
    made = engine(tmp_path, {"storage": str(tmp_path / "volume" / "team"), "volumes": volume(tmp_path / "volume")})
    assert re.fullmatch(r"sweep-[0-9a-f]{8}", made.place.study_id)
    assert made.place.study == f"{tmp_path}/volume/team/{made.place.study_id}"
    assert sorted(path.name for path in Path(made.place.code).iterdir()) == ["beside.py", "loss.py"]
    assert made.place.dataset == ""
    assert made.content["evaluation"]["function"] == "loss.py:loss"
    assert "cluster" not in made.content


def test_the_next_call_finds_the_same_study(tmp_path: Path) -> None:
    cluster = {"storage": str(tmp_path / "volume"), "volumes": volume(tmp_path / "volume")}
    assert engine(tmp_path, cluster).place == engine(tmp_path, cluster).place


def test_trials_that_ask_for_gpus_run_in_the_image_for_them(tmp_path: Path) -> None:
    cluster = {"storage": f"file://{tmp_path}/volume", "volumes": volume(tmp_path / "volume")}
    assert engine(tmp_path, cluster, resources={"gpu": 1}).image == GPU_IMAGE
    assert engine(tmp_path, {**cluster, "image": "mine:1"}, resources={"gpu": 1}).image == "mine:1"


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        ({}, "cluster.storage: is missing"),
        ({"storage": "studies"}, "cluster.storage: got 'studies'; needs a URI such as s3://bucket/prefix, or an absolute path"),
        ({"storage": "/data/studies"}, "/data/studies is on no volume that the trials may write to; cluster.volumes has none"),
        ({"storage": "file:///database", "volumes": volume(Path("/data"))}, "cluster.volumes has /data; mount one there"),
        (
            {"storage": "/data/studies", "volumes": volume(Path("/data"), read_only=True)},
            "cluster.volumes has /data (read only)",
        ),
    ],
)
def test_a_storage_that_trials_cannot_reach_is_refused_before_anything_is_copied(
    tmp_path: Path, cluster: dict[str, Any], told: str
) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        engine(tmp_path, cluster)
    assert not (tmp_path / "studies").exists()


def test_a_space_that_is_the_users_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("def build(choose):\n    return choose.int('n', 1, 2)\n")
    content = {"space": {"kind": "code", "build": "nets.py:build"}, "data": {"uri": "digits"}}
    spec = parse_spec(content, folder=tmp_path)
    with pytest.raises(SpecError, match="'code' cannot be searched on a cluster"):
        katib_engine(spec, spec.to_json(), tmp_path)


@pytest.mark.parametrize("stem", ["My Study!", "2026-11", "a" * 60, "-", ""])
def test_an_id_is_fit_for_labels_and_names(stem: str) -> None:
    made = new_id(stem, "0123abcd")
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", made)
    assert len(made) <= on_katib.LONGEST_ID
