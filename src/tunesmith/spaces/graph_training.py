"""One network, given layer by layer, and the ways to train it: what is left to search when a search of graphs has found one."""

import json
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._graph.graph import Costs, Graph, Node
from tunesmith.spaces._graph.layers import Dropout
from tunesmith.spaces._graph.start import check_sides
from tunesmith.spaces._graph.survey import Survey
from tunesmith.spaces._graph.text import read
from tunesmith.spaces._graph.training import Trained, size_of_graph, train_graph, training_rules, tuning_of
from tunesmith.spaces._settings import decide, json_fields, read_fields, settled_fields
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.spaces._training import Size, Training

RULES = training_rules(dropout=0.0, learning_rate=1e-3)


@dataclass(frozen=True)
class TrainedGraph:
    """A graph up to the vector that the output layer reads, and how it is trained."""

    graph: Graph
    training: Trained


@dataclass(frozen=True)
class GraphTraining(Space):
    """The trainings of one network. `graph`: its layers, as a candidate of `graphs` holds them.

    `dropout` (that before the output layer; the graph's own where it is not given), `optimizer`, `learning_rate` and
    `batch_size` are one value, or a distribution to search.
    """

    graph: Any
    dropout: Any = None
    optimizer: Any = None
    learning_rate: Any = None
    batch_size: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.graph, list | str):
            raise SpecError(f"graph: got {self.graph!r}; needs a list of layers")
        try:
            graph = read(self.graph if isinstance(self.graph, str) else json.dumps(self.graph, default=str))
        except SpecError as error:
            raise SpecError(f"graph{str(error).removeprefix('layers')}") from None
        # As it comes back from a file, without what nothing depends on; no edit follows, so keys mean nothing here.
        object.__setattr__(self, "graph", json.loads(json.dumps(_without_keys(graph.live()).to_json())))
        object.__setattr__(self, "dropout", dropout_of(graph) if self.dropout is None else self.dropout)
        read_fields(self, RULES)

    def fit_to(self, data: DatasetInfo) -> "GraphTraining":
        """Return the space; raises SpecError where the network is for other data, or the images are too small for it."""
        graph = self._graph()
        reads, given = ("images" if image else "a table" for image in (Survey(graph).image, data.kind == "images"))
        if reads != given:
            raise SpecError(f"graph: reads {reads}, but the data is {given}")
        check_sides(graph, data, "graph: ")
        return self

    def define(self, choose: Chooser) -> TrainedGraph:
        values = decide(self, RULES, choose)
        return TrainedGraph(_with_dropout(self._graph(), values.pop("dropout")), Trained(**values))

    def tuned(self, candidate: Candidate) -> tuple["GraphTraining", dict[str, Value]]:
        """Return the space in which what this one has settled is searched, too, and the training that a candidate has."""
        searched, found = tuning_of(self, candidate, RULES)
        return replace(self, **searched), found

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        made: TrainedGraph = self.realize(candidate)
        return train_graph(made.graph, made.training, info)

    def estimate(self, candidate: Candidate, info: DatasetInfo) -> Size:
        made: TrainedGraph = self.realize(candidate)
        return size_of_graph(made.graph, made.training, info)

    def costs(self, candidate: Candidate, info: DatasetInfo) -> Costs:
        """Return what the network without its output layer costs for one example."""
        return self.realize(candidate).graph.live().costs(info.input_shape)

    def settled(self) -> dict[str, Value]:
        return settled_fields(self, RULES)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "graph_training"} | json_fields(self)

    def _graph(self) -> Graph:
        return Graph.from_json(self.graph)


def dropout_of(graph: Graph) -> float:
    """Return the rate of the dropout that a graph ends with, 0 where it ends with another layer."""
    last = graph.nodes[-1].layer
    return float(last.rate) if isinstance(last, Dropout) else 0.0


def _with_dropout(graph: Graph, rate: float) -> Graph:
    """Return the graph with this dropout at its end in place of the one that it may have."""
    nodes = graph.nodes[:-1] if isinstance(graph.nodes[-1].layer, Dropout) else graph.nodes
    return Graph((*nodes, Node(Dropout(rate), (len(nodes) - 1,))) if rate else nodes)


def _without_keys(graph: Graph) -> Graph:
    return Graph(tuple(replace(node, key=None) for node in graph.nodes))
