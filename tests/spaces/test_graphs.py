"""Networks that grow by edits: what they compute stays as it is, and what is no network is refused in words."""

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Costed, Inheriting, Measurable, Morphable
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._training import Foreseeable, Trainable
from tunesmith.spaces.graphs import Graphs
from tunesmith.spec import build_space

SPACE = Graphs(start={"convs": 2, "filters": 4}, most_layers=60, most_filters=24)
OF_TABLES = Graphs(start={"convs": 0, "dense": 2, "units": 6}, most_layers=60, most_filters=24)
Candidate = dict[str, Value]


def table() -> DatasetInfo:
    return DatasetInfo("table", "regression", (5,), (), {}, "", "", target_scale=(3.0, 2.0))


def grown(space: Graphs, edits: int, seed: int) -> list[Candidate]:
    """The start, and what one random edit after the other makes of it."""
    rng, chain = np.random.default_rng(seed), [space.origin()]
    for _ in range(edits):
        morph = space.morphs(chain[-1], rng)
        assert morph
        chain.append(morph[0])
    return chain


def trained(space: Graphs, candidate: Candidate, info: DatasetInfo, seed: int):  # a Keras model
    """A network whose weights and running averages are anything but those that it begins with."""
    model = space.network(candidate, info).model
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        arrays = layer.get_weights()
        moved = [array + 0.3 * rng.normal(size=array.shape) for array in arrays]
        layer.set_weights([np.abs(array) + 0.5 for array in moved] if "normalization" in layer.name else moved)
    return model


def answers(model, info: DatasetInfo) -> np.ndarray:
    """What a model answers to random examples, before the softmax flattens it."""
    import keras

    rng = np.random.default_rng(9)
    x = rng.uniform(0, 255, (6, *info.input_shape)).astype("float32") / (255 if info.kind == "images" else 50)
    inner = keras.Model(model.inputs, model.layers[-1].input)
    last = model.get_layer("output")
    return np.asarray(inner(x, training=False)) @ np.asarray(last.kernel) + np.asarray(last.bias)


def largest_difference(space: Graphs, chain: Sequence[Candidate], info: DatasetInfo) -> float:
    """The largest difference of any answer from the parent's over a chain in which each inherits from the one before."""
    model = trained(space, chain[0], info, 0)
    differences = []
    for parent, child in pairwise(chain):
        made = space.network(child, info).model
        space.inherit(child, parent, model, made)
        before = answers(model, info)
        differences.append(np.abs(answers(made, info) - before).max() / max(np.abs(before).max(), 1.0))
        model = made
    return max(differences)


@pytest.mark.parametrize("seed", range(3))
def test_twenty_edits_one_after_the_other_change_no_answer(seed: int) -> None:
    info = images(8)
    assert largest_difference(SPACE, grown(SPACE, 20, seed), info) < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_twenty_edits_at_once_change_no_answer(seed: int) -> None:
    chain = grown(SPACE, 20, seed + 10)
    assert largest_difference(SPACE, [chain[0], chain[-1]], images(8)) < 1e-4
    assert largest_difference(SPACE, [chain[7], chain[-1]], images(8)) < 1e-4


@pytest.mark.parametrize("seed", range(2))
def test_networks_of_tables_grow_in_the_same_way(seed: int) -> None:
    chain = grown(OF_TABLES, 20, seed)
    assert largest_difference(OF_TABLES, chain, table()) < 1e-4
    assert largest_difference(OF_TABLES, [chain[0], chain[-1]], table()) < 1e-4


def test_what_a_child_inherits_can_be_trained_on_and_copies_learn_apart() -> None:
    import keras

    keras.utils.set_random_seed(0)
    info = images(8)
    start = Graphs(start={"convs": 1, "filters": 4}, dropout=0).origin()
    wide = {"graph": str(start["graph"]).replace('"filters":4', '"filters":8')}
    parent, child = trained(SPACE, start, info, 0), SPACE.network(wide, info).model
    SPACE.inherit(wide, start, parent, child)
    x, y = np.random.default_rng(0).uniform(0, 1, (32, 8, 8, 1)), np.arange(32) % 10
    child.fit(x, y, epochs=3, verbose=0)
    kernel = child.get_layer("1_conv").get_weights()[0].reshape(9, 8)
    assert len({tuple(np.round(column, 5)) for column in kernel.T}) == 8


def test_what_was_not_edited_from_a_parent_cannot_inherit_and_says_why() -> None:
    info, chain = images(8), grown(SPACE, 3, 0)
    with pytest.raises(SpecError, match=r"channels, the parent has|does not read|is Conv|not that of its parent|changes|adds"):
        SPACE.inherit(chain[0], chain[3], trained(SPACE, chain[3], info, 0), SPACE.network(chain[0], info).model)


def test_the_space_has_the_capabilities_that_the_search_by_edits_asks_for() -> None:
    assert all(isinstance(SPACE, need) for need in (Morphable, Measurable, Inheriting, Costed, Trainable, Foreseeable))


def test_the_distance_is_that_of_edits() -> None:
    chain = grown(SPACE, 8, 1)
    assert SPACE.distance(chain[0], chain[0]) == 0
    assert SPACE.distance(chain[0], chain[8]) == SPACE.distance(chain[8], chain[0]) > SPACE.distance(chain[0], chain[1]) > 0
    wide = {"graph": str(chain[0]["graph"]).replace('"filters":4', '"filters":8', 1)}
    assert SPACE.distance(chain[0], wide) == pytest.approx(0.5)


def test_graphs_that_differ_in_their_keys_alone_are_the_same() -> None:
    layers = json.loads(str(SPACE.origin()["graph"]))
    for layer in layers:
        layer["key"] += 5
    assert SPACE.identity({"graph": json.dumps(layers)}) == SPACE.identity(SPACE.origin())
    assert SPACE.identity(SPACE.origin()) != SPACE.identity(grown(SPACE, 1, 0)[1])


def test_edits_keep_the_limits_and_end_at_them() -> None:
    space = Graphs(start={"convs": 1, "filters": 4}, most_layers=4, most_filters=8)
    candidate, rng = space.origin(), np.random.default_rng(0)
    for _ in range(100):
        morph = space.morphs(candidate, rng)
        if morph is None:
            break
        candidate = morph[0]
        space.realize(candidate)
    assert morph is None


def test_any_strategy_can_draw_graphs_which_fit_the_space() -> None:
    rng = np.random.default_rng(0)
    drawn = [SPACE.sample(rng) for _ in range(30)]
    for candidate in drawn:
        SPACE.realize(candidate)
    assert len({SPACE.identity(candidate) for candidate in drawn}) > 25


def test_the_estimate_is_the_size_of_the_network() -> None:
    for info, space in ((images(8, channels=3), SPACE), (table(), OF_TABLES)):
        candidate = grown(space, 12, 3)[-1]
        assert space.estimate(candidate, info).parameters == space.network(candidate, info).model.count_params()


def test_the_search_file_s_keys_make_the_space_again() -> None:
    assert build_space(SPACE.to_json()) == SPACE
    fitted = Graphs().fit_to(table())
    assert build_space(fitted.to_json()) == fitted


INPUT, CONV = {"op": "input"}, {"op": "conv", "filters": 4, "inputs": [0]}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([INPUT, {"op": "convolution", "inputs": [0]}], r"candidate\.graph\.layers\.1\.op: got 'convolution'; allowed: .*conv"),
        ([INPUT, {**CONV, "inputs": [1]}], r"layers\.1\.inputs: got 1; .*cycle"),
        ([INPUT, CONV, {"op": "add", "inputs": [1, 7]}], r"layers\.2\.inputs: got 7; a layer reads earlier ones"),
        ([INPUT, {**CONV, "filters": 999}, {"op": "global_average", "inputs": [1]}], "most_filters allows 24"),
        ([INPUT, {**CONV, "filters": 0}, {"op": "global_average", "inputs": [1]}], r"layers\.1\.filters: got 0"),
        ([INPUT, {**CONV, "size": 3}], r"layers\.1\.size: unknown key"),
        ([INPUT, CONV, {"op": "activation", "function": "exit", "inputs": [1]}], r"layers\.2\.function: got 'exit'; allowed"),
        ([INPUT, {**CONV, "key": 1}], "either none of the layers has a key, or each"),
        ([INPUT, CONV], "gives an image"),
        ([], "the first layer of a graph is its input"),
        ({}, "needs a list of layers"),
    ],
)
def test_a_graph_that_is_none_is_refused_in_words(layers: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        SPACE.realize({"graph": json.dumps(layers)})


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, 3])
def test_a_text_that_is_no_json_is_refused(text: object) -> None:
    with pytest.raises(SpecError, match=r"candidate\.graph"):
        SPACE.realize({"graph": text})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": {"convs": -1}}, r"start\.convs: got -1"),
        ({"start": {"convs": 0}}, "there has to be a layer"),
        ({"start": {"conv": 1}}, r"start\.conv: unknown key; .*did you mean 'convs'"),
        ({"start": 3}, "start: got 3"),
        ({"start": {"filters": 64}, "most_filters": 32}, "start: got 64 filters; most_filters allows 32"),
        ({"start": {"dense": 1, "units": 64}, "most_filters": 32}, "start: got 64 units; most_filters allows 32"),
        (
            {"start": {"convs": 3, "dense": 2}, "most_layers": 4},
            r"start: got 5 layers \(convs and dense\); most_layers allows 4",
        ),
        (
            {"most_filters": 8},
            "most_filters: got 8, but start, which is not given, has 16 filters; give a smaller start, or more",
        ),
        ({"most_layers": 1}, r"most_layers: got 1, but start, which is not given, has 2 layers \(convs and dense\); give a"),
        ({"dropout": 1}, "dropout: got 1"),
        ({"optimizer": "adm"}, "optimizer: got 'adm'.*did you mean 'adam'"),
        ({"most_layers": 0}, "most_layers: got 0"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        build_space({"kind": "graphs", **settings})


def test_an_image_too_small_for_the_poolings_is_refused() -> None:
    with pytest.raises(SpecError, match=r"start\.convs: got 4; 8x8x1 pixels are too few .*; it can be halved 3 times"):
        Graphs(start={"convs": 4}).fit_to(images(8))
    with pytest.raises(
        SpecError, match=r"start: is not given, which means 2 convs, and 2x2x1 pixels .*; it can be halved once"
    ):
        Graphs().fit_to(images(2))
    with pytest.raises(SpecError, match=r"start\.convs: got 1; 1x1x1 pixels are too few .*; it cannot be halved"):
        Graphs(start={"convs": 1}).fit_to(images(1))
    deep = Graphs(start={"convs": 4}).origin()
    with pytest.raises(SpecError, match=r"candidate\.graph: 8x8x1 pixels"):
        SPACE.network(deep, images(8))


def test_a_start_that_was_not_given_is_not_blamed_for_being_too_wide_for_a_table() -> None:
    with pytest.raises(
        SpecError, match="most_filters: got 32, but start, which is not given, has 64 units; give a smaller start"
    ):
        Graphs(most_filters=32).fit_to(table())


def test_convolutions_on_a_table_are_refused() -> None:
    with pytest.raises(SpecError, match=r"start\.convs: got 2, but the data is a table"):
        SPACE.fit_to(table())
