"""Reads and writes YAML without its traps: keys given twice, and numbers such as 1e-4 that it takes for texts."""

import json
import re
from typing import Any

import yaml

from tunesmith.errors import SpecError


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice (YAML would silently keep the last) and reads 1e-4 as a number."""


class _Dumper(yaml.SafeDumper):
    """SafeDumper that puts a text such as '1e-4' in quotes, for `_Loader` to read it as a text."""


# YAML 1.1 knows only 1.0e-4 as a number: a choice of [1e-4, 1e-3] would be one of two texts.
for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        key = str(key_node.value)
        if key in seen:
            raise SpecError(f"line {key_node.start_mark.line + 1}: duplicate name {key!r}")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def read_yaml(text: str, source: str) -> Any:
    """Parse YAML; raises SpecError with the line of a mistake."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a subclass of SafeLoader)
    except SpecError as error:
        raise SpecError(f"{source}: {error}") from None
    except yaml.reader.ReaderError:
        raise SpecError(f"{source}: is no text file") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{source}: {_yaml_problem(error)}") from None


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark else problem


def write_yaml(content: Any, inline: bool = False) -> str:
    """Write plain data as YAML, keys in the order given; `inline`: what holds no lists or dictionaries stays on one line."""
    style = None if inline else False
    return yaml.dump(json.loads(json.dumps(content)), Dumper=_Dumper, sort_keys=False, width=120, default_flow_style=style)
