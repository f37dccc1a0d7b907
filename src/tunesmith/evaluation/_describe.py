"""Describes a network layer by layer, for a drawing of it."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def describe_network(model: "keras.Model") -> list[dict[str, Any]]:
    """Return the layers in topological order, as plain data.

    Each has `name`, `type`, `detail` (what it was made with, in a few words), `output_shape` (None: the batch), `parameters`,
    and `inputs`, the names of the layers it reads. A model that is no graph of layers comes as a chain of them.
    """
    import keras

    config = {} if isinstance(model, keras.Sequential) else _config(model)
    if all("inbound_nodes" in layer for layer in config.get("layers", [{}])):
        by_name = {operation.name: operation for operation in getattr(model, "operations", [])}
        return [_layer(by_name[layer["name"]], _sources(layer["inbound_nodes"])) for layer in config["layers"]]
    shape = list(getattr(model, "input_shape", None) or [None])
    first = {"name": "input", "type": "InputLayer", "detail": "", "output_shape": shape, "parameters": 0, "inputs": []}
    names = ["input", *(layer.name for layer in model.layers)]
    return [first, *(_layer(layer, [before]) for layer, before in zip(model.layers, names[:-1], strict=True))]


def _config(model: Any) -> dict[str, Any]:
    try:
        return model.get_config()
    except (AttributeError, NotImplementedError):
        return {}  # a user's own class need not be able to write itself down


def _sources(nodes: Any) -> list[str]:
    """Return the names of the layers that serialised calls of a layer read."""
    if isinstance(nodes, dict):
        history = nodes.get("keras_history")
        return [history[0]] if history else _sources(list(nodes.values()))
    if not isinstance(nodes, list | tuple):
        return []
    return list(dict.fromkeys(name for node in nodes for name in _sources(node)))


def _layer(layer: Any, inputs: list[str]) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "detail": _detail(layer),
        "output_shape": _shape(layer),
        "parameters": sum(math.prod(weight.shape) for weight in getattr(layer, "weights", ())),
        "inputs": inputs,
    }


def _shape(layer: Any) -> list[int | None] | None:
    try:
        output = layer.output
    except (AttributeError, ValueError):
        return None
    first = output[0] if isinstance(output, list | tuple) else output
    return list(first.shape)


def _detail(layer: Any) -> str:
    """Return a layer's settings as `3x3, 64, relu`."""
    config = _config(layer)
    size = config.get("kernel_size") or config.get("pool_size")
    parts = ["x".join(str(side) for side in size)] if isinstance(size, list | tuple) else [size]
    parts += [config.get("filters"), config.get("units"), config.get("rate")]
    activation = config.get("activation")
    parts += [activation] if isinstance(activation, str) and activation != "linear" else []
    return ", ".join(f"{part:.3g}" if isinstance(part, float) else str(part) for part in parts if part is not None)
