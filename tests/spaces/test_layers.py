"""The space of plain networks: what is searched, what is refused, and what is built for which data."""

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.evaluation._memory import activations
from tunesmith.spaces._architecture import poolings
from tunesmith.spaces.layers import Layers
from tunesmith.spec import build_space

SMALL = {"convs": 1, "dense": 1, "filters": 2, "units": 3, "dropout": 0.1, "batch_normalization": True, "optimizer": "adam"}


def images(*shape: int, task: str = "classification") -> DatasetInfo:
    classes = ("a", "b", "c") if task == "classification" else ()
    statistics = {"pixel_mean": 100.0, "pixel_deviation": 50.0}
    return DatasetInfo("images", task, shape, classes, {}, "0", "test", statistics=statistics)  # type: ignore[arg-type]


def table(task: str = "classification") -> DatasetInfo:
    classes = ("a", "b") if task == "classification" else ()
    return DatasetInfo("table", task, (7,), classes, {}, "0", "test")  # type: ignore[arg-type]


def some(space: Layers, seed: int = 0) -> dict:
    return space.sample(np.random.default_rng(seed))


def test_each_layer_has_its_own_size_and_dropout_and_the_network_one_optimizer():
    candidate = some(Layers(convs=[2, 2], dense=1))
    assert list(candidate) == [
        *("conv1.filters", "conv1.dropout", "conv2.filters", "conv2.dropout", "dense1.units", "dense1.dropout"),
        *("activation", "batch_normalization", "optimizer", "learning_rate", "batch_size"),
    ]


def test_a_layer_that_is_not_there_has_no_parameters():
    space = Layers(convs=[1, 3], dense=[0, 2])
    for seed in range(20):
        candidate = some(space, seed)
        convs = sum(name.endswith(".filters") for name in candidate)
        dense = sum(name.endswith(".units") for name in candidate)
        assert (candidate["convs"], candidate["dense"]) == (convs, dense)
        architecture = space.realize(candidate)
        assert (len(architecture.convs), len(architecture.dense)) == (convs, dense)


def test_both_ends_of_a_count_are_included():
    assert {some(Layers(convs=[3, 8]), seed)["convs"] for seed in range(100)} == {3, 4, 5, 6, 7, 8}


def test_a_single_value_is_used_and_not_searched():
    space = Layers(optimizer="sgd", batch_size=64, kernel=5, dropout=0, activation="gelu")
    candidate = some(space)
    assert not [
        name for name in candidate if name.split(".")[-1] in ("optimizer", "batch_size", "kernel", "dropout", "activation")
    ]
    architecture = space.realize(candidate)
    assert (architecture.optimizer, architecture.batch_size, architecture.activation) == ("sgd", 64, "gelu")
    assert {(conv.kernel, conv.dropout) for conv in architecture.convs} == {(5, 0.0)}


def test_whole_numbers_may_come_as_floats():
    space = Layers(convs=[3.0, 8.0], dense=2.0, batch_size=64.0, units={"choice": [16.0, 32.0]})
    architecture = space.realize(some(space))
    assert type(architecture.batch_size) is int
    assert {type(layer.units) for layer in architecture.dense} == {int}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"convs": [8, 3]}, r"convs: got \[8, 3\]; needs \[fewest, most\] or one whole number"),
        ({"convs": "many"}, "convs: got 'many'"),
        ({"dense": -1}, "dense: got -1"),
        ({"dense": [1, 2, 3]}, "dense: got"),
        ({"dense": True}, "dense: got True"),
        ({"filters": 0}, "filters: got 0; allowed: whole numbers from 1"),
        ({"units": 2.5}, "units: got 2.5; allowed: whole numbers"),
        (
            {"units": {"uniform": [1, 9]}},
            r"units: got \{uniform: \[1, 9\]\}; allowed: whole numbers .*use int, logint or choice",
        ),
        ({"dropout": 1}, "dropout: got 1; allowed: numbers from 0 to below 1"),
        ({"dropout": {"normal": [0.15, 0.1]}}, r"dropout: got .*reaches -0\.\d+; allowed: .*clip: \[low, high\]"),
        ({"dropout": {"uniform": [0, 1]}}, "dropout: got .*reaches 1"),
        ({"dropout": {"norml": [0.15, 0.1]}}, "dropout: got .*did you mean 'normal'"),
        ({"optimizer": "adm"}, "optimizer: got 'adm'; allowed: adam, .*did you mean 'adam'"),
        ({"optimizer": {"choice": ["adam", "magic"]}}, "optimizer: got 'magic'"),
        ({"activation": {"choice": ["relu", 3]}}, "activation: got 3"),
        ({"batch_normalization": "yes"}, "batch_normalization: got 'yes'; allowed: true, false"),
        ({"learning_rate": 0}, "learning_rate: got 0; allowed: numbers above 0"),
        ({"batch_size": {"choice": [32, "lots"]}}, "batch_size: got 'lots'"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(settings: dict, message: str):
    with pytest.raises(SpecError, match=message):
        Layers(**settings)


def test_an_unknown_key_gets_a_suggestion():
    with pytest.raises(SpecError, match=r"space\.dropuot: unknown key; allowed: convs.*did you mean 'dropout'"):
        build_space({"kind": "layers", "dropuot": 0.1})


def test_the_default_is_without_convolutions_on_a_table():
    space = Layers().fit_to(table())
    assert not [name for name in some(space) if name.startswith("conv")]
    assert space.fit_to(table()) == space, "a recorded study is fitted again"


@pytest.mark.parametrize("settings", [{"convs": [3, 8]}, {"convs": 1}, {"filters": 8}, {"kernel": 3}])
def test_convolutions_of_a_table_are_refused(settings: dict):
    with pytest.raises(SpecError, match=f"{next(iter(settings))}: .*the data is a table; leave"):
        Layers(**settings).fit_to(table())


@pytest.mark.parametrize("data", [images(8, 8, 1), table()])
def test_the_written_form_makes_the_same_space(data: DatasetInfo):
    space = Layers(dense=[2, 5], dropout={"normal": [0.15, 0.1], "clip": [0, 0.9]}, optimizer="adam").fit_to(data)
    again = build_space(space.to_json()).fit_to(data)
    assert again.to_json() == space.to_json()
    assert some(again) == some(space)  # type: ignore[arg-type]


@given(st.integers(0, 30), st.integers(1, 300), st.integers(1, 300))
def test_no_number_of_convolutions_shrinks_an_image_away(count: int, height: int, width: int):
    after = poolings(count, height, width)
    assert after <= set(range(1, count + 1))
    assert min(height, width) >> len(after) >= 1


def test_eight_convolutions_fit_on_eight_pixels():
    space = Layers(**SMALL | {"convs": 8})
    info = images(8, 8, 1)
    model = space.network(some(space), info).model
    assert sum(layer.name.startswith("conv") and layer.name[-1].isdigit() for layer in model.layers) == 8
    assert model.get_layer("flatten").input.shape == (None, 2, 2, 2)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 1), (5, 40, 3)])
def test_images_of_odd_sizes_can_be_trained_on(shape: tuple[int, ...]):
    space = Layers(**SMALL | {"convs": 3})
    model = space.network(some(space), images(*shape)).model
    assert model.output_shape == (None, 3)


def test_a_large_image_is_averaged_before_the_dense_layers():
    space = Layers(**SMALL)
    model = space.network(some(space), images(200, 200, 3)).model
    assert model.get_layer("dense1").input.shape == (None, 2)


def test_the_network_takes_raw_pixels_and_answers_probabilities():
    space = Layers(**SMALL | {"convs": 0})
    model = space.network(some(space), images(2, 2, 1)).model
    scaled = model.get_layer("scaling")(np.array([[[[100], [150]], [[50], [0]]]], dtype=np.uint8))
    assert np.asarray(scaled).ravel().tolist() == [0.0, 1.0, -1.0, -2.0]
    answers = np.asarray(model(np.full((4, 2, 2, 1), 255)))
    assert answers.shape == (4, 3)
    assert answers.sum(axis=1) == pytest.approx(np.ones(4))


def test_a_regression_has_one_linear_output_and_a_squared_loss():
    space = Layers(**{name: value for name, value in SMALL.items() if name not in ("convs", "filters")}).fit_to(
        table("regression")
    )
    model = space.network(some(space), table("regression")).model
    assert model.output_shape == (None, 1)
    assert model.get_layer("output").activation.__name__ == "linear"
    assert model.loss == "mse"


def test_the_training_is_the_candidates():
    space = Layers(**SMALL | {"optimizer": "sgd", "learning_rate": 0.02, "batch_size": 48})
    training = space.network(some(space), images(4, 4, 1))
    assert training.batch_size == 48
    assert float(training.model.optimizer.learning_rate) == pytest.approx(0.02)
    assert training.model.optimizer.momentum == 0.9


def test_a_candidate_of_another_space_is_refused():
    with pytest.raises(SpecError, match=r"candidate\.conv1\.filters"):
        Layers(convs=1).network(some(Layers(convs=0)), images(4, 4, 1))


SKIPPING = Layers(convs=[3, 6], dense=1, filters={"int": [2, 5]}, units=4, skips=True)


def test_with_skips_each_convolution_chooses_the_earlier_ones_that_it_reads():
    candidate = some(Layers(convs=4, dense=1, skips=True))
    chosen = [name for name in candidate if "skip" in name]
    assert chosen == ["conv3.skip1", "conv4.skip1", "conv4.skip2"]
    architecture = Layers(convs=4, dense=1, skips=True).realize(candidate | {"conv4.skip1": True, "conv4.skip2": False})
    assert architecture.convs[3].skips == (1,)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_foreseen_of_a_network_with_skips_is_what_is_built(seed: int):
    info = images(16, 16, 1)
    candidate = some(SKIPPING, seed)
    model = SKIPPING.network(candidate, info).model
    assert SKIPPING.estimate(candidate, info).parameters == model.count_params()
    # A graph's input is a layer, too, a chain's is none.
    inputs = 16 * 16 if any(value is True for name, value in candidate.items() if "skip" in name) else 0
    assert SKIPPING.estimate(candidate, info).activations == sum(activations(model)) - inputs
    assert model.output_shape == (None, 3)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(3, 6))
@settings(max_examples=15, deadline=None)
@example(15, 36, 6)
def test_images_of_any_sides_are_as_large_wherever_they_are_read(height: int, width: int, convs: int):
    space, info = Layers(convs=convs, dense=1, filters=2, units=4, skips=True), images(height, width, 1)
    candidate = space.choose(lambda name, distribution: True if "skip" in name else distribution.quantile(0.5))
    assert space.estimate(candidate, info).parameters == space.network(candidate, info).model.count_params()


def test_a_network_that_skips_nothing_is_the_plain_chain():
    info = images(16, 16, 1)
    plain = {name: False if "skip" in name else value for name, value in some(SKIPPING).items()}
    chain = {name: value for name, value in plain.items() if "skip" not in name}
    without = Layers(convs=[3, 6], dense=1, filters={"int": [2, 5]}, units=4)
    layers = [layer.name for layer in SKIPPING.network(plain, info).model.layers]
    assert layers == [layer.name for layer in without.network(chain, info).model.layers]


def test_the_space_with_skips_comes_back_from_its_form_and_a_table_has_none():
    assert build_space(SKIPPING.to_json()).to_json() == SKIPPING.to_json()
    with pytest.raises(SpecError, match="skips: belongs to convolutions, but the data is a table"):
        Layers(skips=True).fit_to(table())
