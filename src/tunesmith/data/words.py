"""How messages name many things."""

from collections.abc import Sequence

MOST = 30


def listed(names: Sequence[str]) -> str:
    """Return the names with commas between them, cut short where they are too many to read."""
    more = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
