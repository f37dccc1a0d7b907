"""How long a network takes to answer one example, by the runtime that answers."""

import tempfile
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.latency import Latency, measure

if TYPE_CHECKING:
    import keras

OPSET = 18  # the newest one that tf2onnx 1.17 writes
Answer = Callable[[], object]
# The packages of the extra `onnx` by the metrics that need them.
NEEDED = {"latency_onnx_ms": ("onnx", "tf2onnx", "onnxruntime")}


def check_installed(metrics: Iterable[str]) -> None:
    """Raise SpecError with the pip extra where a package that a metric needs is missing."""
    for metric in metrics:
        missing = [package for package in NEEDED.get(metric, ()) if find_spec(package) is None]
        if missing:
            raise SpecError(f"{metric}: needs {' and '.join(missing)}; install with: pip install 'tunesmith[onnx]'")


def latency(model: "keras.Model", example: np.ndarray, runtime: str = "latency_ms") -> Latency:
    """Return how long a runtime takes to answer a batch of one example, on one thread where it may be set."""
    return measure(RUNTIMES[runtime](model, np.asarray(example, model.inputs[0].dtype)))


def _tensorflow(model: "keras.Model", example: np.ndarray) -> Answer:
    import tensorflow as tf

    serve = tf.function(lambda batch: model(batch, training=False))
    tensor = tf.convert_to_tensor(example)
    return lambda: np.asarray(serve(tensor))


def _onnx(model: "keras.Model", example: np.ndarray) -> Answer:
    """Raises SpecError where the packages are missing."""
    check_installed(["latency_onnx_ms"])
    import onnxruntime
    import tensorflow as tf

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras patches tf2onnx with an old name of NumPy's
        path = str(Path(folder) / "model.onnx")
        signature = [tf.TensorSpec(example.shape, example.dtype, name="input")]
        model.export(path, format="onnx", verbose=False, input_signature=signature, opset_version=OPSET)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: example}
    return lambda: session.run(None, feed)


def _litert(model: "keras.Model", example: np.ndarray) -> Answer:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its interpreter moves to a package of its own, in which the converter is not
        interpreter = tf.lite.Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    place, output = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def answer() -> object:
        interpreter.set_tensor(place, example)
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return answer


RUNTIMES: dict[str, Callable[["keras.Model", np.ndarray], Answer]] = {
    "latency_ms": _tensorflow,
    "latency_onnx_ms": _onnx,
    "latency_litert_ms": _litert,
}
