"""What every space promises: a form in JSON, candidates that come back as they were, networks as they were foreseen."""

import json
from itertools import islice
from typing import Any

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.evaluation._describe import describe_network
from tunesmith.registry import discover
from tunesmith.report.network import draw_network
from tunesmith.spaces._capabilities import Costed
from tunesmith.spaces._distributions import Distribution
from tunesmith.spaces._space import Space, canonical
from tunesmith.spaces._training import Foreseeable, Trainable
from tunesmith.spec import build_space

CELLS = {"stages": 2, "cells": 1, "filters": 4}
TREE = {"a": {"choice": {"one": {"b": {"int": [1, 3]}}, "none": {}}}, "c": {"uniform": [0, 1]}}
GRAPH = [{"op": "input"}, {"op": "conv", "filters": 4, "inputs": [0]}, {"op": "activation", "inputs": [1]}]
SPACES: dict[str, dict[str, Any]] = {
    "applications": {"model": "MobileNetV2"},
    "cells_nasbench201": CELLS,
    "cells_nasnet": {"blocks": 2} | CELLS,
    "cells_pnas": {"blocks": 3} | CELLS,
    "code": {"build": f"{__name__}:build_model"},
    "dag_enas": {"nodes": 3} | CELLS,
    "dag_enas macro": {"nodes": 4, "scope": "macro"} | CELLS,
    "graph_training": {"graph": [*GRAPH, {"op": "global_average", "inputs": [2]}], "dropout": {"uniform": [0, 0.5]}},
    "graphs": {"start": {"convs": 2, "filters": 4}, "most_layers": 8, "most_filters": 16},
    "layers": {"convs": [2, 4], "dense": 1, "filters": {"int": [2, 5]}, "units": 4},
    "layers skips": {"convs": [3, 5], "dense": 1, "filters": {"int": [2, 5]}, "units": 4, "skips": True},
    "parameters": {"parameters": TREE},
}
DRAWN = 12
TRAINABLE = sorted(set(SPACES) - {"parameters"})
FORESEEN = sorted(set(TRAINABLE) - {"applications", "code"})
# A square, and what is neither square nor even nor grey.
SHAPES = [(8, 8, 1), (9, 13, 3)]


def build_model(choose: Any) -> Any:
    """A user's own model of 8x8 images."""
    import keras

    units = choose.int("units", 2, 4)
    layers = [keras.layers.Flatten(), keras.layers.Dense(units), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def made(name: str) -> Space:
    return build_space({"kind": name.split(maxsplit=1)[0], **SPACES[name]})


def candidates(space: Space, count: int = DRAWN, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def data_of(name: str) -> DatasetInfo:
    return images(32, channels=3) if name == "applications" else images(8)


def of_shape(shape: tuple[int, ...], classes: int) -> DatasetInfo:
    return DatasetInfo("images", "classification", shape, tuple(map(str, range(classes))), {}, "", "")


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> Space:
    return made(request.param)


def test_every_space_is_here() -> None:
    assert {name.split()[0] for name in SPACES} == set(discover("tunesmith.spaces"))


def test_the_form_in_json_makes_the_space_again(space: Space) -> None:
    form = json.loads(json.dumps(space.to_json()))
    form.pop("sha256", None)
    again = build_space(form)
    assert again.to_json() == space.to_json()
    assert candidates(again) == candidates(space)


def test_a_candidate_comes_back_from_json_as_the_same(space: Space) -> None:
    for candidate in candidates(space):
        back = json.loads(json.dumps(candidate))
        assert canonical(back) == canonical(candidate)
        assert space.identity(back) == space.identity(candidate)
        assert space.identity(dict(reversed(candidate.items()))) == space.identity(candidate)


def test_what_is_drawn_is_in_the_space_and_chosen_anew_it_is_the_same(space: Space) -> None:
    for candidate in candidates(space):
        space.realize(candidate)
        assert space.choose(lambda name, _, known=candidate: known[name]) == candidate


def test_what_lacks_a_parameter_or_has_one_too_many_is_refused(space: Space) -> None:
    (candidate,) = candidates(space, 1)
    last = list(candidate)[-1]
    with pytest.raises(SpecError, match=rf"candidate\.{last}: is missing; allowed: "):
        space.realize({name: value for name, value in candidate.items() if name != last})
    with pytest.raises(SpecError, match=r"candidate\.nothing: is no active parameter"):
        space.realize(candidate | {"nothing": 1})


def test_a_finite_space_is_listed_one_by_one_and_an_endless_one_says_so(space: Space) -> None:
    met: list[Distribution] = []
    space.choose(lambda _, distribution: met.append(distribution) or distribution.quantile(0.0))
    if any(each.size == float("inf") for each in met):
        with pytest.raises(ValueError, match="the space has no end"):
            next(space.enumerate())
        return
    listed = list(islice(space.enumerate(), 200))
    assert len({canonical(each) for each in listed}) == len(listed) > 0
    for candidate in listed:
        space.realize(candidate)


@pytest.mark.parametrize("name", TRAINABLE)
def test_its_network_is_described_and_drawn(name: str) -> None:
    space = made(name).fit_to(data_of(name))
    assert isinstance(space, Trainable)
    layers = describe_network(space.network(candidates(space, 1)[0], data_of(name)).model)
    assert json.loads(json.dumps(layers)) == layers
    names = [layer["name"] for layer in layers]
    for place, layer in enumerate(layers):
        assert set(layer["inputs"]) <= set(names[:place])
    assert draw_network(layers).startswith("<svg")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FORESEEN)
def test_what_is_foreseen_is_what_is_built(name: str, shape: tuple[int, ...]) -> None:
    info = of_shape(shape, 7)
    space = made(name).fit_to(info)
    assert isinstance(space, Foreseeable)
    for candidate in candidates(space, 4, seed=1):
        model = space.network(candidate, info).model  # type: ignore[attr-defined]
        size = space.estimate(candidate, info)
        assert model.output_shape == (None, 7)
        assert size.parameters == model.count_params()
        assert size.trained == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_what_cannot_be_foreseen_says_so_by_not_offering_it() -> None:
    assert [name for name in SPACES if isinstance(made(name), Foreseeable)] == sorted(FORESEEN)
    assert not [name for name in SPACES if isinstance(made(name), Costed) and name not in FORESEEN]


@pytest.mark.parametrize("name", sorted({*FORESEEN, "code"}))
def test_one_pass_over_the_digits_changes_every_weight_that_is_trained(name: str) -> None:
    import keras

    keras.utils.set_random_seed(0)
    x, y = digits()
    space = made(name).fit_to(data_of(name))
    training = space.network(candidates(space, 1)[0], data_of(name))  # type: ignore[attr-defined]
    before = [np.array(weight) for weight in training.model.trainable_weights]
    history = training.model.fit(x, y, epochs=1, batch_size=training.batch_size or 32, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    changed = [not np.array_equal(old, new) for old, new in zip(before, training.model.trainable_weights, strict=True)]
    assert all(changed)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The first 128 digits."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[:128].reshape(-1, 8, 8, 1).astype(np.float32), y[:128]
