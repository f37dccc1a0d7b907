"""TensorFlow SavedModel, for TensorFlow Serving and KServe: takes raw pixels, or a table's raw rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.export._exporter import Answer, Batch, Exporter
from tunesmith.export._rows import encode_rows
from tunesmith.export._signature import Tensor, encoded_input, output, read_inputs, row_inputs, write_signature
from tunesmith.model_folder import ModelFolder

if TYPE_CHECKING:
    import keras

SIGNATURE = "serving_default"


@dataclass(frozen=True)
class SavedModel(Exporter):
    """A folder that `tf.saved_model.load` opens.

    The signature `serving_default` takes `image` (batch, height, width, channels), or one input of shape (batch,) per column
    of the table: numbers as float32 (NaN: missing), categories as text (empty: missing). Column names that TensorFlow
    cannot take are written differently; `signature.json` says which input stands for which column.
    """

    requires: ClassVar[tuple[str, ...]] = ("tensorflow",)

    def write(self, model: "keras.Model", source: ModelFolder, target: Path) -> None:
        import keras
        import tensorflow as tf

        inputs = [encoded_input(source.info)] if source.encoding is None else row_inputs(source.encoding)
        specs = {tensor.name: tf.TensorSpec(tensor.shape, tf.as_dtype(tensor.dtype), name=tensor.name) for tensor in inputs}
        archive: Any = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(SIGNATURE, _serve(model, source, inputs), [specs])
        archive.write_out(str(target), verbose=False)
        write_signature(target, inputs, source.info)

    def open(self, target: Path) -> Answer:
        """Return the answers of the reloaded signature; TensorFlow's threads are the process's, not to be set per model."""
        import tensorflow as tf

        loaded = tf.saved_model.load(str(target))
        inputs = read_inputs(target)

        def answer(batch: Batch) -> np.ndarray:
            arrays = {tensor.name: batch.columns[tensor.column] if tensor.column else batch.encoded for tensor in inputs}
            # `loaded` must outlive its signature, which holds no reference to the variables.
            answers = loaded.signatures[SIGNATURE](**{name: tf.constant(values) for name, values in arrays.items()})
            return next(iter(answers.values())).numpy()

        return answer


def _serve(model: "keras.Model", source: ModelFolder, inputs: list[Tensor]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the function from named tensors to the named output."""
    encoding, answer = source.encoding, output(source.info).name

    def serve(tensors: dict[str, Any]) -> dict[str, Any]:
        if encoding is None:
            return {answer: model(tensors[inputs[0].name], training=False)}
        rows = {column.name: tensors[tensor.name] for column, tensor in zip(encoding.columns, inputs, strict=True)}
        return {answer: model(encode_rows(rows, encoding), training=False)}

    return serve
