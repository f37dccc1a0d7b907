"""ONNX, for ONNX Runtime and Triton: takes raw pixels, or a table's rows encoded as `encoding.json` says."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunesmith.export._exporter import Answer, Batch, Exporter
from tunesmith.export._signature import encoded_input, output, write_signature
from tunesmith.model_folder import ModelFolder

if TYPE_CHECKING:
    import keras

FILE = "model.onnx"
OPSET = 18  # the newest one that tf2onnx 1.17 writes


@dataclass(frozen=True)
class Onnx(Exporter):
    """A file `model.onnx` with one input and one output, their first axis free; for a table `encoding.json` beside it."""

    requires: ClassVar[tuple[str, ...]] = ("onnx", "tf2onnx", "onnxruntime")
    extra: ClassVar[str] = "onnx"

    def write(self, model: "keras.Model", source: ModelFolder, target: Path) -> None:
        import tensorflow as tf

        tensor = encoded_input(source.info)
        signature = [tf.TensorSpec(tensor.shape, tf.as_dtype(tensor.dtype), name=tensor.name)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Keras patches tf2onnx with an old name of NumPy's
            model.export(str(target / FILE), format="onnx", verbose=False, input_signature=signature, opset_version=OPSET)
        _name_output(target / FILE, output(source.info).name)
        if source.encoding:
            source.encoding.save(target)
        write_signature(target, [tensor], source.info)

    def open(self, target: Path) -> Answer:
        """Return the answers of ONNX Runtime on the CPU, with one thread."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(target / FILE), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name

        def answer(batch: Batch) -> np.ndarray:
            return np.asarray(session.run(None, {name: batch.encoded})[0])

        return answer


def _name_output(path: Path, name: str) -> None:
    """Give the output its name and the free axis the name `batch`; tf2onnx numbers both anew in each process."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    graph.node.append(onnx.helper.make_node("Identity", [graph.output[0].name], [name], name=name))
    graph.output[0].name = name
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(model)
    onnx.save(model, path)
