"""A graph with an output layer as a network ready to be trained."""

from dataclasses import dataclass
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.spaces._architecture import SLOTS, compile_for, make_optimizer, output_activation, scaling
from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._training import Size, Training

OUTPUT = "output"


@dataclass(frozen=True)
class Trained:
    """How a network is trained."""

    optimizer: str
    learning_rate: float
    batch_size: int


def train_graph(graph: Graph, training: Trained, info: DatasetInfo) -> Training:
    """Return the compiled network of a graph that gives a vector; it takes raw pixels, or the encoded rows of a table."""
    import keras

    inputs: Any = keras.Input(info.input_shape, name="input")
    features = graph.connect(scaling(info)(inputs) if info.kind == "images" else inputs)
    output = keras.layers.Dense(info.outputs, activation=output_activation(info), name=OUTPUT)(features)
    model = keras.Model(inputs, output, name="network")
    compile_for(model, info, make_optimizer(training.optimizer, training.learning_rate))
    return Training(model, training.batch_size)


def size_of_graph(graph: Graph, training: Trained, info: DatasetInfo) -> Size:
    """Return the size of the network that `train_graph` makes."""
    costs, features = graph.live().costs(info.input_shape), graph.shapes(info.input_shape)[-1][0]
    trained = costs.trained + (features + 1) * info.outputs
    activations = costs.activations + info.outputs
    return Size(trained + costs.averages, trained, SLOTS[training.optimizer], activations, training.batch_size)
