"""The latency of a network by runtime: each answers, and is timed."""

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.errors import SpecError
from tunesmith.evaluation import _runtimes
from tunesmith.evaluation._runtimes import RUNTIMES, check_installed, latency
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201


@pytest.fixture(scope="module")
def model():  # a Keras model
    candidate = dict(zip(EDGES, [OPERATIONS[i] for i in (3, 2, 1, 4, 3, 0)], strict=True))
    return NASBench201(stages=2, cells=1, filters=4).network(candidate, images(8)).model


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_every_runtime_answers_in_a_time_that_is_told(model, runtime: str) -> None:
    found = latency(model, np.zeros((1, 8, 8, 1), "float32"), runtime)
    assert 0 < found.median_ms <= found.p90_ms


def test_a_package_that_a_runtime_needs_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runtimes, "find_spec", lambda name: None if name == "tf2onnx" else name)
    check_installed(["latency_ms", "latency_litert_ms", "parameters"])
    told = r"latency_onnx_ms: needs tf2onnx; install with: pip install 'tunesmith\[onnx\]'"
    with pytest.raises(SpecError, match=told):
        check_installed(["parameters", "latency_onnx_ms"])


def test_the_runtimes_give_the_network_s_own_answer(model) -> None:
    example = np.random.default_rng(0).uniform(0, 255, (1, 8, 8, 1)).astype("float32")
    own = np.asarray(model(example, training=False))
    for runtime, make in RUNTIMES.items():
        answer = np.asarray(make(model, example)()).reshape(own.shape)
        assert np.abs(answer - own).max() < 1e-4, runtime
