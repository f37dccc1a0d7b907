"""A network's layers gathered into blocks: a layer that computes, with the small ones that follow it folded in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.report._format import is_number, shape

# The first family with a word that the layer's type contains.
FAMILIES = {
    "input": ("InputLayer", "CategoryEncoding", "StringLookup"),
    "normalisation": ("Normalization", "Rescaling"),
    "pooling": ("Pool",),
    "convolution": ("Conv",),
    "dropout": ("Dropout", "Noise"),
    "merge": ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot"),
    "activation": ("Activation", "ReLU", "Relu", "ELU", "Softmax", "Swish", "GELU"),
    "dense": ("Dense", "Embedding", "LSTM", "GRU", "RNN", "Attention"),
}
FOLDED = ("normalisation", "activation", "dropout")


@dataclass(frozen=True)
class Block:
    """One box of the drawing. `parents` are positions of earlier blocks; `extras` describe the folded layers."""

    names: tuple[str, ...]
    type: str
    family: str
    detail: str
    extras: tuple[str, ...]
    output_shape: str
    parameters: int
    parents: tuple[int, ...]
    is_output: bool


def family_of(layer_type: str) -> str:
    """Return the family of a layer's type; `other` for shapes (Flatten) and all that is unknown."""
    matching = (family for family, words in FAMILIES.items() if any(word in layer_type for word in words))
    return next(matching, "other")


def gather(network: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return the blocks in the order of the layers; inputs that name no earlier layer are left out."""
    layers = list(network)
    names = [str(layer.get("name", position)) for position, layer in enumerate(layers)]
    inputs = _inputs(layers, names)
    consumers = Counter(source for sources in inputs for source in sources)
    members: list[list[int]] = []
    block_of: dict[int, int] = {}
    for position in range(len(layers)):
        parent = inputs[position][0] if len(inputs[position]) == 1 else None
        if parent is not None and consumers[parent] == 1 and _family(layers[position]) in FOLDED:
            members[block_of[parent]].append(position)
            block_of[position] = block_of[parent]
        else:
            block_of[position] = len(members)
            members.append([position])
    blocks = []
    for group in members:
        parents = tuple(dict.fromkeys(block_of[source] for source in inputs[group[0]]))
        blocks.append(_block([layers[i] for i in group], [names[i] for i in group], parents, not consumers[group[-1]]))
    return blocks


def _inputs(layers: list[Mapping[str, Any]], names: list[str]) -> list[list[int]]:
    seen: dict[str, int] = {}
    found = []
    for position, layer in enumerate(layers):
        found.append([seen[str(name)] for name in layer.get("inputs") or () if str(name) in seen])
        seen[names[position]] = position
    return found


def _family(layer: Mapping[str, Any]) -> str:
    return family_of(str(layer.get("type", "")))


def _block(layers: list[Mapping[str, Any]], names: list[str], parents: tuple[int, ...], is_output: bool) -> Block:
    head, last = layers[0], layers[-1]
    counts = [layer.get("parameters") for layer in layers]
    return Block(
        names=tuple(names),
        type=str(head.get("type", "layer")).removesuffix("Layer") or "layer",
        family=_family(head),
        detail=str(head.get("detail") or ""),
        extras=tuple(_extra(layer) for layer in layers[1:]),
        output_shape=shape(last.get("output_shape")),
        parameters=int(sum(count for count in counts if is_number(count))),
        parents=parents,
        is_output=is_output,
    )


def _extra(layer: Mapping[str, Any]) -> str:
    """Return a folded layer in a word or two: `relu`, `dropout 0.25`, `batch normalisation`."""
    kind, detail = str(layer.get("type", "")), str(layer.get("detail") or "")
    if kind == "Activation" and detail:
        return detail
    short = {"BatchNormalization": "batch norm", "LayerNormalization": "layer norm", "GroupNormalization": "group norm"}
    return f"{short.get(kind, kind)} {detail}".strip()
