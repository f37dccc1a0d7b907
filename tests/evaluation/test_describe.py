"""The description from which a network is drawn."""

import json

from tests.evaluation.sets import CLASSIFIER
from tunesmith.data.info import DatasetInfo
from tunesmith.evaluation._describe import describe_network
from tunesmith.evaluation._network import in_target_units

INFO = DatasetInfo("images", "classification", (6, 5, 1), ("a", "b", "c"), {}, "0", "test")


def test_a_chain_names_each_layer_its_size_and_what_it_reads():
    described = describe_network(CLASSIFIER.network({"learning_rate": 0.01}, INFO).model)
    assert [layer["name"] for layer in described][:4] == ["input", "scaling", "conv1", "conv1_relu"]
    assert described[0] == {
        **{"name": "input", "type": "InputLayer", "detail": "", "output_shape": [None, 6, 5, 1]},
        **{"parameters": 0, "inputs": []},
    }
    conv, output = described[2], described[-1]
    assert (conv["detail"], conv["output_shape"], conv["parameters"]) == ("3x3, 4", [None, 6, 5, 4], 40)
    assert (output["detail"], output["parameters"], output["inputs"]) == ("3, softmax", 27, ["dense1_relu"])
    assert json.loads(json.dumps(described)) == described


def test_branches_and_plain_operations_keep_their_inputs():
    import keras

    entry = keras.Input((4,), name="entry")
    left = keras.layers.Dense(3, name="left")(entry)
    right = keras.layers.Dense(3, name="right")(left)
    joined = keras.layers.Add(name="joined")([left, right])
    model = keras.Model(entry, keras.layers.Dense(1, name="out")(keras.ops.relu(joined)))
    described = {layer["name"]: layer for layer in describe_network(model)}
    assert described["joined"]["inputs"] == ["left", "right"]
    operation = described["out"]["inputs"][0]
    assert described[operation]["inputs"] == ["joined"]
    assert list(described).index("right") < list(described).index("joined")


def test_a_regression_ends_in_its_targets_units():
    import keras

    info = DatasetInfo("table", "regression", (2,), (), {}, "0", "test", target_scale=(100.0, 10.0))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert describe_network(in_target_units(model, info))[-1]["name"] == "target_units"


def test_a_model_of_the_users_own_class_comes_as_a_chain():
    import keras

    class Own(keras.Model):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.first, self.second = keras.layers.Dense(width), keras.layers.Dense(1)

        def call(self, inputs):
            return self.second(self.first(inputs))

    model = Own(3)
    model(keras.ops.zeros((1, 2)))
    described = describe_network(model)
    assert [layer["type"] for layer in described] == ["InputLayer", "Dense", "Dense"]
    assert described[2]["inputs"] == [described[1]["name"]]
