"""NAS-Bench-101 (Ying et al. 2019)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_integers, require_shape
from evonas.genome import change_each, first_row
from evonas.nn import Style
from evonas.spaces.base import Space
from evonas.spaces.graph import Graph
from evonas.spaces.nasbench101.graph import (
    EDGES,
    INTERIOR,
    LAST,
    MOST_EDGES,
    OPERATIONS,
    VERTICES,
    name_of,
    pruned,
    reorderings,
    unfold,
    vertex_channels,
    without_unused,
)
from evonas.spaces.nasbench101.network import Network
from evonas.spaces.nasbench101.picture import picture
from evonas.spaces.tally import Size, Tally
from evonas.types import Count

_EDGE_CHANGE, _OPERATION_CHANGE = 1 / VERTICES, 1 / INTERIOR


@dataclasses.dataclass(frozen=True)
class NASBench101(Space):
    """Cells of up to 7 vertices and 9 edges, each interior vertex one of 3 operations: 423,624 different cells.

    The genome has a gene for each of the 21 possible edges and one for the operation of each of 5 vertices; those not
    on a path from the input to the output do not matter.

    Text: the rows of the adjacency matrix and the operations,
    ``0111010|0000001|0000001|0000100|0000001|0000001|0000000 conv1x1-bn-relu conv3x3-bn-relu ...``.

    Args:
        channels: of the stem and the first stack; doubled in each further one.
        stacks: parts of equal image size.
        cells_per_stack: cells of each.
        classes: outputs of the network.
        input_shape: height, width and channels of an image.
    """

    channels: int = 128
    stacks: int = 3
    cells_per_stack: int = 3
    classes: int = 10
    input_shape: tuple[int, ...] = (32, 32, 3)

    def __post_init__(self) -> None:
        require_integers(self, "channels", "stacks", "cells_per_stack", "classes")
        require_shape(self, "input_shape", "height", "width", "channels")

    @property
    def genes(self) -> Mapping[str, tuple[Any, ...]]:
        """One gene an edge, then one an interior vertex."""
        edges = {f"{start}->{end}": ("no", "yes") for start, end in EDGES}
        return edges | {f"vertex{vertex}": OPERATIONS for vertex in range(1, LAST)}

    def mutate(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """The benchmark's own: each edge flips with probability 1/7, each operation becomes another with 1/5."""
        edge_key, operation_key = jax.random.split(key)
        edges, operations = genome[: len(EDGES)], genome[len(EDGES) :]
        return jnp.concatenate(
            [
                change_each(edge_key, edges, (2,) * len(EDGES), _EDGE_CHANGE),
                change_each(operation_key, operations, (len(OPERATIONS),) * INTERIOR, _OPERATION_CHANGE),
            ]
        )

    def is_valid(self, genome: jax.Array) -> jax.Array:
        """Whether a path leads from the input to the output, and the edges on paths are at most 9."""
        adjacency = without_unused(unfold(jnp.asarray(genome))).adjacency
        return adjacency.any() & (adjacency.sum() <= MOST_EDGES)

    def canonical(self, genome: jax.Array) -> jax.Array:
        """Without unused vertices and edges; of all orders of the vertices, the genome that comes first."""
        genomes, possible = reorderings(without_unused(unfold(jnp.asarray(genome, jnp.int32))))
        return genomes[first_row(genomes, possible)]

    def code(self, genome: jax.Array) -> jax.Array:
        """A number for each different cell, int32: its canonical genes, one bit an edge and two an operation."""
        genes = self.canonical(genome)
        sizes = np.array([1] * len(EDGES) + [2] * INTERIOR)
        return (genes << (np.cumsum(sizes) - sizes)).sum()

    def from_matrix(self, adjacency: Any, operations: Sequence[str]) -> np.ndarray:
        """The genome ``[26]`` int32 of a cell as the benchmark writes it.

        Args:
            adjacency: ``[V, V]`` of zeros and ones, upper triangular, 2 to 7 vertices.
            operations: ``V`` names, the first "input" and the last "output"; short forms such as
                ``conv3x3`` are read too.

        Raises:
            ValueError: if the shapes do not fit, the matrix is not upper triangular, or an operation is unknown.
        """
        matrix = np.asarray(adjacency)
        count = len(operations)
        if matrix.shape != (count, count) or not 2 <= count <= VERTICES:
            raise ValueError(
                f"expected a matrix [V, V] and V operations, V from 2 to {VERTICES}, got {matrix.shape} and {count}"
            )
        if (operations[0], operations[-1]) != ("input", "output"):
            raise ValueError(f"the first operation is 'input' and the last 'output', got {list(operations)}")
        if not np.isin(matrix, (0, 1)).all() or np.tril(matrix).any():
            raise ValueError("expected an upper triangular matrix of zeros and ones")
        # The output is always vertex 6: vertices that are missing stand before it.
        places = [*range(count - 1), LAST]
        whole = np.zeros((VERTICES, VERTICES), np.int32)
        whole[np.ix_(places, places)] = matrix
        kinds = [_place(name) for name in operations[1:-1]]
        return np.array([*whole[tuple(zip(*EDGES, strict=True))], *kinds, *[0] * (INTERIOR - len(kinds))], np.int32)

    def to_matrix(self, genome: Any) -> tuple[np.ndarray, list[str]]:
        """The matrix ``[V, V]`` and the ``V`` operations of a cell, without unused vertices."""
        matrix, kinds = pruned(unfold(self.check(genome)))
        return matrix, ["input", *(OPERATIONS[kind] for kind in kinds), "output"]

    def hash(self, genome: Any) -> str:
        """The benchmark's name of a cell: equal for isomorphic cells, the key of its published table."""
        matrix, kinds = pruned(unfold(self.check(genome)))
        return name_of(matrix.tolist(), [-1, *kinds.tolist(), -2])

    def format(self, genome: Any) -> str:
        """The genome as text."""
        graph = unfold(self.check(genome))
        rows = "|".join("".join(map(str, row)) for row in graph.adjacency.tolist())
        return " ".join([rows, *(OPERATIONS[kind] for kind in graph.operations)])

    def parse(self, text: str) -> np.ndarray:
        """The genome ``[26]`` int32 of a text.

        Raises:
            ValueError: if the text has another form or an unknown operation.
        """
        rows, *operations = text.split() or [""]
        matrix = [[int(digit) for digit in row] for row in rows.split("|")] if re.fullmatch(r"[01|]+", rows) else []
        if [len(row) for row in matrix] != [len(operations) + 2] * (len(operations) + 2):
            raise ValueError(f"expected the rows of a matrix, as 011|001|000, and interior operations; got {text!r}")
        return self.from_matrix(matrix, ["input", *operations, "output"])

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds; normalisation has parameters and no cost.

        Raises:
            ValueError: if no path leads from the input to the output.
        """
        matrix, kinds = pruned(unfold(self.check(genome)))
        tally = Tally()
        height, width, inputs = self.input_shape
        size = tally.convolution(inputs, self.channels, (height, width), taps=9)
        inputs = self.channels
        for stack in range(self.stacks):
            size = (-(-size[0] // 2), -(-size[1] // 2)) if stack else size
            for _ in range(self.cells_per_stack):
                outputs = self.channels * 2**stack
                _cell_cost(tally, matrix, kinds, inputs, outputs, size)
                inputs = outputs
        tally.linear(inputs, self.classes)
        return tally.count

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The benchmark's network around one cell.

        Raises:
            ValueError: if no path leads from the input to the output.
        """
        graph = unfold(self.check(genome))
        pruned(graph)
        return Network(self, without_unused(graph), self._ends(genome), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, signature: Hashable = (), **style: Any) -> Network:
        """The network of all cells with as many vertices that lead to the output as the signature says.

        Raises:
            ValueError: without a signature.
        """
        if not signature:
            raise ValueError("expected the signature of the cells to share it: space.signature(genome)")
        return Network(self, None, int(signature[0]), rngs, Style(**style))  # type: ignore[index]

    def signature(self, genome: Any) -> Hashable:
        """How many interior vertices lead to the output: they share its channels."""
        return (self._ends(genome),)

    def layers(self, genome: Any) -> list[str]:
        """The cell, a line a vertex."""
        matrix, operations = self.to_matrix(genome)
        sources = [", ".join(map(str, np.flatnonzero(column))) for column in matrix.T]
        return [
            f"vertex {vertex}: {operations[vertex]} of vertices {sources[vertex]}"
            for vertex in range(1, len(operations))
        ]

    def graph(self, genome: Any) -> Graph:
        """The outline of the network, and the cell without its unused vertices."""
        return picture(self, self.check(genome))

    def _ends(self, genome: Any) -> int:
        return int(without_unused(unfold(self.check(genome))).adjacency[1:LAST, LAST].sum())


def _place(name: str) -> int:
    found = [place for place, known in enumerate(OPERATIONS) if name in (known, known.partition("-")[0])]
    if not found:
        raise ValueError(f"unknown operation {name!r}; expected one of {', '.join(OPERATIONS)}")
    return found[0]


def _cell_cost(tally: Tally, matrix: np.ndarray, kinds: np.ndarray, inputs: int, outputs: int, size: Size) -> None:
    names = ["input", *(OPERATIONS[kind] for kind in kinds), "output"]
    for vertex, width in enumerate(map(int, vertex_channels(matrix, outputs))):
        if matrix[0, vertex]:
            tally.convolution(inputs, width, size)
        if names[vertex].startswith("conv"):
            tally.convolution(width, width, size, taps=int(names[vertex][4]) ** 2)
