"""The registry of models and the data of a pipeline on a real S3 server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from tests.cluster.minio import KEY, SECRET, Minio, require_minio
from tunesmith.champions import Champions
from tunesmith.data.prepare import prepare
from tunesmith.errors import RegistryError, StorageError
from tunesmith.sections import DataSpec

pytestmark = pytest.mark.cluster

TABLE = "a,b,label\n" + "".join(f"{i},{i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(60))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    require_minio()
    minio = Minio(tmp_path_factory.mktemp("minio"))
    minio.start()
    fsspec.filesystem("s3", endpoint_url=minio.endpoint, key=KEY, secret=SECRET).mkdir("models")
    yield minio
    minio.stop()


@pytest.fixture
def bucket(server: Minio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A folder of the test's own in a bucket."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return f"minio://models/{tmp_path.name}"


def model(folder: Path, content: str) -> dict[str, Path]:
    """Return the parts of a run whose model has this content."""
    parts = {name: folder / content / name for name in ("model", "study")}
    (parts["study"] / "trials" / "0").mkdir(parents=True)
    parts["model"].mkdir(parents=True)
    (parts["model"] / "model.keras").write_text(content)
    for name in ("spec.yaml", "trials/0/candidate.json", "trials/0/outcome.json"):
        (parts["study"] / name).write_text("{}")
    return parts


def test_models_are_promoted_fetched_and_taken_back(bucket: str, tmp_path: Path) -> None:
    registry = Champions(bucket)
    assert registry.champion() is None
    first = registry.promote(model(tmp_path, "a"), {"accuracy": 0.8}, "", "the first")
    second = registry.promote(model(tmp_path, "b"), {"accuracy": 0.9}, first.version, "better")
    registry.fetch(second.version, tmp_path / "fetched")
    assert (tmp_path / "fetched/model/model.keras").read_text() == "b"
    assert (tmp_path / "fetched/study/trials/0/outcome.json").exists()
    assert registry.roll_back().version == first.version
    assert [entry.number for entry in Champions(bucket).history()] == [1, 2, 3]


def test_of_promotions_at_the_same_time_one_wins(bucket: str, tmp_path: Path) -> None:
    registry = Champions(bucket)
    first = registry.promote(model(tmp_path, "start"), {}, "", "the first")
    parts = [model(tmp_path, name) for name in "abcd"]
    won, refused = [], []
    start = threading.Barrier(len(parts))

    def promote(mine: dict[str, Path]) -> None:
        start.wait()
        try:
            won.append(registry.promote(mine, {}, first.version, "better"))
        except RegistryError as error:
            refused.append(error)

    threads = [threading.Thread(target=promote, args=(mine,)) for mine in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, len(parts) - 1)
    assert registry.history() == [first, *won]


def test_a_table_is_prepared_from_its_storage_uri(bucket: str, server: Minio, tmp_path: Path) -> None:
    store = fsspec.filesystem("s3", endpoint_url=server.endpoint, key=KEY, secret=SECRET)
    store.pipe_file(f"{bucket.removeprefix('minio://')}/table.csv", TABLE.encode())
    info = prepare(DataSpec(uri=f"{bucket}/table.csv"), tmp_path / "dataset")
    (tmp_path / "table.csv").write_text(TABLE)
    assert info.fingerprint == prepare(DataSpec(uri="table.csv"), tmp_path / "local", tmp_path).fingerprint
    with pytest.raises(StorageError, match=r"nowhere\.csv: there is no such file"):
        prepare(DataSpec(uri=f"{bucket}/nowhere.csv"), tmp_path / "nowhere")
