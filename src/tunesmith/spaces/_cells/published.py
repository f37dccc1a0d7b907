"""Cells that others have found and published, as candidates."""

from collections.abc import Sequence

Block = tuple[int, str, int, str]

NASNET_A_NORMAL: tuple[Block, ...] = (
    (1, "separable_5x5", 0, "separable_3x3"),
    (0, "separable_5x5", 0, "separable_3x3"),
    (1, "average_3x3", 0, "identity"),
    (0, "average_3x3", 0, "average_3x3"),
    (1, "separable_3x3", 1, "identity"),
)
NASNET_A_REDUCTION: tuple[Block, ...] = (
    (1, "separable_5x5", 0, "separable_7x7"),
    (1, "max_3x3", 0, "separable_7x7"),
    (1, "average_3x3", 0, "separable_5x5"),
    (2, "average_3x3", 3, "identity"),
    (2, "separable_3x3", 1, "max_3x3"),
)
# States that NASNet's own code joins to a cell's output though blocks read them.
NASNET_A_KEPT = {"normal": (0,), "reduction": (3,)}


def as_candidate(prefix: str, blocks: Sequence[Block], join: str | None = None) -> dict[str, int | str]:
    """Return blocks as the parameters that `choose_cell` names."""
    found: dict[str, int | str] = {}
    for number, (left, left_operation, right, right_operation) in enumerate(blocks, 1):
        name = f"{prefix}block{number}"
        found |= {f"{name}.left": left, f"{name}.left_operation": left_operation}
        found |= {f"{name}.right": right, f"{name}.right_operation": right_operation}
        found |= {f"{name}.join": join} if join else {}
    return found


# Zoph et al. (2018), figure 4.
NASNET_A = as_candidate("normal.", NASNET_A_NORMAL, "add") | as_candidate("reduction.", NASNET_A_REDUCTION, "add")
