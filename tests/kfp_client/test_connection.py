from pathlib import Path

import pytest

from tests.kfp_client.backend import State, serving
from tunesmith.errors import ClusterError, SpecError
from tunesmith.kfp_client import connection
from tunesmith.kfp_client.connection import Address, connect
from tunesmith.kfp_client.runs import get_run, list_runs


@pytest.mark.parametrize("name", ["KF_PIPELINES_ENDPOINT", "KFP_ENDPOINT"])
def test_the_host_may_be_in_the_environment(state: State, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, state.host)
    assert connect(Address()).address.host == state.host


def test_an_option_goes_before_the_environment(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_ENDPOINT", "http://elsewhere:1")
    assert connect(Address(state.host + "/")).address.host == state.host


def test_a_pod_of_the_cluster_finds_kubeflow_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("team")
    (tmp_path / "token").write_text("mine\n")
    monkeypatch.setattr(connection, "OWN_NAMESPACE", tmp_path / "namespace")
    monkeypatch.setattr(connection, "OWN_TOKEN", tmp_path / "token")
    assert Address().complete() == Address("http://ml-pipeline.kubeflow:8888", "", "mine")
    with serving(multi_user=True, token="mine") as state:
        assert connect(Address(state.host)).namespace == "team"


def test_no_host_anywhere_is_told() -> None:
    with pytest.raises(SpecError, match="host: is missing; give --host or set KF_PIPELINES_ENDPOINT"):
        connect(Address())


def test_an_address_where_nobody_answers_is_told() -> None:
    with pytest.raises(ClusterError, match=r"http://127\.0\.0\.1:9: cannot be reached: no answer \(.*refused"):
        connect(Address("http://127.0.0.1:9"))
    with pytest.raises(ClusterError, match=r"https://nowhere\.invalid: cannot be reached: no answer"):
        connect(Address("nowhere.invalid"))


def test_a_token_is_sent_and_a_missing_one_is_told() -> None:
    with serving(token="secret") as state:
        assert list_runs(connect(Address(state.host, token="secret")), 10) == []
        with pytest.raises(ClusterError, match=r"wants to know who asks \(401\).*--token or set KFP_TOKEN"):
            connect(Address(state.host))


def test_a_token_that_runs_out_is_told(state: State) -> None:
    backend = connect(Address(state.host))
    state.token = "another"
    with pytest.raises(ClusterError, match=r"cannot list runs: wants to know who asks \(401\): .*no user identity"):
        list_runs(backend, 10)


def test_a_pods_own_token_is_read_again_when_it_is_renewed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    monkeypatch.setattr(connection, "OWN_TOKEN", tmp_path / "token")
    with serving(token="first") as state:
        backend = connect(Address(state.host))
        state.token = "second"
        (tmp_path / "token").write_text("second\n")
        assert list_runs(backend, 10) == []


def test_where_there_are_several_users_the_namespace_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(multi_user=True) as state:
        with pytest.raises(SpecError, match=r"namespace: is missing; .* serves several users"):
            connect(Address(state.host))
        monkeypatch.setenv("KFP_NAMESPACE", "team")
        assert connect(Address(state.host)).namespace == "team"
        list_runs(connect(Address(state.host, "other")), 10)
        assert "namespace=other" in state.requests[-1]


def test_a_namespace_is_of_no_use_where_there_is_one_user(state: State) -> None:
    assert connect(Address(state.host, "team")).namespace == ""


def test_a_page_that_is_no_kubeflow_is_told(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.kfp_client.backend._Handler._healthz", lambda *_: "<html>login</html>")
    with pytest.raises(ClusterError, match="answers, but not as Kubeflow Pipelines does"):
        connect(Address(state.host))


def test_what_the_backend_refuses_is_told_in_its_words(state: State) -> None:
    backend = connect(Address(state.host))
    state.troubles = [(403, "User 'me' is not authorized")]
    with pytest.raises(ClusterError, match=r"cannot list runs: forbidden \(403\): User 'me' is not authorized; ask for"):
        list_runs(backend, 10)
    with pytest.raises(ClusterError, match=r"cannot find the run nosuch \(404\): nosuch not found"):
        get_run(backend, "nosuch")
