"""One text for a data set's content: the same in every process, another one when a single value changes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def fingerprint(arrays: Mapping[str, np.ndarray | None], settings: Mapping[str, Any]) -> str:
    """Return the SHA-256 of arrays (numbers or texts, by name) and settings (plain data), as 64 hexadecimal digits."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, values in arrays.items():
        if values is None:
            continue
        digest.update(json.dumps([name, values.shape]).encode())
        if values.dtype.kind in "OU":
            digest.update(json.dumps(values.tolist()).encode())
        else:
            digest.update(values.dtype.newbyteorder("<").str.encode())
            digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False)).data)
    return digest.hexdigest()
