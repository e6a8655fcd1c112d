"""The edges of a graph as one loop around one switch, with a derivative that adds each edge's slope in its place.

JAX's derivative of such a loop would write, for each edge, a whole buffer of states and all that any operation keeps.
Here the operation is computed again on the way back: of a cell most operations are a pass or two over memory, and what
they would keep is several.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Operation = Callable[[Any, Any, jax.Array], tuple[jax.Array, Any]]
"""``(weights of the edge, its statistics, x) -> (y, its changed statistics)``."""


class Edges(NamedTuple):
    """Where each edge comes from, where it leads, and what it does. None of it has a derivative."""

    sources: Any  # [E] int32: rows of the buffer that the operation reads
    targets: Any  # [E] int32: rows of the first buffer; an edge reads rows that no later edge leads to
    operations: Any  # [E] int32
    gates: Any = None  # [E, B] float32 that each output is multiplied by, an example at a time; or None


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def run_edges(
    operations: tuple[Operation, ...],
    reads: tuple[int, ...],
    edges: Edges,
    weights: Any,
    statistics: Any,
    buffers: tuple[jax.Array, ...],
) -> tuple[jax.Array, Any]:
    """Add each edge's operation of its source to its target, one edge after the other.

    Args:
        operations: to choose from, with outputs of the shape of the first buffer's rows.
        reads: the buffer that each operation reads.
        edges: of the graph.
        weights: of each edge: a pytree with a leading axis ``[E]``.
        statistics: likewise; they have no derivative.
        buffers: states ``[S, B, H, W, C]``; sums go to the first of them.

    Returns:
        The first buffer, and all statistics, afterwards.
    """

    def step(states: jax.Array, edge: Any) -> tuple[jax.Array, Any]:
        (source, target, index, gate), weights, statistics = edge

        def branch(operation: Operation, read: int) -> Callable:
            return lambda weights, statistics, states: operation(
                weights, statistics, (states, *buffers[1:])[read][source]
            )

        branches = [branch(*each) for each in zip(operations, reads, strict=True)]
        y, statistics = jax.lax.switch(index, branches, weights, statistics, states)
        return states.at[target].add(gated(y, gate)), statistics

    return jax.lax.scan(step, buffers[0], (edges, weights, statistics))


def _forward(
    operations: tuple[Operation, ...],
    reads: tuple[int, ...],
    edges: Edges,
    weights: Any,
    statistics: Any,
    buffers: tuple[jax.Array, ...],
) -> tuple[Any, Any]:
    states, changed = run_edges(operations, reads, edges, weights, statistics, buffers)
    return (states, changed), (edges, weights, statistics, (states, *buffers[1:]))


def _backward(
    operations: tuple[Operation, ...], reads: tuple[int, ...], kept: Any, slopes: Any
) -> tuple[None, Any, None, tuple[jax.Array, ...]]:
    """The derivatives by weights and buffers, from the last edge to the first."""
    edges, weights, statistics, buffers = kept

    def step(slopes: tuple[jax.Array, ...], edge: Any) -> tuple[tuple[jax.Array, ...], Any]:
        (source, target, index, gate), weights, statistics = edge

        def branch(operation: Operation, read: int) -> Callable:
            def run(weights: Any, statistics: Any, to_y: jax.Array) -> Any:
                x = buffers[read][source]
                to_weights, to_x = jax.vjp(lambda weights, x: operation(weights, statistics, x)[0], weights, x)[1](to_y)
                others = [jnp.zeros_like(buffer[0]) for buffer in buffers]
                return to_weights, (*others[:read], to_x, *others[read + 1 :])

            return run

        branches = [branch(*each) for each in zip(operations, reads, strict=True)]
        to_weights, to_x = jax.lax.switch(index, branches, weights, statistics, gated(slopes[0][target], gate))
        return tuple(slope.at[source].add(one) for slope, one in zip(slopes, to_x, strict=True)), to_weights

    start = (slopes[0], *(jnp.zeros_like(buffer) for buffer in buffers[1:]))
    to_buffers, to_weights = jax.lax.scan(step, start, (edges, weights, statistics), reverse=True)
    return None, to_weights, None, to_buffers


run_edges.defvjp(_forward, _backward)


def gated(y: jax.Array, gate: jax.Array | None) -> jax.Array:
    """The outputs ``[B, H, W, C]``, each multiplied by its gate ``[B]``."""
    return y if gate is None else y * gate[:, None, None, None].astype(y.dtype)
