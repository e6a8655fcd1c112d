"""An architecture as nodes and edges: what a picture of it shows."""

from __future__ import annotations

import dataclasses
import graphlib
import itertools
import textwrap
from collections.abc import Iterable
from typing import Literal, Self

KINDS = (
    "operation",
    "convolution",
    "separable",
    "pool",
    "dense",
    "identity",
    "reduction",
    "none",
    "input",
    "output",
    "state",
    "sum",
    "text",
)
"""What nodes, and the operations of edges, are: it decides how they look."""


WIDTH, HEIGHT = 64, 30
"""Characters of a line of text, and lines of a column."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A box: an operation, an array, or lines of text.

    Attributes:
        name: by which edges know it; different from all others of its part.
        label: what is written in it, in one or more lines.
        kind: one of `KINDS`. An input stands first and an output last.
        faint: whether it has no use, and is there for completeness.
    """

    name: str
    label: str
    kind: str = "operation"
    faint: bool = False

    def __post_init__(self) -> None:
        _require_kind(self.kind)


@dataclasses.dataclass(frozen=True)
class Edge:
    """An array on its way from a node to another, through an operation if there is a label.

    Attributes:
        start: the name of a node.
        end: of another.
        label: of the operation, in one or more lines.
        kind: of the operation, one of `KINDS`.
        faint: whether it has no use, and is there for completeness.
        shortcut: whether it runs beside the main way, past what stands there.
    """

    start: str
    end: str
    label: str = ""
    kind: str = "operation"
    faint: bool = False
    shortcut: bool = False

    def __post_init__(self) -> None:
        _require_kind(self.kind)


@dataclasses.dataclass(frozen=True)
class Part:
    """One graph of a picture: a cell, a stage of layers, the outline of a network.

    Attributes:
        title: over it.
        nodes: in the order in which they stand, as far as edges leave it open.
        edges: between them; there is no cycle.
        direction: in which edges lead, as far as they can.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    direction: Literal["down", "right"] = "down"

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"part {self.title!r} needs one or more nodes of different names, got {names}")
        unknown = {end for edge in self.edges for end in (edge.start, edge.end)} - set(names)
        if unknown:
            raise ValueError(f"edges of part {self.title!r} lead to {sorted(unknown)}; its nodes are {names}")
        self.order()

    def order(self) -> list[str]:
        """The nodes' names, each after those that lead to it.

        Raises:
            ValueError: if edges lead in a circle.
        """
        before: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for edge in self.edges:
            before[edge.end].append(edge.start)
        try:
            return list(graphlib.TopologicalSorter(before).static_order())
        except graphlib.CycleError as error:
            raise ValueError(f"edges of part {self.title!r} lead in a circle: {' -> '.join(error.args[1])}") from error

    def faded(self) -> Self:
        """The same, but faint where it is on no path of edges that are not from an input to an output."""
        forward = [(edge.start, edge.end) for edge in self.edges if not edge.faint]
        order = self.order()
        fed = _reached({node.name for node in self.nodes if node.kind == "input"}, forward, order)
        backward = [(end, start) for start, end in forward]
        useful = fed & _reached({node.name for node in self.nodes if node.kind == "output"}, backward, order[::-1])

        def replaced(node: Node) -> Node:
            return dataclasses.replace(node, faint=node.faint or node.name not in useful)

        edges = [
            dataclasses.replace(edge, faint=edge.faint or not {edge.start, edge.end} <= useful) for edge in self.edges
        ]
        return dataclasses.replace(self, nodes=tuple(map(replaced, self.nodes)), edges=tuple(edges))


@dataclasses.dataclass(frozen=True)
class Graph:
    """A picture's parts, in rows: those of a row stand side by side."""

    rows: tuple[tuple[Part, ...], ...]

    def __post_init__(self) -> None:
        if not self.rows or not all(self.rows):
            raise ValueError(f"a graph has one or more rows of one or more parts, got {self.rows}")


def chain(title: str, nodes: Iterable[Node], direction: Literal["down", "right"] = "right") -> Part:
    """Nodes that each lead to the next: the outline of a network."""
    nodes = tuple(nodes)
    edges = (Edge(start.name, end.name) for start, end in itertools.pairwise(nodes))
    return Part(title, nodes, tuple(edges), direction)


def _require_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"a node or an edge is one of {', '.join(KINDS)}; got {kind!r}")


def _reached(starts: set[str], edges: list[tuple[str, str]], order: list[str]) -> set[str]:
    """What can be got to from the starts."""
    reached = set(starts)
    for name in order:
        if name in reached:
            reached |= {end for start, end in edges if start == name}
    return reached


def written(lines: Iterable[str]) -> Graph:
    """Lines of text in columns: the picture of an architecture of which no more is known."""
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]]
    starts = range(0, max(len(wrapped), 1), HEIGHT)
    columns = (Node(f"column{start}", "\n".join(wrapped[start : start + HEIGHT]), "text") for start in starts)
    return Graph((tuple(Part("", (column,)) for column in columns),))
