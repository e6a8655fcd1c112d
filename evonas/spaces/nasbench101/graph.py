"""Cells of NAS-Bench-101 as graphs: arrays of JAX or NumPy."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
VERTICES, MOST_EDGES = 7, 9
INTERIOR, LAST = VERTICES - 2, VERTICES - 1
EDGES = tuple(itertools.combinations(range(VERTICES), 2))
"""(from, to) of each of the first 21 genes; vertex 0 is the input, vertex 6 the output."""

_STARTS, _ENDS = np.array(EDGES).T
_ORDERS = np.array([(0, *(1 + np.array(order)), LAST) for order in itertools.permutations(range(INTERIOR))])


class Graph(NamedTuple):
    """A cell."""

    adjacency: Any  # [7, 7] int32, upper triangular
    operations: Any  # [5] int32 of the interior vertices, places in OPERATIONS


def unfold(genome: Any) -> Graph:
    """The graph of a genome ``[26]``."""
    if isinstance(genome, np.ndarray):
        adjacency = np.zeros((VERTICES, VERTICES), np.int32)
        adjacency[_STARTS, _ENDS] = genome[: len(EDGES)]
        return Graph(adjacency, genome[len(EDGES) :])
    empty = jnp.zeros((VERTICES, VERTICES), jnp.int32)
    return Graph(empty.at[_STARTS, _ENDS].set(genome[: len(EDGES)]), genome[len(EDGES) :])


def fold(graph: Graph) -> jax.Array:
    """The genome of a graph."""
    return jnp.concatenate([graph.adjacency[_STARTS, _ENDS], graph.operations]).astype(jnp.int32)


def on_paths(adjacency: Any) -> Any:
    """Which vertices lie on a path from the input to the output: ``[7]`` of 0 and 1."""
    reach = adjacency + np.eye(VERTICES, dtype=np.int32)
    for _ in range(3):  # paths of up to 8 edges
        reach = (reach @ reach > 0).astype(np.int32)
    return reach[0] * reach[:, LAST]


def without_unused(graph: Graph) -> Graph:
    """The graph with zeros for all that is on no path from the input to the output."""
    used = on_paths(graph.adjacency)
    return Graph(graph.adjacency * used[:, None] * used[None, :], graph.operations * used[1:LAST])


def pruned(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """The matrix ``[V, V]`` and the operations ``[V - 2]`` of the vertices on paths.

    Raises:
        ValueError: if there is no path.
    """
    used = np.flatnonzero(on_paths(graph.adjacency))
    if not len(used):
        raise ValueError("no path leads from the input of this cell to its output")
    return graph.adjacency[np.ix_(used, used)], graph.operations[used[1:-1] - 1]


def reorderings(graph: Graph) -> tuple[jax.Array, jax.Array]:
    """The genomes ``[120, 26]`` of all orders of the interior vertices, and in which of them all edges lead on."""

    def reordered(order: jax.Array) -> tuple[jax.Array, jax.Array]:
        matrix = graph.adjacency[order][:, order]
        return fold(Graph(matrix, graph.operations[order[1:LAST] - 1])), ~jnp.tril(matrix).any()

    return jax.vmap(reordered)(jnp.asarray(_ORDERS))


def vertex_channels(adjacency: Any, outputs: int) -> Any:
    """Channels of each vertex ``[V]`` of a matrix ``[V, V]``, arrays of JAX or NumPy; the input's are not meant.

    The output's are split among the interior vertices that lead to it, the remainder to the first of them. A vertex
    that does not lead to it has as many as the widest that it leads to.
    """
    xp: Any = np if isinstance(adjacency, np.ndarray) else jnp
    last = len(adjacency) - 1
    ends = adjacency[1:last, last]
    count = xp.maximum(ends.sum(), 1)
    rank = ends.cumsum() - ends
    shares = (outputs // count + (rank < outputs % count)) * ends
    widths = [outputs] * (last + 1)
    for vertex in reversed(range(1, last)):
        widest = 0
        for later in range(vertex + 1, last):
            widest = xp.maximum(widest, adjacency[vertex, later] * widths[later])
        widths[vertex] = xp.where(ends[vertex - 1] > 0, shares[vertex - 1], widest)
    return xp.stack([xp.asarray(width) for width in widths])


def name_of(matrix: list[list[int]], labels: list[int]) -> str:
    """The benchmark's isomorphism-invariant hash of a matrix and a label for each vertex (Ying et al. 2019)."""
    vertices = range(len(labels))
    degrees = zip(map(sum, matrix), map(sum, zip(*matrix, strict=True)), labels, strict=True)
    names = [_md5(str(triple)) for triple in degrees]
    for _ in vertices:
        names = [_md5(_neighbours(names, matrix, vertex)) for vertex in vertices]
    return _md5(str(sorted(names)))


def _neighbours(names: list[str], matrix: list[list[int]], vertex: int) -> str:
    before = sorted(name for name, row in zip(names, matrix, strict=True) if row[vertex])
    behind = sorted(name for name, edge in zip(names, matrix[vertex], strict=True) if edge)
    return f"{''.join(before)}|{''.join(behind)}|{names[vertex]}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
