"""Divides examples into train, validation and test, each class in its share (Kohavi, 1995: stratified)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.data.labels import Labels
from tunesmith.data.sources._source import Places
from tunesmith.errors import DataError

SPLITS = ("train", "validation", "test")
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Shares:
    """The shares of the whole that validation and test are to have, and the seed of the drawing.

    `by_content`: an example's own content decides, so that it stays in its split when others come and go. Shares are then
    met on average only.
    """

    validation: float
    test: float
    seed: int
    by_content: bool = False


def split_rows(
    labels: Labels,
    shares: Shares,
    places: Places,
    assigned: np.ndarray | None = None,
    content: Mapping[str, np.ndarray] | None = None,
) -> Rows:
    """Return each split's examples in the source's order; together they are all examples, each once.

    `assigned` names the split of each example that the source itself decided on: the splits named there are kept and the
    missing ones are drawn from train. `content` are the examples by column, for shares by content. Raises DataError where a
    split would be empty or a class has too few examples.
    """
    if shares.validation + shares.test >= 1:
        given = f"validation {shares.validation:g} and test {shares.test:g}"
        raise DataError(
            f"data: {given} are shares of the whole, together {shares.validation + shares.test:g}; they leave none to train on"
        )
    everything = np.arange(len(labels.values))
    kept = {name: everything[:0] if assigned is None else everything[assigned == name] for name in SPLITS}
    rest = everything if assigned is None else kept["train"]
    wanted = {name: getattr(shares, name) for name in ("test", "validation") if not len(kept[name])}
    _check_room(wanted, len(everything), len(rest))
    groups = labels.values if labels.task == "classification" else np.zeros(len(everything), dtype=np.int64)
    check_classes(labels, rest, len(wanted) + 1, places)
    rng = np.random.default_rng(shares.seed)
    keys = content_keys(content or {}, len(everything), shares.seed) if shares.by_content else None
    whole, bound = len(rest), 0.0
    for i, (name, share) in enumerate(wanted.items()):
        count = max(1, round(share * len(everything)))
        bound += share * len(everything) / whole
        if keys is None:
            kept[name] = _draw(groups, rest, count, len(wanted) - i, rng)
        else:
            kept[name] = _draw_by_content(groups, rest, keys, bound, len(wanted) - i)
        rest = np.setdiff1d(rest, kept[name])
    return {**kept, "train": rest}


def _draw(groups: np.ndarray, rows: np.ndarray, count: int, leave: int, rng: np.random.Generator) -> np.ndarray:
    """Draw about `count` of `rows`: of every group its share, but at least one, and leaving at least `leave`."""
    names, sizes = np.unique(groups[rows], return_counts=True)
    exact = sizes * count / len(rows)
    most = sizes - leave
    takes = np.clip(np.floor(exact).astype(int), 1, most)
    # What rounding down left over goes to the groups that lost most by it.
    by_loss = np.lexsort((rng.random(len(names)), takes - exact))
    for group in by_loss[takes[by_loss] < most[by_loss]][: max(0, count - takes.sum())]:
        takes[group] += 1
    drawn = [rng.permutation(rows[groups[rows] == name])[:take] for name, take in zip(names, takes, strict=True)]
    return np.sort(np.concatenate(drawn))


def _draw_by_content(groups: np.ndarray, rows: np.ndarray, keys: np.ndarray, bound: float, leave: int) -> np.ndarray:
    """Draw the `rows` whose key is below `bound`: of every group at least one, and leaving at least `leave`."""
    drawn = []
    for name in np.unique(groups[rows]):
        group = rows[groups[rows] == name]
        group = group[np.argsort(keys[group], kind="stable")]
        drawn.append(group[: int(np.clip((keys[group] < bound).sum(), 1, len(group) - leave))])
    return np.sort(np.concatenate(drawn))


def content_keys(content: Mapping[str, np.ndarray], count: int, seed: int) -> np.ndarray:
    """Return a number from 0 to 1 for each example that depends on its content, by column name, and the seed alone."""
    keys = np.empty(count)
    for i in range(count):
        digest = hashlib.blake2b(str(seed).encode(), digest_size=8)
        for name in sorted(content):
            value = content[name][i]
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else json.dumps([name, value]).encode())
        keys[i] = int.from_bytes(digest.digest(), "big") / 2**64
    return keys


def _check_room(wanted: dict[str, float], total: int, left: int) -> None:
    if total < len(SPLITS):
        raise DataError(f"holds {total} examples; three splits need at least three")
    if left == 0:
        raise DataError("assigns no example to train")
    count = sum(max(1, round(share * total)) for share in wanted.values())
    if count >= left:
        asked = " and ".join(f"{name} {share:g}" for name, share in wanted.items())
        raise DataError(
            f"data: {asked} of {total:,} examples are {count:,}, but only {left:,} are left to be divided; "
            "none would remain to train on"
        )


def check_classes(labels: Labels, rest: np.ndarray, needed: int, places: Places) -> None:
    """Raise DataError for a class that cannot be in every split that is to be drawn, or is not among those to train on."""
    if labels.task == "regression":
        return
    counts = np.bincount(labels.values[rest], minlength=len(labels.classes))
    rare = np.flatnonzero(counts < needed)
    if not len(rare):
        return
    shown = "; ".join(_describe(labels, index, int(counts[index]), places) for index in rare[:3].tolist())
    more = f" and {len(rare) - 3:,} more classes" if len(rare) > 3 else ""
    needs = f"{needed}, one for each of the splits to be drawn and one to train on" if needed > 1 else "one to train on"
    raise DataError(
        f"too few examples of {shown}{more}; every class needs at least {needs}; leave rare classes out or merge them"
    )


def _describe(labels: Labels, index: int, count: int, places: Places) -> str:
    """Name a class, how many of its examples may be trained on, and where all of them are."""
    return f"class {labels.classes[index]!r} ({count}; {places.name(np.flatnonzero(labels.values == index))})"
