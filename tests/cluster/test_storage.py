"""The storage on a real S3 server: what it keeps, what it says of mistakes, and how it outlives the server's absence."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.minio import KEY, SECRET, Minio, environment, server, store
from tunesmith import storage
from tunesmith.errors import StorageError
from tunesmith.storage._objects import Objects

pytestmark = pytest.mark.cluster
__all__ = ["environment", "server"]


@pytest.fixture(params=["minio", "s3"])
def folder(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A folder of the test's own; a bucket exists, folders do not."""
    return f"{request.param}://studies/{tmp_path.name}"


def write_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_texts_are_written_read_and_created_once(folder: str) -> None:
    uri = storage.join(folder, "text")
    assert not storage.exists(uri)
    storage.write_text(uri, "Größe\r\n")
    assert storage.read_text(uri) == "Größe\r\n"
    assert storage.create_text(f"{uri}2", "first")
    assert not storage.create_text(f"{uri}2", "second")
    assert storage.create_text(f"{uri}2", "first")
    assert storage.read_text(f"{uri}2") == "first"


def test_of_many_that_create_a_text_at_once_one_succeeds(folder: str) -> None:
    won: list[int] = []

    def create(number: int) -> None:
        if storage.create_text(storage.join(folder, "promotion"), str(number)):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(number) for number in won] == [storage.read_text(storage.join(folder, "promotion"))]


def test_folders_come_and_go_whole(folder: str, tmp_path: Path) -> None:
    write_files(tmp_path / "source", "1/candidate.json", "1/own/deep.txt", "10/candidate.json", "dataset.json")
    storage.upload(tmp_path / "source", folder)
    assert storage.names(folder) == ["1", "10", "dataset.json"]
    storage.download(folder, tmp_path / "target")
    assert (tmp_path / "target/1/own/deep.txt").read_text() == "1/own/deep.txt"
    storage.download(storage.join(folder, "dataset.json"), tmp_path / "target" / "file")
    assert (tmp_path / "target/file").read_text() == "dataset.json"


def test_what_begins_with_the_same_name_is_another_folder(folder: str, tmp_path: Path) -> None:
    write_files(tmp_path / "source", "1/a", "10/a")
    storage.upload(tmp_path / "source", folder)
    storage.download(storage.join(folder, "1"), tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["a"]
    storage.remove(storage.join(folder, "1"))
    assert storage.names(folder) == ["10"]
    assert not storage.exists(storage.join(folder, "1"))
    assert storage.exists(storage.join(folder, "10"))
    storage.remove(storage.join(folder, "1"))


def test_a_file_of_many_megabytes_arrives_as_it_was(folder: str, tmp_path: Path) -> None:
    content = os.urandom(2**20) * 120
    (tmp_path / "model.keras").write_bytes(content)
    storage.upload(tmp_path / "model.keras", storage.join(folder, "model.keras"))
    storage.download(storage.join(folder, "model.keras"), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_a_local_copy_is_made_once_and_never_half(folder: str, tmp_path: Path) -> None:
    write_files(tmp_path / "source", "dataset.json", "train_x.npy", "train_y.npy")
    storage.upload(tmp_path / "source", folder)
    get = Objects.get

    def interrupted(self: Objects, path: str, local: Path) -> None:
        if path.endswith("train_y.npy"):
            raise KeyboardInterrupt
        get(self, path, local)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objects, "get", interrupted)
        with pytest.raises(KeyboardInterrupt):
            storage.local_copy(folder, tmp_path / "cache", "fingerprint")
    assert list((tmp_path / "cache").iterdir()) == []
    copy = storage.local_copy(folder, tmp_path / "cache", "fingerprint")
    assert sorted(path.name for path in copy.iterdir()) == ["dataset.json", "train_x.npy", "train_y.npy"]
    storage.remove(folder)
    assert storage.local_copy(folder, tmp_path / "cache", "fingerprint") == copy


def test_a_name_that_leads_out_of_the_folder_is_not_copied(folder: str, tmp_path: Path) -> None:
    class Crafted(Objects):
        def files(self, path: str) -> list[str]:
            return ["../outside"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tunesmith.storage._objects.Objects", Crafted)
        with pytest.raises(StorageError, match="leads out of the folder"):
            storage.download(folder, tmp_path / "target")
    assert not (tmp_path / "outside").exists()


def test_an_empty_object_that_marks_a_folder_is_no_file(folder: str, server: Minio, tmp_path: Path) -> None:
    storage.write_text(storage.join(folder, "data", "a"), "a")
    bucket_and_key = folder.partition("://")[2]
    store(server).call_s3("put_object", Bucket="studies", Key=bucket_and_key.partition("/")[2] + "/data/", Body=b"")
    assert storage.names(storage.join(folder, "data")) == ["a"]
    storage.download(storage.join(folder, "data"), tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["a"]


def told(uri: str, call: Any = storage.read_text) -> str:
    with storage.patient(0.1), pytest.raises(StorageError) as caught:
        call(uri)
    assert str(caught.value).startswith(uri)
    return str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_named(folder: str, tmp_path: Path, server: Minio) -> None:
    missing = f"there is no such file or folder at {server.endpoint}"
    assert missing in told(storage.join(folder, "nothing"))
    with pytest.raises(StorageError, match="there is no such file or folder"):
        storage.download(storage.join(folder, "nothing"), tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "call", [storage.read_text, storage.exists, storage.names, lambda uri: storage.write_text(uri, "text")]
)
def test_a_missing_bucket_is_named_with_the_endpoint(environment: pytest.MonkeyPatch, server: Minio, call: Any) -> None:
    said = told("minio://no-such-bucket/key", call)
    assert f"there is no bucket 'no-such-bucket' at {server.endpoint}; make it" in said
    assert "AWS_ENDPOINT_URL says otherwise" in said


@pytest.mark.parametrize(
    "call", [storage.read_text, storage.exists, storage.names, lambda uri: storage.write_text(uri, "text")]
)
@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("AWS_ACCESS_KEY_ID", "does not know the access key wron… (AWS_ACCESS_KEY_ID)"),
        ("AWS_SECRET_ACCESS_KEY", "the secret key (AWS_SECRET_ACCESS_KEY) is not that of the access key tune…"),
    ],
)
def test_wrong_keys_are_told_apart(environment: pytest.MonkeyPatch, call: Any, variable: str, words: str) -> None:
    environment.setenv(variable, "wrong-one")
    assert words in told("s3://studies/key", call)


@pytest.mark.parametrize("scheme", ["minio", "s3"])
@pytest.mark.parametrize("call", [storage.read_text, storage.exists, lambda uri: storage.write_text(uri, "text")])
def test_without_keys_it_says_which_to_set(environment: pytest.MonkeyPatch, server: Minio, scheme: str, call: Any) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    said = told(f"{scheme}://studies/key", call)
    assert f"access is denied at {server.endpoint} to who has no credentials" in said
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said


def test_what_is_public_is_read_without_keys(environment: pytest.MonkeyPatch, server: Minio) -> None:
    files = store(server)
    files.mkdir("public")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::public", "arn:aws:s3:::public/*"],
    }
    files.call_s3(
        "put_bucket_policy", Bucket="public", Policy=repr({"Version": "2012-10-17", "Statement": [statement]}).replace("'", '"')
    )
    storage.write_text("s3://public/file", "for all")
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    assert storage.read_text("s3://public/file") == "for all"
    assert storage.read_text("minio://public/file") == "for all"


def test_the_keys_of_the_secret_of_kubeflow_pipelines_do(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    environment.setenv("accesskey", KEY)
    environment.setenv("secretkey", SECRET)
    storage.write_text("minio://studies/pipelines", "text")
    assert storage.read_text("minio://studies/pipelines") == "text"


def test_a_server_that_is_away_for_a_while_is_waited_for(
    environment: pytest.MonkeyPatch, server: Minio, tmp_path: Path
) -> None:
    write_files(tmp_path / "source", "log", "outcome.json")
    server.stop()
    back = threading.Timer(2.0, server.start)
    back.start()
    with storage.patient(60):
        storage.upload(tmp_path / "source", "minio://studies/patient")
    back.join()
    assert storage.names("minio://studies/patient") == ["log", "outcome.json"]


def test_a_server_that_stays_away_is_named_when_patience_ends(environment: pytest.MonkeyPatch, server: Minio) -> None:
    server.stop()
    try:
        began = time.monotonic()
        said = told("minio://studies/key")
        assert f"cannot reach {server.endpoint}" in said
        assert time.monotonic() - began < 60
    finally:
        server.start()


def test_a_disk_that_is_full_here_is_no_fault_of_the_store(environment: pytest.MonkeyPatch) -> None:
    storage.write_text("minio://studies/file", "text")
    with pytest.raises(Exception, match="No space left on device"):
        storage._locate("minio://studies/file")[0].get("studies/file", Path("/dev/full"))
