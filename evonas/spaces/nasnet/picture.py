"""The family's networks and cells as graphs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.graph import Edge, Graph, Node, Part, chain
from evonas.spaces.nasnet.genes import COMBINATIONS, INPUTS, OPERATIONS, Cell, unfold
from evonas.spaces.nasnet.network import plan, stem_width
from evonas.spaces.outline import kind_of

if TYPE_CHECKING:
    from evonas.spaces.nasnet.space import NASNet


def picture(space: NASNet, genome: np.ndarray) -> Graph:
    """The outline of the network, and its two cells."""
    normal, reduction = unfold(genome)
    cells = (_cell("normal cell", normal, 1), _cell("reduction cell", reduction, 2))
    return Graph(((_network(space),), cells))


def _network(space: NASNet) -> Part:
    stride = 2 if space.stem == "imagenet" else 1
    nodes = [Node("image", "image", "input")]
    nodes.append(Node("stem", f"conv 3x3{_per(stride)}\n{stem_width(space)} channels", "convolution"))
    cells = plan(space)
    place = 0
    while place < len(cells):
        stride, filters = cells[place]
        count = 1 if stride == 2 else space.cells_per_stage
        name = "reduction" if stride == 2 else f"{count} x normal"
        nodes.append(Node(f"cells{place}", f"{name}\n{filters} filters", "reduction" if stride == 2 else "operation"))
        place += count
    nodes.append(Node("head", "average\nlinear", "dense"))
    return chain("network", [*nodes, Node("output", f"{space.classes} outputs", "output")])


def _cell(title: str, cell: Cell, stride: int) -> Part:
    """Inputs, five sums of two operations each, and what is concatenated; what does not lead there is faint.

    The 1x1 convolutions that give both inputs the cell's number of channels are not shown, as in the papers.
    """
    nodes = [Node("0", "0: previous layer", "input"), Node("1", "1: layer before it", "input")]
    edges = []
    for number in range(COMBINATIONS):
        state = str(INPUTS + number)
        nodes.append(Node(state, f"{state}: add", "state"))
        for source, kind in zip(cell.sources[number], cell.operations[number], strict=True):
            step = stride if source < INPUTS else 1
            edges.append(Edge(str(source), state, *_operation(OPERATIONS[kind], step)))
    nodes.append(Node("output", "concatenate", "output"))
    for output in np.flatnonzero(cell.outputs):
        fitted = output < INPUTS and stride == 2
        edges.append(Edge(str(output), "output", "conv 1x1 /2" if fitted else "", "convolution"))
    return Part(title, tuple(nodes), tuple(edges)).faded()


def _operation(name: str, stride: int) -> tuple[str, str]:
    """Label and kind of an operation by its published name."""
    if name == "none":
        return ("identity", "identity") if stride == 1 else ("conv 1x1 /2", "convolution")
    if separable := re.fullmatch(r"(?:dil_2_)?separable_(\dx\d)_(\d)", name):
        return f"{separable[2]} x sep {separable[1]}{_per(stride)}", "separable"
    if pool := re.fullmatch(r"(avg|max|min)_pool_(\dx\d)", name):
        return f"{pool[1]} pool {pool[2]}{_per(stride)}", kind_of(name)
    if dilated := re.fullmatch(r"dilated_(\dx\d)_rate_(\d)", name):
        return f"conv {dilated[1]}, dilation {dilated[2]}{_per(stride)}", kind_of(name)
    return f"conv {name.replace('_', ', ')}{_per(stride)}", kind_of(name)


def _per(stride: int) -> str:
    return f" /{stride}" if stride > 1 else ""
