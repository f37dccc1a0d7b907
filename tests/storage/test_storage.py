"""Files at URIs: what the words of a URI mean, and what is told where they mean nothing. Object stores: tests/cluster."""

import errno
import os
import sys
from pathlib import Path

import pytest

from tests.test_imports import run_python
from tunesmith import storage
from tunesmith.errors import StorageError
from tunesmith.storage import _access, _disk, _objects
from tunesmith.storage._access import Access


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that knows no object store."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name in ("accesskey", "secretkey"):
            monkeypatch.delenv(name)
    return monkeypatch


def test_parts_are_joined_by_single_slashes():
    assert storage.join("s3://bucket/a/", "/b/", "c") == "s3://bucket/a/b/c"
    assert storage.join("/data", "trials", "3") == "/data/trials/3"
    assert storage.join("/", "trials") == "/trials"
    assert storage.join("s3://", "trials") == "s3:///trials", "a missing bucket stays one"


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_text_is_written_and_read_as_it_is(tmp_path: Path, prefix: str):
    uri = f"{prefix}{tmp_path}/deep/down/text"
    assert not storage.exists(uri)
    storage.write_text(uri, "Größe\r\n")
    assert storage.exists(uri)
    assert storage.read_text(uri) == "Größe\r\n"
    assert (tmp_path / "deep/down/text").read_bytes() == "Größe\r\n".encode()
    storage.write_text(uri, "")
    assert storage.read_text(uri) == ""


def test_a_text_is_created_only_where_there_is_none(tmp_path: Path):
    uri = str(tmp_path / "new" / "text")
    assert storage.create_text(uri, "first")
    assert not storage.create_text(uri, "second")
    assert storage.read_text(uri) == "first"
    assert storage.create_text(uri, "first"), "the same once more, after an answer that was lost, is no contradiction"
    assert storage.names(str(tmp_path / "new")) == ["text"]


def test_the_names_in_a_folder_are_sorted_and_none_where_there_is_none(tmp_path: Path):
    for name in ("b", "a", "c/d"):
        storage.write_text(f"{tmp_path}/x/{name}", name)
    assert storage.names(f"{tmp_path}/x") == ["a", "b", "c"]
    assert storage.names(f"file://{tmp_path}/y") == []
    assert storage.exists(f"{tmp_path}/x/c")
    (tmp_path / "empty").mkdir()
    assert not storage.exists(f"{tmp_path}/empty")


def test_a_folder_is_uploaded_with_what_marks_it_as_whole_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("model.keras", "outcome.json", "own/z.txt", "dataset.json"):
        storage.write_text(f"{tmp_path}/source/{name}", name)
    written = []
    put = _disk.Disk.put
    monkeypatch.setattr(_disk.Disk, "put", lambda self, local, path: (written.append(local.name), put(self, local, path)))
    storage.upload(tmp_path / "source", f"{tmp_path}/target")
    assert written[:2] == ["model.keras", "z.txt"]
    assert storage.read_text(f"{tmp_path}/target/own/z.txt") == "own/z.txt"


def test_a_folder_takes_the_place_of_what_was_there_and_a_file_too(tmp_path: Path):
    storage.write_text(f"{tmp_path}/source/a", "new")
    storage.write_text(f"{tmp_path}/target/old", "old")
    storage.download(f"{tmp_path}/source", tmp_path / "target")
    assert storage.names(f"{tmp_path}/target") == ["a"]
    storage.download(f"{tmp_path}/source/a", tmp_path / "target" / "deep" / "b")
    assert (tmp_path / "target/deep/b").read_text() == "new"
    assert [path.name for path in (tmp_path / "target/deep").iterdir()] == ["b"]


def test_an_interrupted_download_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b"):
        storage.write_text(f"{tmp_path}/source/{name}", "new")
    storage.write_text(f"{tmp_path}/target/a", "old")
    get = _disk.Disk.get

    def interrupted(self: _disk.Disk, path: str, local: Path) -> None:
        if path.endswith("/b"):
            raise KeyboardInterrupt
        get(self, path, local)

    monkeypatch.setattr(_disk.Disk, "get", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.download(f"{tmp_path}/source", tmp_path / "target")
    assert (tmp_path / "target" / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_what_a_killed_process_left_of_a_file_is_no_file(tmp_path: Path):
    storage.write_text(f"{tmp_path}/x/a", "whole")
    (tmp_path / "x" / ".b.0123456789ab.partial").write_text("hal")
    assert storage.names(f"{tmp_path}/x") == ["a"]
    storage.download(f"{tmp_path}/x", tmp_path / "y")
    assert [path.name for path in (tmp_path / "y").iterdir()] == ["a"]


def test_files_and_folders_are_removed_and_what_is_not_there_is_no_mistake(tmp_path: Path):
    for name in ("1/a", "1/b/c", "10/a"):
        storage.write_text(f"{tmp_path}/{name}", "")
    storage.remove(f"{tmp_path}/10/a")
    storage.remove(f"{tmp_path}/1")
    storage.remove(f"{tmp_path}/1")
    assert not storage.exists(f"{tmp_path}/1")


def test_a_folder_on_this_machine_is_its_own_local_copy(tmp_path: Path):
    storage.write_text(f"{tmp_path}/data/a", "")
    assert storage.local_copy(f"file://{tmp_path}/data", tmp_path / "cache", "key") == tmp_path / "data"
    with pytest.raises(StorageError, match="there is no such folder on this machine"):
        storage.local_copy(f"{tmp_path}/nothing", tmp_path / "cache", "key")


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("", "a storage URI is empty"),
        ("ftp://host/file", "'ftp' is unknown; allowed: minio://bucket/key"),
        ("miniio://bucket/file", "did you mean 'minio'"),
        ("file://data", "needs an absolute path"),
        ("s3://", "names no bucket"),
        ("minio:///key", "names no bucket"),
    ],
)
def test_a_uri_that_means_nothing_is_refused(uri: str, told: str):
    for call in (storage.exists, storage.read_text, storage.names, storage.remove):
        with pytest.raises(StorageError) as caught:
            call(uri)
        assert told in str(caught.value)
        assert str(caught.value).startswith(uri)


@pytest.mark.parametrize("call", [storage.read_text, lambda uri: storage.download(uri, Path("unused"))])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, call):
    with pytest.raises(StorageError, match=f"{tmp_path}/nothing: there is no such file"):
        call(f"{tmp_path}/nothing")


def test_what_is_to_be_copied_must_be_there(tmp_path: Path):
    with pytest.raises(StorageError, match="no such file or folder on this machine"):
        storage.upload(tmp_path / "nothing", f"{tmp_path}/target")


def test_a_file_that_is_no_text_is_named(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    with pytest.raises(StorageError, match="file: is no text file"):
        storage.read_text(f"{tmp_path}/file")


def test_a_place_that_cannot_be_written_says_who_needs_the_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(_disk.os, "replace", refuse)
    with pytest.raises(StorageError, match=f"cannot be written .Permission denied.; this process runs as user {os.geteuid()}"):
        storage.write_text(f"{tmp_path}/file", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_explained(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        storage.write_text(f"{tmp_path}/file/below", "text")


def test_half_a_pair_of_keys_is_refused(no_store: pytest.MonkeyPatch):
    no_store.setenv("AWS_ACCESS_KEY_ID", "key")
    with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"):
        storage.exists("minio://bucket/key")


def test_an_endpoint_without_a_scheme_is_refused(no_store: pytest.MonkeyPatch):
    no_store.setenv("AWS_ENDPOINT_URL", "minio-service.kubeflow:9000")
    with pytest.raises(StorageError, match=r"needs an address such as http://minio-service\.kubeflow:9000"):
        storage.exists("s3://bucket/key")


@pytest.mark.parametrize(
    ("known", "endpoint"),
    [
        ({"seaweedfs.kubeflow"}, "http://seaweedfs.kubeflow:9000"),
        ({"minio-service.kubeflow"}, "http://minio-service.kubeflow:9000"),
        ({"seaweedfs.kubeflow", "minio-service.kubeflow"}, "http://seaweedfs.kubeflow:9000"),
        (set(), "http://seaweedfs.kubeflow:9000"),
    ],
)
def test_kubeflows_store_is_the_service_that_there_is(monkeypatch: pytest.MonkeyPatch, known: set[str], endpoint: str):
    monkeypatch.setattr(_access, "_is_known", known.__contains__)
    assert Access.read("minio", {}).endpoint == endpoint
    assert Access.read("minio", {"AWS_ENDPOINT_URL": "http://store:1"}).endpoint == "http://store:1"


def test_googles_storage_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(StorageError, match="needs the package gcsfs, which is not installed here; pip install gcsfs"):
        storage.exists("gs://bucket/key")


def test_without_the_packages_for_object_stores_it_says_what_to_install():
    code = (
        "import sys; sys.modules['s3fs'] = None\nfrom tunesmith import storage\n"
        "try: storage.exists('s3://bucket/key')\nexcept Exception as error: print(type(error).__name__, error)"
    )
    assert run_python(code).startswith(
        "StorageError s3://: needs the package s3fs, which is not installed here; pip install s3fs"
    )


def test_a_store_that_cannot_be_reached_is_named_with_its_endpoint(no_store: pytest.MonkeyPatch):
    no_store.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with storage.patient(0.1), pytest.raises(StorageError) as caught:
        storage.read_text("minio://bucket/key")
    assert "minio://bucket/key: cannot reach http://127.0.0.1:9" in str(caught.value)
    assert "AWS_ENDPOINT_URL says otherwise" in str(caught.value)


def test_only_object_stores_load_their_packages(tmp_path: Path):
    code = (
        "import sys; from tunesmith import storage; storage.write_text(sys.argv[1], 'text'); storage.read_text(sys.argv[1]);"
        "print({'fsspec', 's3fs', 'aiohttp', 'botocore'} & set(sys.modules))"
    )
    assert run_python(code, f"{tmp_path}/file").strip() == "set()"


def test_folders_of_a_shared_volume_are_as_open_as_the_volume(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    storage.write_text(f"{volume}/study/trials/0/outcome.json", "{}")
    assert [(volume / folder).stat().st_mode & 0o777 for folder in ("study", "study/trials/0")] == [0o777, 0o777]


class Google:
    """As much of gcsfs as a removal asks for: unlike S3, it minds an object that is not there."""

    def __init__(self, *names: str) -> None:
        self.left = list(names)

    def find(self, path: str) -> list[str]:
        return [name for name in self.left if name == path or name.startswith(f"{path}/")]

    def rm_file(self, name: str) -> None:
        if name not in self.left:
            raise FileNotFoundError(name)
        self.left.remove(name)


def test_a_folder_of_googles_store_is_removed_though_it_is_no_object(monkeypatch: pytest.MonkeyPatch):
    store = Google("bucket/trials/1/log", "bucket/trials/10/log")
    monkeypatch.setattr(_objects.Objects, "_connect", lambda _: store)
    storage.remove("gs://bucket/trials/1")
    storage.remove("gs://bucket/trials/1")
    assert store.left == ["bucket/trials/10/log"]
