"""What pictures of several spaces have in common."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from evonas.spaces.graph import Edge, Node, Part, chain


def kind_of(operation: str) -> str:
    """The kind, out of `evonas.spaces.graph.KINDS`, of an operation by its published name."""
    if "pool" in operation:
        return "pool"
    if "sep" in operation or operation.startswith("dil_conv"):
        return "separable"
    return {"none": "none", "skip_connect": "identity"}.get(operation, "convolution")


def outline(stem: str, stages: Sequence[str], between: str, outputs: int) -> Part:
    """A network of cells: a stem, stages of cells with something between each two, the head."""
    nodes = [Node("image", "image", "input"), Node("stem", stem, "convolution")]
    for number, stage in enumerate(stages):
        if number:
            nodes.append(Node(f"between{number}", between, "reduction"))
        nodes.append(Node(f"stage{number}", stage, "operation"))
    head = Node("head", "average\nlinear", "dense")
    return chain("network", [*nodes, head, Node("output", f"{outputs} outputs", "output")])


class Column:
    """Layers one below the other, with sums of what earlier ones gave.

    Args:
        title: over it.
        first: what the layers begin with.

    Attributes:
        end: the name of the node that gives what there is so far.
    """

    def __init__(self, title: str, first: Node):
        self.title, self.end = title, first.name
        self._nodes, self._edges = [first], list[Edge]()
        self._names = (f"node{number}" for number in itertools.count())

    def add(self, label: str, kind: str) -> None:
        """Put a layer behind what there is."""
        node = Node(next(self._names), label, kind)
        self._nodes.append(node)
        self._edges.append(Edge(self.end, node.name))
        self.end = node.name

    def sum_with(self, other: str) -> None:
        """Add what a node gave to what there is."""
        before = self.end
        self.add("+", "sum")
        if other != before:
            self._edges.append(Edge(other, self.end, shortcut=True))

    def part(self) -> Part:
        """All of it."""
        return Part(self.title, tuple(self._nodes), tuple(self._edges))
