"""Networks that grow: a small start and all that function-preserving edits make of it (Jin, Song & Hu, 2019: Auto-Keras)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.registry import configure
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._graph.distance import Outline, distance, outline_of
from tunesmith.spaces._graph.edits import Limits, random_edit
from tunesmith.spaces._graph.graph import Costs, Graph
from tunesmith.spaces._graph.inheritance import Inheritance
from tunesmith.spaces._graph.start import Start, check_sides, check_start, start_graph
from tunesmith.spaces._graph.text import GraphText, check_limits, read, write
from tunesmith.spaces._graph.training import OUTPUT, Trained, size_of_graph, train_graph, training_rules
from tunesmith.spaces._graph.wiring import keys_of
from tunesmith.spaces._settings import Rule, json_fields, read_value, whole_rule
from tunesmith.spaces._space import Candidate, Chooser, Space, canonical
from tunesmith.spaces._training import Size, Training
from tunesmith.spaces.graph_training import GraphTraining, dropout_of

if TYPE_CHECKING:
    import keras

NAME = "graph"
RULES: dict[str, Rule] = {
    "most_layers": whole_rule(24, 200),
    "most_filters": whole_rule(256, 4096),
    **training_rules(dropout=0.25, learning_rate=1e-3),
}


@dataclass(frozen=True)
class Graphs(Space):
    """Networks made of a start by deepening, widening, skips and branches.

    `start`: `{convs: 2, filters: 16, dense: 0, units: 64}`, each convolution being followed by a pooling. `most_layers`: layers
    with weights; `most_filters`: filters or units of each. `dropout` is that before the output layer. None of it is searched.
    """

    parametric: ClassVar[bool] = False

    start: Any = None
    most_layers: Any = None
    most_filters: Any = None
    dropout: Any = None
    optimizer: Any = None
    learning_rate: Any = None
    batch_size: Any = None

    def __post_init__(self) -> None:
        for name, rule in RULES.items():
            given = getattr(self, name)
            object.__setattr__(self, name, rule.default if given is None else read_value(given, name, rule))
        if self.start is not None and not isinstance(self.start, Start | Mapping):
            raise SpecError(f"start: got {self.start!r}; needs keys such as {{convs: 2, filters: 16}}")
        start = configure(Start, self.start, "start") if isinstance(self.start, Mapping) else self.start
        object.__setattr__(self, "start", start)
        check_start(start or Start(), self.most_layers, self.most_filters, given=start is not None)

    def fit_to(self, data: DatasetInfo) -> "Graphs":
        """Return the space for the data: for a table without convolutions. Raises SpecError for images that are too small."""
        start = self.start or (Start() if data.kind == "images" else Start(convs=0, dense=2))
        if data.kind == "table" and start.convs:
            raise SpecError(f"start.convs: got {start.convs}, but the data is a table; leave convs out, or give images")
        check_start(start, self.most_layers, self.most_filters, given=self.start is not None)
        told = (
            f"start.convs: got {start.convs}; " if self.start else f"start: is not given, which means {start.convs} convs, and "
        )
        check_sides(start_graph(start, self.dropout), data, told)
        return replace(self, start=start)

    def define(self, choose: Chooser) -> Graph:
        return read(choose(NAME, GraphText(self._start_graph, self._limits)))

    def realize(self, candidate: Candidate) -> Graph:
        """Return the graph of a candidate; raises SpecError naming the layer that is not allowed."""
        if isinstance(candidate.get(NAME), str):
            try:
                check_limits(read(str(candidate[NAME])), self._limits)
            except SpecError as error:
                raise SpecError(f"candidate.{NAME}.{error}") from None
        return super().realize(candidate)

    def identity(self, candidate: Candidate) -> str:
        return _form(self.realize(candidate))

    def origin(self) -> dict[str, Value]:
        """Return the start as a candidate."""
        return {NAME: write(self._start_graph())}

    def morphs(self, candidate: Candidate, rng: np.random.Generator) -> tuple[dict[str, Value], str] | None:
        """Return a candidate that one edit makes of this one, and the edit in words; None where the limits leave none."""
        edited = random_edit(self.realize(candidate), self._limits, rng)
        return ({NAME: write(edited[0])}, edited[1]) if edited else None

    def tuned(self, candidate: Candidate) -> tuple[GraphTraining, dict[str, Value]]:
        """Return the space of trainings of a candidate's graph, and the training that it has."""
        graph: Graph = self.realize(candidate)
        settings = (self.optimizer, self.learning_rate, self.batch_size)
        return GraphTraining(graph.to_json(), dropout_of(graph), *settings).tuned({})

    def distance(self, one: Candidate, other: Candidate) -> float:
        """Return what it costs to edit one graph into the other."""
        texts = sorted((str(one[NAME]), str(other[NAME])))
        return _distance(texts[0], texts[1])

    def inherit(self, child: Candidate, parent: Candidate, parent_model: "keras.Model", child_model: "keras.Model") -> None:
        """Give the child the weights by which it computes what the parent does.

        Raises SpecError where it was not edited from that parent.
        """
        graphs = {"child": self.realize(child), "parent": self.realize(parent)}
        shape = tuple(child_model.input_shape[1:])
        old, fresh = (_layers_of(graphs[name], model) for name, model in (("parent", parent_model), ("child", child_model)))
        arrays, output = Inheritance(graphs["parent"], graphs["child"], shape).weights(
            {key: layer.get_weights() for key, layer in old.items()},
            {key: layer.get_weights() for key, layer in fresh.items()},
            parent_model.get_layer(OUTPUT).get_weights(),
        )
        for key, given in arrays.items():
            fresh[key].set_weights(given)
        child_model.get_layer(OUTPUT).set_weights(output)

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        return train_graph(self._fitting(candidate, info), self._training, info)

    def estimate(self, candidate: Candidate, info: DatasetInfo) -> Size:
        return size_of_graph(self._fitting(candidate, info), self._training, info)

    def costs(self, candidate: Candidate, info: DatasetInfo) -> Costs:
        """Return what the network without its output layer costs for one example."""
        return self._fitting(candidate, info).costs(info.input_shape)

    def to_json(self) -> dict[str, Any]:
        start = {"start": self.start.to_json()} if isinstance(self.start, Start) else {}
        return {"kind": "graphs"} | json_fields(self) | start

    def _fitting(self, candidate: Candidate, info: DatasetInfo) -> Graph:
        graph = self.realize(candidate)
        check_sides(graph, info, f"candidate.{NAME}: ")
        return graph

    def _start_graph(self) -> Graph:
        return start_graph(self.start or Start(), self.dropout)

    @property
    def _limits(self) -> Limits:
        return Limits(self.most_layers, self.most_filters)

    @property
    def _training(self) -> Trained:
        return Trained(self.optimizer, self.learning_rate, self.batch_size)


def _layers_of(graph: Graph, model: "keras.Model") -> "dict[int, keras.Layer]":
    """Return the Keras layers of a graph's nodes by the nodes' keys."""
    places = list(enumerate(zip(keys_of(graph), graph.nodes, strict=True)))[1:]
    names = {key: f"{place}_{node.layer.op}" for place, (key, node) in places}
    missing = set(names.values()) - {layer.name for layer in model.layers}
    if missing:
        raise SpecError(f"the model has no layer {min(missing)}: it is that of another graph")
    return {key: model.get_layer(name) for key, name in names.items()}


@lru_cache(maxsize=4096)
def _outline(text: str) -> Outline:
    return outline_of(read(text))


@lru_cache(maxsize=2**18)
def _distance(one: str, other: str) -> float:
    return distance(_outline(one), _outline(other))


def _form(graph: Graph) -> str:
    """Return one text for graphs of the same layers and connections, whatever the order of what lies side by side."""
    forms: list[str] = []
    for node in graph.nodes:
        read_forms = [forms[source] for source in node.inputs]
        told = canonical({"layer": repr(node.layer), "inputs": " ".join(sorted(read_forms))})
        forms.append(hashlib.sha256(told.encode()).hexdigest())
    return forms[-1]
