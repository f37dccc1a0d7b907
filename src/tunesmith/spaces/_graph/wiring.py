"""A graph while it is edited: its layers and what each reads, by keys that an edit leaves as they are."""

import heapq
from collections.abc import Callable, Iterable

from tunesmith.spaces._graph.graph import Graph, Node
from tunesmith.spaces._graph.layers import Layer


def keys_of(graph: Graph) -> list[int]:
    """Return the key of every node: its own, or its place where it has none."""
    return [place if node.key is None else node.key for place, node in enumerate(graph.nodes)]


class Wiring:
    """Layers and their inputs by key; `output` is the key of the last one."""

    def __init__(self, graph: Graph) -> None:
        keys = keys_of(graph)
        self.layers = {key: node.layer for key, node in zip(keys, graph.nodes, strict=True)}
        self.inputs = {key: [keys[s] for s in node.inputs] for key, node in zip(keys, graph.nodes, strict=True)}
        self.output = keys[-1]

    def add(self, layer: Layer, *sources: int) -> int:
        """Add a layer; returns its key."""
        key = max(self.layers) + 1
        self.layers[key], self.inputs[key] = layer, list(sources)
        return key

    def chain(self, source: int, chain: Iterable[Layer]) -> int:
        """Add layers one after the other; returns the last one's key."""
        for layer in chain:
            source = self.add(layer, source)
        return source

    def put_after(self, key: int, draw: Callable[[], int]) -> None:
        """Let all that read a node read instead what `draw` adds, which returns its key."""
        readers = [reader for reader, sources in self.inputs.items() if key in sources]
        drawn = draw()
        for reader in readers:
            self.inputs[reader] = [drawn if source == key else source for source in self.inputs[reader]]
        self.output = drawn if self.output == key else self.output

    def graph(self) -> Graph:
        """Return the graph of all that the output depends on, in one order for one wiring."""
        live = self._live()
        waiting = {key: len(set(self.inputs[key])) for key in live}
        ready = [key for key, count in waiting.items() if not count]
        places: dict[int, int] = {}
        nodes: list[Node] = []
        heapq.heapify(ready)
        while ready:
            key = heapq.heappop(ready)
            places[key] = len(nodes)
            nodes.append(Node(self.layers[key], tuple(places[source] for source in self.inputs[key]), key))
            for reader in sorted(live):
                if key in self.inputs[reader]:
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        heapq.heappush(ready, reader)
        return Graph(tuple(nodes))

    def _live(self) -> set[int]:
        live: set[int] = set()
        found = [self.output]
        while found:
            key = found.pop()
            if key not in live:
                live.add(key)
                found += self.inputs[key]
        return live
