"""Makes a candidate's network ready to be trained and to be kept."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, TrialFailed
from tunesmith.registry import discover, load
from tunesmith.spaces._architecture import compile_for
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces._training import Trainable, Training

if TYPE_CHECKING:
    import keras


def trainable(space: Space) -> Trainable:
    """Return the space as one that makes networks; raises SpecError naming those that do."""
    if isinstance(space, Trainable):
        return space
    package = "tunesmith.spaces"
    able = [name for name in discover(package) if hasattr(load(package, name, Space), "network")]
    kind = space.to_json().get("kind")
    raise SpecError(
        f"space.kind: {kind!r} makes no networks to train; allowed with evaluation.kind training: {', '.join(able)}; "
        "or judge the parameters by a function of yours: evaluation: {kind: function, function: file.py:function}"
    )


def make_network(space: Trainable, candidate: Candidate, info: DatasetInfo, seed: int) -> Training:
    """Return the candidate's network, compiled and with all its variables made; the same for the same seed.

    Raises TrialFailed where it does not fit the data.
    """
    import keras

    keras.utils.set_random_seed(seed)
    training = space.network(candidate, info)
    model = training.model
    if not model.built:
        _build(model, info)
    _check_input(model, info)
    if not model.compiled:
        _check_output(model, info)
        compile_for(model, info, keras.optimizers.Adam())
    return training


def make_variables(model: "keras.Model", x: Any, y: Any) -> None:
    """Make the optimizer's and the metrics' variables from one example.

    Variables first made while Keras traces the training step make TensorFlow trace that step twice, which was 0.6 of the
    1.3 s before the first epoch of a network of eight layers.
    """
    import keras

    model.optimizer.build(model.trainable_variables)
    shape = getattr(model, "output_shape", None)
    if isinstance(shape, tuple) and None not in shape[1:]:
        model.compute_metrics(x[:1], y[:1], keras.ops.zeros((1, *shape[1:])))


def save_model(model: "keras.Model", path: Path) -> None:
    """Write a model without its optimizer's state, whole or not at all."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        model.save(partial, include_optimizer=False)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def in_target_units(model: "keras.Model", info: DatasetInfo) -> "keras.Model":
    """Return a model that answers a regression in the target's own units; other models as they are."""
    if info.task == "classification":
        return model
    import keras

    mean, deviation = info.target_scale
    scale = keras.layers.Rescaling(deviation, offset=mean, name="target_units")
    if not isinstance(model, keras.Sequential) and getattr(model, "inputs", None):
        return keras.Model(model.inputs[0], scale(model.outputs[0]), name=model.name)
    layers = model.layers if isinstance(model, keras.Sequential) else [model]
    return keras.Sequential([keras.Input(info.input_shape), *layers, scale], name=model.name)


def _build(model: "keras.Model", info: DatasetInfo) -> None:
    """Make the variables of a model that was given no input shape; one of a user's own class learns it from an example."""
    import keras

    if isinstance(model, keras.Sequential):
        model.build((None, *info.input_shape))
    else:
        model(keras.ops.zeros((1, *info.input_shape)))


def _check_input(model: "keras.Model", info: DatasetInfo) -> None:
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple):
        return
    fits = len(shape) == len(info.input_shape) + 1
    if not fits or any(size not in (None, wanted) for size, wanted in zip(shape[1:], info.input_shape, strict=True)):
        raise TrialFailed(f"the network takes {_show(shape[1:])}, the data has {_show(info.input_shape)}")


def _check_output(model: "keras.Model", info: DatasetInfo) -> None:
    shape = getattr(model, "output_shape", None)
    if isinstance(shape, tuple) and shape[1:] != (info.outputs,):
        what = f"{info.outputs} classes" if info.task == "classification" else "one target"
        raise TrialFailed(f"the network answers {_show(shape[1:])}, the data has {what}: the last layer needs {info.outputs}")


def _show(shape: tuple[Any, ...]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape) or "one number"
