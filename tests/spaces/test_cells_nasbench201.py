"""NAS-Bench-201's cells: what its authors published holds here, and networks are built at any size."""

from hashlib import sha256
from itertools import product

import numpy as np
import pytest

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201
from tunesmith.spec import build_space

PUBLISHED = NASBench201(stages=3, cells=5, filters=16)


def cell(digits: str) -> dict[str, str]:
    """The cell of the benchmark's six digits."""
    return {edge: OPERATIONS[int(digit)] for edge, digit in zip(EDGES, digits, strict=True)}


def images(side: int = 8, classes: int = 10, channels: int = 1) -> DatasetInfo:
    return DatasetInfo(
        kind="images",
        task="classification",
        input_shape=(side, side, channels),
        target="label",
        classes=tuple(map(str, range(classes))),
        sizes={},
        statistics={"pixel_mean": 0.5, "pixel_deviation": 0.3},
        fingerprint="",
        source="",
    )


# Of the published table's column `iso_class`: for each cell, in the order of their digits, the first one of its class.
CLASSES = "2c5febc4f51174aa29a74af03613eb9731e5b5a82737b80d2558dbba96001c3d"


def test_the_cells_are_the_6466_classes_of_the_published_table() -> None:
    every = ["".join(digits) for digits in product("01234", repeat=6)]
    first: dict[str, str] = {}
    of_class = [first.setdefault(PUBLISHED.identity(cell(digits)), digits) for digits in every]
    assert (len(every), len(first)) == (15_625, 6_466)
    assert sha256(" ".join(of_class).encode()).hexdigest() == CLASSES


@pytest.mark.parametrize(
    ("digits", "parameters", "megaflops"),
    # Of the benchmark's own table: 16 filters, 5 cells a stage, CIFAR-10.
    [("421211", 129306, 15.64736), ("333340", 1045466, 149.3408), ("310102", 344346, 47.10464), ("233123", 858426, 121.81568)],
)
def test_parameters_and_multiplications_are_those_of_the_published_table(
    digits: str, parameters: int, megaflops: float
) -> None:
    # It counts layers, too, that the output does not depend on.
    costs = PUBLISHED.realize(cell(digits)).graph((32, 32, 3)).costs((32, 32, 3))
    output = 64 * 10
    assert costs.trained + output + 10 == parameters
    assert costs.macs + output == pytest.approx(megaflops * 1e6)


def test_a_skip_is_its_source_and_nothing_follows_a_zero() -> None:
    assert PUBLISHED.identity(cell("300010")) == PUBLISHED.identity(cell("000300"))
    assert PUBLISHED.identity(cell("300010")) != PUBLISHED.identity(cell("200010"))
    assert PUBLISHED.identity(cell("000030")) == PUBLISHED.identity(cell("000000"))


def test_the_estimate_is_what_keras_builds() -> None:
    space, info = NASBench201(stages=2, cells=1, filters=4), images()
    for seed in range(4):
        candidate = space.sample(np.random.default_rng(seed))
        model = space.network(candidate, info).model
        size = space.estimate(candidate, info)
        assert size.parameters == model.count_params()
        assert size.trained == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        assert model.output_shape == (None, 10)


def test_a_cell_of_zeros_is_a_network_all_the_same() -> None:
    space, info = NASBench201(stages=2, cells=1, filters=4), images()
    answer = space.network(cell("000000"), info).model(np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32))
    assert np.allclose(np.asarray(answer).sum(axis=1), 1, atol=1e-5)


def test_another_size_holds_the_same_cell() -> None:
    larger = PUBLISHED.resized({"filters": 32, "cells": 1})
    assert (larger.filters, larger.cells, larger.stages) == (32, 1, 3)
    assert larger.identity(cell("333340")) == PUBLISHED.identity(cell("333340"))


def test_a_given_cell_leaves_its_training_to_the_search() -> None:
    space = NASBench201(cell=cell("333340"), learning_rate={"loguniform": [1e-4, 1e-2]})
    candidate = space.sample(np.random.default_rng(0))
    assert list(candidate) == ["learning_rate"]
    assert space.realize(candidate).cells == PUBLISHED.realize(cell("333340")).cells
    assert build_space(space.to_json()) == space
    space, found = PUBLISHED.tuned(cell("333340"))
    assert set(space.sample(np.random.default_rng(0))) == {"dropout", "learning_rate", "batch_size"}
    assert found == {"dropout": 0.0, "learning_rate": 2e-3, "batch_size": 64}
    space.realize(found)


def test_images_too_small_for_the_stages_are_refused_with_how_many_fit() -> None:
    with pytest.raises(SpecError, match=r"stages: got 4, each but the first halves the image; 8x8 pixels allow 3 at most"):
        NASBench201(stages=4).fit_to(images(8))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"stages": 9}, "space.stages: got 9; needs a whole number from 1 to 4"),
        ({"filters": 0}, "space.filters: got 0; needs a whole number from 1 to 2048"),
        ({"cell": {**cell("333340"), "2<-1": "conv_9x9"}}, "space.cell.2<-1: got 'conv_9x9'; allowed: {choice: "),
        ({"cell": {"1<-0": "none"}}, "space.cell.2<-0: is missing"),
        ({"cell": {**cell("333340"), "4<-0": "none"}}, "space.cell.4<-0: is no active parameter"),
        ({"optimizer": "adamm"}, "space.optimizer: got 'adamm'; allowed: "),
        ({"batch_size": 0}, "space.batch_size: got 0; allowed: "),
    ],
)
def test_settings_that_are_not_allowed_are_named(settings: dict, says: str) -> None:
    with pytest.raises(SpecError) as error:
        build_space({"kind": "cells_nasbench201", **settings})
    assert says in str(error.value)
