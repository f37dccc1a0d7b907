from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kfp_client.backend import State, serving
from tunesmith.kfp_client.connection import CA, HOSTS, NAMESPACE, TOKEN, Address, Backend, connect


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no endpoint of this machine's be meant, nor kfp's file of settings be read or written."""
    for name in (*HOSTS, NAMESPACE, TOKEN, CA):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))


@pytest.fixture
def state() -> Iterator[State]:
    with serving() as state:
        yield state


@pytest.fixture
def backend(state: State) -> Backend:
    return connect(Address(state.host))
