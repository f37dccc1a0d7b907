"""Splits: every example in one split, every class in its share, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.data.labels import Labels
from tunesmith.data.sources._source import Places
from tunesmith.data.splits import SPLITS, Shares, split_rows
from tunesmith.errors import DataError

PLACES = Places("line", lambda i: str(i + 2))


def classes(*counts: int) -> Labels:
    values = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return Labels("classification", values, tuple("abcdefghij"[: len(counts)]))


def numbers(count: int) -> Labels:
    return Labels("regression", np.linspace(0, 1, count, dtype=np.float32))


shares = st.builds(Shares, st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 5))
labels = st.one_of(
    st.lists(st.integers(5, 60), min_size=2, max_size=10).map(lambda counts: classes(*counts)), st.integers(9, 90).map(numbers)
)


@given(labels, shares)
def test_splits_partition_the_examples(labels: Labels, shares: Shares):
    rows = split_rows(labels, shares, PLACES)
    assert tuple(rows) == SPLITS
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(labels.values)))


@given(labels, shares)
def test_every_split_has_every_class(labels: Labels, shares: Shares):
    rows = split_rows(labels, shares, PLACES)
    for chosen in rows.values():
        assert len(chosen)
        assert labels.task == "regression" or set(labels.values[chosen]) == set(labels.values)


@given(st.integers(20, 90), st.sampled_from([["test"], ["validation"], ["validation", "test"]]), st.integers(0, 5))
def test_the_splits_of_the_source_are_kept(count: int, given_splits: list[str], seed: int):
    assigned = np.full(count, "train", dtype="<U10")
    for i, split in enumerate(given_splits):
        assigned[4 * i : 4 * i + 4] = split
    rows = split_rows(numbers(count), Shares(0.2, 0.2, seed), PLACES, assigned)
    for split in given_splits:
        assert rows[split].tolist() == np.flatnonzero(assigned == split).tolist()
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(count))


def test_shares_are_shares_of_the_whole():
    sizes = {name: len(rows) for name, rows in split_rows(classes(700, 300), Shares(0.25, 0.1, 0), PLACES).items()}
    assert sizes == {"train": 650, "validation": 250, "test": 100}


def test_every_class_has_its_share():
    labels = classes(700, 290, 10)
    rows = split_rows(labels, Shares(0.2, 0.2, 0), PLACES)
    assert {name: np.bincount(labels.values[chosen]).tolist() for name, chosen in rows.items()} == {
        "train": [420, 174, 6],
        "validation": [140, 58, 2],
        "test": [140, 58, 2],
    }


def test_the_seed_decides_the_split():
    first, again, other = (split_rows(classes(50, 50), Shares(0.2, 0.2, seed), PLACES)["test"].tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_three_of_a_class_are_enough():
    rows = split_rows(classes(300, 3), Shares(0.2, 0.2, 0), PLACES)
    assert all(1 in classes(300, 3).values[chosen] for chosen in rows.values())


def test_a_class_too_rare_for_every_split_is_named_with_its_examples():
    labels = Labels("classification", np.array([0] * 20 + [1, 1]), ("often", "rare"))
    with pytest.raises(
        DataError, match=r"too few examples of class 'rare' \(2; lines 22, 23\); every class needs at least 3, one for each"
    ):
        split_rows(labels, Shares(0.2, 0.2, 0), PLACES)


def test_many_rare_classes_are_counted():
    with pytest.raises(DataError, match="and 2 more classes; every class"):
        split_rows(classes(20, 1, 1, 2, 2, 1), Shares(0.2, 0.2, 0), PLACES)


@pytest.mark.parametrize(
    ("labels", "shares", "message"),
    [
        (numbers(100), Shares(0.6, 0.5, 0), "validation 0.6 and test 0.5 are shares of the whole, together 1.1"),
        (numbers(2), Shares(0.2, 0.2, 0), "holds 2 examples; three splits need at least three"),
        (numbers(3), Shares(0.4, 0.55, 0), "test 0.55 and validation 0.4 of 3 examples are 3, but only 3 are left"),
    ],
)
def test_shares_that_leave_nothing_to_train_on_are_refused(labels: Labels, shares: Shares, message: str):
    with pytest.raises(DataError, match=message):
        split_rows(labels, shares, PLACES)


@pytest.mark.parametrize(
    ("assigned", "message"),
    [
        (["test"] * 90 + ["train"] * 10, "validation 0.2 of 100 examples are 20, but only 10 are left"),
        (["test"] * 50 + ["validation"] * 50, "assigns no example to train"),
    ],
)
def test_a_source_that_leaves_nothing_to_train_on_is_refused(assigned: list[str], message: str):
    with pytest.raises(DataError, match=message):
        split_rows(numbers(100), Shares(0.2, 0.2, 0), PLACES, np.array(assigned))


def grown(count: int, seed: int = 0) -> dict[str, set[int]]:
    """Return the splits by content of the first `count` of 2,000 examples, each named by its number."""
    content = {
        "number": np.arange(2000, dtype=np.float64)[:count],
        "text": np.array([f"t{i % 9}" for i in range(count)], object),
    }
    rows = split_rows(classes(count // 2, count - count // 2), Shares(0.2, 0.1, seed, by_content=True), PLACES, None, content)
    return {name: set(chosen.tolist()) for name, chosen in rows.items()}


def test_by_content_an_example_stays_in_its_split_when_others_are_added():
    before, after = grown(1000), grown(2000)
    for name in SPLITS:
        assert before[name] <= after[name]


def test_by_content_shares_are_met_on_average():
    sizes = {name: len(chosen) for name, chosen in grown(2000).items()}
    assert sum(sizes.values()) == 2000
    assert sizes["validation"] == pytest.approx(400, abs=60)
    assert sizes["test"] == pytest.approx(200, abs=50)
    assert grown(2000, seed=1)["test"] != grown(2000)["test"]


def test_by_content_equal_examples_are_in_one_split():
    content = {"number": np.repeat(np.arange(100.0), 2)}
    rows = split_rows(numbers(200), Shares(0.2, 0.2, 0, by_content=True), PLACES, None, content)
    for chosen in rows.values():
        values, counts = np.unique(content["number"][chosen], return_counts=True)
        assert len(values)
        assert (counts == 2).all()


def test_by_content_every_split_has_every_class_even_of_few_examples():
    content = {"number": np.arange(303.0)}
    labels = classes(300, 3)
    rows = split_rows(labels, Shares(0.2, 0.2, 0, by_content=True), PLACES, None, content)
    for chosen in rows.values():
        assert set(labels.values[chosen]) == {0, 1}
