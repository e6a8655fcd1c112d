"""DARTS's networks and cells as graphs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.darts.genes import INPUTS, NODES, PRIMITIVES, Genes, unfold
from evonas.spaces.darts.network import reductions
from evonas.spaces.graph import Edge, Graph, Node, Part, chain
from evonas.spaces.outline import kind_of

if TYPE_CHECKING:
    from evonas.spaces.darts.space import DARTS

_SHORT = {"skip_connect": "identity", "max_pool_3x3": "max pool 3x3", "avg_pool_3x3": "avg pool 3x3"}


def picture(space: DARTS, genome: np.ndarray) -> Graph:
    """The outline of the network, and its two cells."""
    normal, reduction = unfold(genome)
    return Graph(((_network(space),), (_cell("normal cell", normal, 1), _cell("reduction cell", reduction, 2))))


def _network(space: DARTS) -> Part:
    nodes = [Node("image", "image", "input"), Node("stem", f"conv 3x3\n{3 * space.channels} channels", "convolution")]
    channels = space.channels
    for reduces, cells in itertools.groupby(range(space.cells), lambda number: number in reductions(space)):
        numbers = list(cells)
        channels *= 2 ** (len(numbers) * reduces)
        name = f"{len(numbers)} x normal" if not reduces else "reduction" if len(numbers) == 1 else "2 x reduction"
        kind = "reduction" if reduces else "operation"
        nodes.append(Node(f"cells{numbers[0]}", f"{name}\n{channels} channels", kind))
    nodes.append(Node("head", "average\nlinear", "dense"))
    return chain("network", [*nodes, Node("output", f"{space.classes} outputs", "output")])


def _cell(title: str, cell: Genes, stride: int) -> Part:
    """Inputs, four sums of two edges each, and their concatenation; edges of ``none`` are faint.

    The 1x1 convolutions that give both inputs the cell's number of channels are not shown, as in the paper.
    """
    nodes = [Node("0", "0: layer before it", "input"), Node("1", "1: previous layer", "input")]
    edges = []
    for number in range(NODES):
        state = str(INPUTS + number)
        nodes.append(Node(state, f"{state}: add", "state"))
        for source, kind in zip(cell.sources[number], cell.operations[number], strict=True):
            name = PRIMITIVES[kind]
            step = stride if source < INPUTS else 1
            edges.append(Edge(str(source), state, *_operation(name, step), faint=name == "none"))
        edges.append(Edge(state, "output"))
    nodes.append(Node("output", "concatenate", "output"))
    return Part(title, tuple(nodes), tuple(edges)).faded()


def _operation(name: str, stride: int) -> tuple[str, str]:
    """Label and kind of an operation by its name."""
    if name == "none" or stride == 1:
        return _SHORT.get(name, name.replace("_", " ")), kind_of(name)
    if name == "skip_connect":
        return "conv 1x1 /2", "convolution"
    return f"{_SHORT.get(name, name.replace('_', ' '))} /2", kind_of(name)
