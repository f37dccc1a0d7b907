"""A graph with an output layer as a network ready to be trained."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.spaces._architecture import OPTIMIZERS, SLOTS, compile_for, make_optimizer, output_activation, scaling
from tunesmith.spaces._distributions import Choice, Distribution, LogUniform, Uniform, Value
from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._settings import Rule, decide, number, one_of, whole_rule
from tunesmith.spaces._space import Candidate
from tunesmith.spaces._training import Size, Training

OUTPUT = "output"
# What is searched when the network is found and its training is tuned, around a value.
TUNED: dict[str, Callable[[Any], Distribution]] = {
    "dropout": lambda rate: Uniform(0.0, max(0.5, rate)),
    "learning_rate": lambda rate: LogUniform(min(2e-4, rate), max(2e-2, rate)),
    "batch_size": lambda size: Choice(tuple(sorted({16, 32, 64, 128, size}))),
}


@dataclass(frozen=True)
class Trained:
    """How a network is trained."""

    optimizer: str
    learning_rate: float
    batch_size: int


def training_rules(dropout: float, learning_rate: float) -> dict[str, Rule]:
    """Return the keys that say how a network is trained, with these defaults; `dropout` is that before the output layer."""
    return {
        "dropout": Rule(dropout, number(0, 1), "numbers from 0 to below 1"),
        "optimizer": Rule("adam", one_of(OPTIMIZERS), ", ".join(OPTIMIZERS)),
        "learning_rate": Rule(learning_rate, number(1e-12, 1000), "numbers above 0"),
        "batch_size": whole_rule(64, 2**20),
    }


def tuning_of(space: Any, candidate: Candidate, rules: Iterable[str]) -> tuple[dict[str, Distribution], dict[str, Value]]:
    """Return what is searched of the training's settings that a space has fixed, and the training that a candidate has.

    rules: the names of the settings. The usual ranges are made to hold what was found.
    """
    values = decide(space, rules, lambda name, _: candidate[name])
    fixed = [name for name in values if not isinstance(getattr(space, name), Distribution)]
    searched = {name: TUNED[name](values[name]) for name in fixed if name in TUNED}
    return searched, {name: value for name, value in values.items() if name in searched or name not in fixed}


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
