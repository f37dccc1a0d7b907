"""NASNet's, PNAS' and ENAS' spaces: what their authors published holds here."""

from itertools import islice
from math import prod

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Expandable
from tunesmith.spaces._cells.published import NASNET_A, NASNET_A_KEPT
from tunesmith.spaces._space import Chooser
from tunesmith.spaces.cells_nasnet import NASNet
from tunesmith.spaces.cells_pnas import Blocks, PNASCells
from tunesmith.spaces.dag_enas import DagENAS

IMAGENET = DatasetInfo("images", "classification", (224, 224, 3), tuple(map(str, range(1000))), {}, "", "")
MOBILE = NASNet(stages=3, cells=4, filters=44, stem="imagenet", kept=NASNET_A_KEPT)


def test_nasnet_a_at_the_size_of_nasnet_mobile_has_exactly_its_parameters() -> None:
    assert MOBILE.estimate(NASNET_A, IMAGENET).parameters == 5_326_716


@pytest.mark.slow
def test_nasnet_mobile_of_keras_applications_has_as_many() -> None:
    import keras

    assert keras.applications.NASNetMobile(weights=None).count_params() == 5_326_716
    assert MOBILE.network(NASNET_A, IMAGENET).model.count_params() == 5_326_716


def test_without_the_states_that_its_code_keeps_the_published_cell_is_smaller() -> None:
    by_the_paper = NASNet(stages=3, cells=4, filters=44, stem="imagenet")
    assert by_the_paper.estimate(NASNET_A, IMAGENET).parameters < 5_326_716


def test_pnas_begins_with_136_cells_and_grows_each_by_a_block_without_twins() -> None:
    space = PNASCells()
    assert isinstance(space, Expandable)
    smallest = list(space.smallest())
    assert len(smallest) == len({space.identity(candidate) for candidate in smallest}) == 136
    grown = list(space.expand(smallest[40]))
    assert len(grown) == len({space.identity(candidate) for candidate in grown}) == 300
    assert {space.size_of(candidate) for candidate in grown} == {2}
    for candidate in grown:
        space.realize(candidate)


def test_the_space_of_five_blocks_is_as_large_as_its_paper_says() -> None:
    # Liu et al. (2018), section 3.1: 256 cells of one block, and 5.6 * 10^14 of five, before symmetries.
    assert sum(1 for _ in PNASCells(blocks=1).enumerate()) == 256
    last = Chooser(lambda _, distribution: distribution.value_at(int(distribution.size) - 1))
    PNASCells(blocks=5, least_blocks=5).define(last)
    assert prod(each.size for each in last.distributions.values()) == pytest.approx(5.6e14, rel=0.01)


def test_expansions_of_all_first_cells_are_40800_and_fewer_of_them_differ() -> None:
    space = PNASCells(blocks=2)
    grown = [candidate for first in space.smallest() for candidate in space.expand(first)]
    assert len(grown) == 136 * 300
    # Where the second block reads none of the first, either may come first: of 136 cells each, 136 * 135 / 2 are met twice.
    assert len({space.identity(candidate) for candidate in grown}) == 136 * 300 - 136 * 135 // 2


def test_expansions_are_made_one_at_a_time() -> None:
    (first, *_) = islice(PNASCells(blocks=10).smallest(), 1)
    assert len(list(islice(PNASCells(blocks=10).expand(first), 3))) == 3


def test_four_of_five_random_cells_have_all_blocks() -> None:
    rng, space = np.random.default_rng(0), PNASCells(blocks=4)
    sizes = [space.size_of(space.sample(rng)) for _ in range(2000)]
    assert sizes.count(4) / 2000 == pytest.approx(0.8, abs=0.03)
    assert [sizes.count(size) / 2000 for size in (1, 2, 3)] == pytest.approx([0.2 / 3] * 3, abs=0.03)


@given(st.integers(1, 5), st.integers(1, 5))
def test_every_size_is_where_its_probability_says(low: int, more: int) -> None:
    sizes = Blocks(low, low + more)
    values = [sizes.value_at(i) for i in range(int(sizes.size))]
    assert [sizes.quantile(float(unit)) for unit in sizes.cdf(values)] == values
    assert sizes.cdf(values)[-1] == pytest.approx(0.6)


def test_a_full_cell_does_not_grow() -> None:
    space = PNASCells(blocks=2)
    (first, *_) = space.smallest()
    (second, *_) = space.expand(first)
    assert list(space.expand(second)) == []


def test_what_searches_the_training_too_grows_with_the_middle_of_it() -> None:
    space = PNASCells(blocks=2, learning_rate={"loguniform": [1e-4, 1e-2]})
    (first, *_) = space.smallest()
    assert first["learning_rate"] == pytest.approx(1e-3)
    space.realize(first)


def test_the_sides_of_a_block_and_the_order_of_blocks_do_not_matter() -> None:
    space = PNASCells(blocks=2, least_blocks=2)
    one = {"block1.left": 0, "block1.left_operation": "identity", "block1.right": 1, "block1.right_operation": "max_3x3"}
    two = {"block2.left": 1, "block2.left_operation": "identity", "block2.right": 1, "block2.right_operation": "average_3x3"}
    turned = {"block1.left": 1, "block1.left_operation": "max_3x3", "block1.right": 0, "block1.right_operation": "identity"}
    swapped = {name.replace("1.", "#.").replace("2.", "1.").replace("#.", "2."): value for name, value in (one | two).items()}
    assert space.identity(one | two) == space.identity(turned | two) == space.identity(swapped)
    assert space.identity(one | two) != space.identity(one | two | {"block2.left": 0})


def test_loose_ends_of_enas_are_averaged_and_a_layer_may_skip() -> None:
    micro, macro = DagENAS(nodes=2, stages=1, cells=1), DagENAS(nodes=3, scope="macro", stages=1)
    cell = {"left": 0, "left_operation": "identity", "right": 1, "right_operation": "max_3x3"}
    candidate = {
        f"{name}.block{block}.{key}": value
        for name in ("normal", "reduction")
        for block in (1, 2)
        for key, value in cell.items()
    }
    assert "average" in str(micro.network(candidate, images(8)).model.get_config()).lower()
    layers = {f"layer{i}.operation": "conv_3x3" for i in (1, 2, 3)}
    plain, skipping = layers | {"layer3.skip1": False}, layers | {"layer3.skip1": True}
    assert macro.costs(skipping, images(8)).trained > macro.costs(plain, images(8)).trained


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NASNet(blocks=0), "blocks: got 0; needs a whole number from 1"),
        (lambda: NASNet(kept={"norml": [0]}), "kept.norml: is no cell; allowed: normal, reduction"),
        (lambda: NASNet(kept={"normal": [9]}), r"kept.normal: got \[9\]; needs a list of states from 0 to 6"),
        (lambda: PNASCells(least_blocks=6), "least_blocks: got 6; needs a whole number from 1 to blocks, 5"),
        (lambda: DagENAS(nodes=2, scope="macro"), "stages: got 3; each needs a node, and nodes is 2"),
        (lambda: NASNet(kept={"reduction": [1]}), r"kept.reduction: got \[1\]; needs a list of states from 2 to 6"),
        (
            lambda: MOBILE.fit_to(images(32)),
            "stages: got 3, each .* halves the image, after the stem has halved it 3 times; 32x32 pixels allow 2 at most",
        ),
        (
            lambda: MOBILE.fit_to(images(8)),
            "stem: halves the image 3 times before the first stage; 8x8 pixels are too few",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(make, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


def test_a_block_that_reads_a_later_state_is_refused() -> None:
    with pytest.raises(SpecError, match=r"candidate\.normal\.block1\.left: got 3; allowed: \{choice: \[0, 1\]\}"):
        MOBILE.realize(NASNET_A | {"normal.block1.left": 3})
