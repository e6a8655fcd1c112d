"""NAS-Bench-101's networks and cells as graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.graph import Edge, Graph, Node, Part
from evonas.spaces.nasbench101.graph import LAST, OPERATIONS, on_paths, unfold, without_unused
from evonas.spaces.outline import kind_of, outline

if TYPE_CHECKING:
    from evonas.spaces.nasbench101.space import NASBench101


def picture(space: NASBench101, genome: np.ndarray) -> Graph:
    """The outline of the network, and the cell without unused vertices."""
    stages = [f"{space.cells_per_stack} x cell\n{space.channels * 2**stack} channels" for stack in range(space.stacks)]
    stem = f"conv 3x3\n{space.channels} channels"
    return Graph(((outline(stem, stages, "max pool\n2x2 /2", space.classes),), (_cell(genome),)))


def _cell(genome: np.ndarray) -> Part:
    """A vertex takes the sum of what leads to it; the cell's input gets there through a 1x1 convolution."""
    whole = unfold(genome)
    adjacency, operations = without_unused(whole)
    interior = [vertex for vertex in range(1, LAST) if on_paths(whole.adjacency)[vertex]]
    ends = [vertex for vertex in interior if adjacency[vertex, LAST]]
    nodes = [Node("0", "input", "input")]
    for vertex in interior:
        name = OPERATIONS[operations[vertex - 1]]
        nodes.append(Node(str(vertex), _label(name), kind_of(name)))
    edges = [_edge(start, end) for start in [0, *interior] for end in interior if adjacency[start, end]]
    end = "output"
    if adjacency[0, LAST] and ends:
        # The input is added to the others' concatenation.
        end = "sum"
        nodes.append(Node(end, "+", "sum"))
        edges.append(Edge(end, "output"))
    if len(ends) > 1:
        nodes.append(Node("concatenation", "concatenate", "operation"))
        edges += [Edge(str(vertex), "concatenation") for vertex in ends]
        edges.append(Edge("concatenation", end))
    else:
        edges += [Edge(str(vertex), end) for vertex in ends]
    if adjacency[0, LAST]:
        edges.append(Edge("0", end, "conv 1x1", "convolution"))
    return Part("cell", (*nodes, Node("output", "output", "output")), tuple(edges)).faded()


def _edge(start: int, end: int) -> Edge:
    return Edge(str(start), str(end), *(() if start else ("conv 1x1", "convolution")))


def _label(name: str) -> str:
    """Of the operation: all convolutions of the benchmark have normalisation and ReLU."""
    return {"conv3x3-bn-relu": "conv 3x3", "conv1x1-bn-relu": "conv 1x1", "maxpool3x3": "max pool 3x3"}[name]
