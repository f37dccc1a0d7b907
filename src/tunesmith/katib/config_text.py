"""Edits the text of Katib's configuration: puts Tunesmith's algorithms in or takes them out, and leaves all else as it is.

The text is edited as a tree of YAML nodes, never of values: what others wrote keeps every character of its scalars ('1e3', on,
0644), whatever this library or another makes of them. Comments are lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tunesmith.errors import ClusterError
from tunesmith.yaml_text import write_yaml

# Every algorithm whose name begins so is Tunesmith's; others are never touched.
PREFIX = "tunesmith-"
WHERE = "katib-config.yaml in ConfigMap katib-config"


@dataclass(frozen=True)
class Edited:
    """The new text, and the algorithms by what was done to them; the old text where nothing was."""

    text: str
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.replaced or self.removed)


def with_algorithms(text: str, wanted: Sequence[Mapping[str, Any]]) -> Edited:
    """Return the text with exactly the entries `wanted` under Tunesmith's names: new ones last, those that are there in place.

    Raises ClusterError where the text is no configuration of Katib's.
    """
    root = _read(text)
    listed = _child(_child(root, "runtime", yaml.MappingNode), "suggestions", yaml.SequenceNode)
    missing = {entry["algorithmName"]: entry for entry in wanted}
    kept, replaced, removed = [], [], []
    for node in listed.value:
        name = _name(node)
        if not name.startswith(PREFIX):
            kept.append(node)
        elif name not in missing:
            removed.append(name)
        else:
            entry = missing.pop(name)
            same = yaml.safe_load(yaml.serialize(node)) == entry
            kept.append(node if same else _node(entry))
            replaced += [] if same else [name]
    listed.value = [*kept, *map(_node, missing.values())]
    edited = Edited("", tuple(missing), tuple(replaced), tuple(removed))
    if not edited:
        return Edited(text)
    listed.flow_style = not listed.value
    return Edited(yaml.serialize(root, width=10**6, allow_unicode=True), edited.added, edited.replaced, edited.removed)


def _read(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ClusterError(f"{WHERE} is no YAML, and was left as it is: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ClusterError(f"{WHERE} holds no keys, and was left as it is")
    return root


def _child(parent: yaml.MappingNode, key: str, kind: Any) -> Any:
    """Return the node under `key`, an empty one put there where it is missing or null."""
    empty = kind("tag:yaml.org,2002:" + ("map" if kind is yaml.MappingNode else "seq"), [])
    for i, (name, value) in enumerate(parent.value):
        if name.value == key:
            if value.tag == "tag:yaml.org,2002:null":
                parent.value[i] = (name, empty)
                return empty
            if not isinstance(value, kind):
                raise ClusterError(f"{key} of {WHERE} is not of the kind that Katib 0.19 reads, and was left as it is")
            return value
    parent.value.append((yaml.ScalarNode("tag:yaml.org,2002:str", key), empty))
    parent.flow_style = False
    return empty


def _name(entry: yaml.Node) -> str:
    for key, value in entry.value if isinstance(entry, yaml.MappingNode) else []:
        if key.value == "algorithmName" and isinstance(value, yaml.ScalarNode):
            return value.value
    return ""


def _node(entry: Mapping[str, Any]) -> yaml.Node:
    node = yaml.compose(write_yaml(dict(entry)), Loader=yaml.SafeLoader)
    assert node is not None
    return node
