"""A share of the examples: as many as asked for, of every class, and by clusters one of every sort."""

import numpy as np
import pytest

from tunesmith.evaluation._subset import subset


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(400, 5)), np.repeat([0, 1, 2], [200, 150, 50])


@pytest.mark.parametrize("by", ["classes", "clusters"])
def test_the_classes_are_there_as_in_the_whole(drawn: tuple[np.ndarray, np.ndarray], by: str) -> None:
    x, y = drawn
    chosen = subset(x, y, 0.2, by, has_classes=True)
    assert np.bincount(y[chosen]).tolist() == [40, 30, 10]
    assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize("by", ["classes", "clusters"])
def test_it_is_the_same_for_every_trial(drawn: tuple[np.ndarray, np.ndarray], by: str) -> None:
    assert subset(*drawn, 0.1, by, True).tolist() == subset(*drawn, 0.1, by, True).tolist()


def test_clusters_find_the_rare_sort_of_examples() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 0.1, (995, 2)), rng.normal(50, 0.1, (5, 2))])
    chosen = subset(x, np.zeros(1000), 0.01, "clusters", has_classes=False)
    assert (chosen >= 995).any()
    assert len(chosen) == 10


def test_equal_examples_are_no_trouble() -> None:
    assert len(subset(np.zeros((30, 3)), np.zeros(30), 0.5, "clusters", has_classes=False)) == 15


@pytest.mark.parametrize("share", [0.001, 1.0])
def test_any_share_gives_at_least_one_example_and_at_most_all(drawn: tuple[np.ndarray, np.ndarray], share: float) -> None:
    assert 1 <= len(subset(*drawn, share, "classes", True)) <= 400
