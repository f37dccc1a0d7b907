"""What an exported model takes and answers, by name: `signature.json` and `labels.json`."""

import json
import re
from dataclasses import asdict, dataclass
from keyword import iskeyword
from pathlib import Path

from tunesmith.data.encoding import TableEncoding
from tunesmith.data.info import DatasetInfo
from tunesmith.files import write_json


@dataclass(frozen=True)
class Tensor:
    """A named input or output. `shape` begins with None, the number of examples; `column` is the table's, where it is one."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    column: str | None = None


def encoded_input(info: DatasetInfo) -> Tensor:
    """Return the input of a model that takes raw pixels or a table's encoded features."""
    return Tensor("image" if info.kind == "images" else "features", "float32", (None, *info.input_shape))


def row_inputs(encoding: TableEncoding) -> list[Tensor]:
    """Return one input per column of a table's raw rows: float32 (NaN: missing) or text (empty: missing), of shape (rows,)."""
    names = input_names([column.name for column in encoding.columns])
    return [
        Tensor(name, "float32" if column.kind == "numeric" else "string", (None,), column.name)
        for name, column in zip(names, encoding.columns, strict=True)
    ]


def output(info: DatasetInfo) -> Tensor:
    """Return the output: one probability per class, or the target in its own units."""
    return Tensor("probabilities" if info.task == "classification" else "prediction", "float32", (None, info.outputs))


def input_names(columns: list[str]) -> list[str]:
    """Return a name that TensorFlow takes for each column: ASCII letters, digits and `_`, unique whatever their case."""
    names: list[str] = []
    taken: set[str] = set()
    for column in columns:
        stem = re.sub(r"\W", "_", column, flags=re.ASCII)
        # TensorFlow hands inputs on as keyword arguments of its own methods.
        if not re.match(r"[A-Za-z]", stem) or iskeyword(stem) or stem == "self":
            stem = f"column_{stem}".rstrip("_")
        name, count = stem, 1
        while name.lower() in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def write_signature(target: Path, inputs: list[Tensor], info: DatasetInfo) -> None:
    """Write `signature.json`, and the classes in the order of the outputs as `labels.json` (empty for a regression)."""
    content = {"inputs": [asdict(tensor) for tensor in inputs], "output": asdict(output(info)), "target": info.target}
    write_json(target / "signature.json", content)
    write_json(target / "labels.json", list(info.classes))


def read_inputs(target: Path) -> list[Tensor]:
    """Read the inputs from `signature.json`."""
    content = json.loads((target / "signature.json").read_text())
    return [Tensor(form["name"], form["dtype"], tuple(form["shape"]), form["column"]) for form in content["inputs"]]
