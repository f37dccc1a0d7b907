"""JSON as a short text of letters, digits, '-' and '_', which passes unquoted wherever Kubernetes pastes it."""

import base64
import json
import zlib
from typing import Any, Never

# Of a text when it is unpacked; none of ours comes near.
LONGEST = 2**20


def pack(content: Any, dictionary: bytes = b"") -> str:
    """Return plain data as base64url without padding of their deflated JSON; what `dictionary` holds need not be packed."""
    plain = json.dumps(content, separators=(",", ":")).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    return base64.urlsafe_b64encode(packer.compress(plain) + packer.flush()).decode().rstrip("=")


def unpack(text: str, dictionary: bytes = b"") -> Any:
    """Return what `pack` was given, with the same dictionary; raises ValueError for any other text."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, dictionary)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        plain = unpacker.decompress(packed, LONGEST)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("the text is cut, or too long")
        return json.loads(plain, parse_constant=_refuse)
    except (RecursionError, zlib.error) as error:
        raise ValueError(str(error)) from None


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")
