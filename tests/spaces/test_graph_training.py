"""The trainings of one network that is given: its layers stay, what is tuned of it is as it was found to begin with."""

import json

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tests.spaces.test_graphs import OF_TABLES, SPACE, grown, table
from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Costed, Tunable
from tunesmith.spaces._distributions import Value
from tunesmith.spaces.graph_training import GraphTraining
from tunesmith.spaces.graphs import Graphs
from tunesmith.spec import build_space

INPUT, CONV, AVERAGE = {"op": "input"}, {"op": "conv", "filters": 4, "inputs": [0]}, {"op": "global_average", "inputs": [1]}


@pytest.fixture(params=[(SPACE, images(8)), (OF_TABLES, table())], ids=["images", "table"])
def found(request: pytest.FixtureRequest):
    """A space, the data that its networks are for, and what eight edits made of its start."""
    space, info = request.param
    return space, info, grown(space, 8, 2)[-1]


def last_dropout(space: GraphTraining, candidate: dict[str, Value], info) -> list[float]:
    return [layer.rate for layer in space.network(candidate, info).model.layers if "dropout" in layer.name]


def test_a_graph_that_was_found_is_trained_as_it_was_to_begin_with(found) -> None:
    space, info, candidate = found
    tuned, training = space.tuned(candidate)
    again, first = tuned.fit_to(info).network(training, info), space.network(candidate, info)
    assert training == {"dropout": 0.25, "learning_rate": 1e-3, "batch_size": 64}
    assert [layer.name for layer in again.model.layers] == [layer.name for layer in first.model.layers]
    assert again.model.count_params() == first.model.count_params() == tuned.estimate(training, info).parameters
    assert again.batch_size == first.batch_size
    assert last_dropout(tuned, training, info) == [0.25]


def test_all_else_that_it_draws_is_the_same_network_trained_otherwise(found) -> None:
    space, info, candidate = found
    tuned, _ = space.tuned(candidate)
    rng = np.random.default_rng(0)
    for drawn in (tuned.sample(rng) for _ in range(10)):
        assert tuned.estimate(drawn, info).parameters == space.estimate(candidate, info).parameters
        assert last_dropout(tuned, drawn, info) == [drawn["dropout"]]
        assert tuned.network(drawn, info).batch_size == drawn["batch_size"]


def test_it_comes_back_from_the_search_file_without_the_keys_of_edits(found) -> None:
    space, _, candidate = found
    tuned, training = space.tuned(candidate)
    back = build_space(json.loads(json.dumps(tuned.to_json())))
    assert back == tuned
    assert "key" not in json.dumps(back.to_json())
    assert isinstance(back, Tunable)
    assert isinstance(back, Costed)
    assert back.tuned(training) == (tuned, training)


def test_a_graph_without_dropout_gets_none_until_some_is_chosen() -> None:
    bare = Graphs(start={"convs": 1, "filters": 4}, dropout=0)
    tuned, training = bare.tuned(bare.origin())
    assert training["dropout"] == 0
    assert last_dropout(tuned, training, images(8)) == []
    assert last_dropout(tuned, training | {"dropout": 0.5}, images(8)) == [0.5]


def test_what_is_not_given_stays_as_the_graph_has_it() -> None:
    space = GraphTraining(SPACE.origin()["graph"])
    assert last_dropout(space, {}, images(8)) == [0.25]
    assert space.sample(np.random.default_rng(0)) == {}


def test_what_was_fixed_is_searched_when_it_is_tuned_and_what_was_searched_stays_so() -> None:
    space = build_space(
        {"kind": "graph_training", "graph": [INPUT, CONV, AVERAGE], "learning_rate": {"loguniform": [1e-4, 1e-3]}}
    )
    assert isinstance(space, Tunable)
    tuned, training = space.tuned({"learning_rate": 5e-4})
    assert training == {"dropout": 0.0, "learning_rate": 5e-4, "batch_size": 64}
    assert tuned.to_json()["learning_rate"] == {"loguniform": [1e-4, 1e-3]}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"graph": [INPUT, {**CONV, "op": "convolution"}, AVERAGE]}, r"graph\.1\.op: got 'convolution'; allowed: .*conv"),
        ({"graph": [INPUT, {**CONV, "inputs": [1]}, AVERAGE]}, r"graph\.1\.inputs: got 1; .*cycle"),
        ({"graph": [INPUT, CONV]}, r"graph\.1: gives an image"),
        ({"graph": "no JSON"}, r"graph: is no JSON"),
        ({"graph": 3}, r"graph: got 3; needs a list of layers"),
        ({}, r"graph: is missing"),
        ({"graph": [INPUT, CONV, AVERAGE], "dropout": 1}, "dropout: got 1"),
        ({"graph": [INPUT, CONV, AVERAGE], "dropout": {"uniform": [0, 1]}}, "dropout: got .*which reaches 1"),
    ],
)
def test_what_is_no_network_or_no_training_is_refused_in_words(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        build_space({"kind": "graph_training", **settings})


def test_data_of_another_kind_or_too_small_are_refused() -> None:
    tuned, _ = SPACE.tuned(SPACE.origin())
    with pytest.raises(SpecError, match=r"graph: reads images, but the data is a table"):
        tuned.fit_to(table())
    with pytest.raises(SpecError, match=r"graph: 2x2x1 pixels are too few .*; it can be halved once"):
        tuned.fit_to(images(2))
    of_tables, _ = OF_TABLES.tuned(OF_TABLES.origin())
    with pytest.raises(SpecError, match=r"graph: reads a table, but the data is images"):
        of_tables.fit_to(images(8))
