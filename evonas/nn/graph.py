"""A cell as a graph of states whose edges arrays decide: one loop over the edges, one switch, compiled once.

Written out, a cell of ten edges would be ten switches, and a network of ten cells a hundred. JAX's derivative of such
a loop would add a whole buffer of states for each edge; here each edge's slope is added in its place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn.choice import Choice
from evonas.nn.plain import merge, split
from evonas.nn.switch import Operation, halves_of, like, shared, with_item


class Edges(NamedTuple):
    """Where each edge comes from, where it leads, and what it does; ``[E]`` int32 each."""

    sources: Any  # rows of the buffer that the operation reads
    targets: Any  # rows of the first buffer; an edge reads rows that no later edge leads to
    operations: Any
    gates: Any = None  # [E, B] float32 that each output is multiplied by, an example at a time; or None


class Graph(nnx.Module):
    """States, each the sum of operations on earlier ones, as a shared network or of one architecture.

    States of equal shape are of one kind, and each kind has its own form of the same operations, so that an edge may
    come from the input of a reduction cell as well as from a state within it. Sums are of kind 0; where no input is,
    they are of half the first input's size.

    Args:
        makers: for each kind of source, one function an operation that builds it.
        kinds: of each state.
        targets: the state that each edge leads to, ascending.
        fixed: source and operation of each edge ``[E, 2]``, or None for all.
    """

    def __init__(
        self,
        makers: Sequence[Sequence[Callable[[], Callable]]],
        kinds: Sequence[int],
        targets: Sequence[int],
        fixed: np.ndarray | None = None,
    ):
        every = [maker for of_kind in makers for maker in of_kind]
        self.kinds, self.targets, self.operations = tuple(kinds), tuple(targets), len(makers[0])
        self.sources = None if fixed is None else tuple(fixed[:, 0].tolist())
        only = [None] * len(targets) if fixed is None else self._places(np.array(kinds), *fixed.T).tolist()
        self.edges = nnx.List(Choice(every, choice) for choice in only)

    def __call__(
        self,
        inputs: Sequence[jax.Array],
        genes: tuple[jax.Array, jax.Array] | None = None,
        gates: jax.Array | None = None,
    ) -> list[jax.Array]:
        """All states, of the first ones.

        Args:
            inputs: ``[B, H, W, C]``, shapes by kind.
            genes: sources and operations ``[E]`` for a shared graph.
            gates: ``[E, B]`` that the edges' outputs are multiplied by.
        """
        if self.sources is None and genes is None:
            raise ValueError("expected the sources and operations of a shared graph's edges; call it with a genome")
        return self._fixed(list(inputs), gates) if genes is None else self._shared(inputs, *genes, gates)

    def _fixed(self, states: list[jax.Array], gates: jax.Array | None) -> list[jax.Array]:
        assert self.sources is not None
        for number, (source, target) in enumerate(zip(self.sources, self.targets, strict=True)):
            y = _gated(self.edges[number](states[source]), None if gates is None else gates[number])
            if target < len(states):
                states[target] = states[target] + y
            else:
                states.append(y)
        return states

    def _shared(
        self, inputs: Sequence[jax.Array], sources: jax.Array, choices: jax.Array, gates: jax.Array | None
    ) -> list[jax.Array]:
        rows = [self.kinds[:state].count(kind) for state, kind in enumerate(self.kinds)]
        edges = Edges(
            jnp.asarray(rows)[sources],
            jnp.asarray([rows[target] for target in self.targets]),
            self._places(jnp.asarray(self.kinds), sources, choices),
            gates,
        )
        graphs, weights, statistics = self._parts()
        outputs, changed = run_graph(
            tuple(map(_as_operation, graphs)),
            tuple(np.repeat(np.arange(max(self.kinds) + 1), self.operations).tolist()),
            *(edges, weights, statistics, self._buffers(inputs)),
        )
        for number, edge in enumerate(self.edges):
            for operation, new in zip(edge.in_order, changed, strict=True):
                nnx.update(operation, jax.tree.map(lambda leaf, number=number: leaf[number], new))
        return [outputs[rows[state]] if kind == 0 else inputs[state] for state, kind in enumerate(self.kinds)]

    def _places(self, kinds: Any, sources: Any, choices: Any) -> Any:
        """Which of all kinds' operations each edge runs."""
        return kinds[sources] * self.operations + choices

    def _parts(self) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        """The operations' structures, and all edges' weights and statistics one behind the other."""
        parts = [[split(operation) for operation in edge.in_order] for edge in self.edges]
        graphs = tuple(part.graph for part in parts[0])
        stacked = (
            tuple(
                jax.tree.map(lambda *leaves: jnp.stack(leaves), *(edge[i][field] for edge in parts))
                for i in range(len(graphs))
            )
            for field in (1, 2)
        )
        weights, statistics = stacked
        return graphs, weights, statistics

    def _buffers(self, inputs: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        """The states of each kind, those to come zero."""
        buffers = []
        for kind in range(max(self.kinds) + 1):
            given = [x for x, of_kind in zip(inputs, self.kinds, strict=False) if of_kind == kind]
            shape = given[0].shape if given else _halved(inputs[0].shape)
            missing = self.kinds.count(kind) - len(given)
            empty = [jnp.zeros(shape, inputs[0].dtype)] * missing
            buffers.append(jnp.stack([*given, *empty]))
        return tuple(buffers)


def _gated(y: jax.Array, gate: jax.Array | None) -> jax.Array:
    return y if gate is None else y * gate[:, None, None, None].astype(y.dtype)


def _halved(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[0], -(-shape[1] // 2), -(-shape[2] // 2), *shape[3:]


def _as_operation(graph: nnx.GraphDef) -> Operation:
    def run(weights: Any, statistics: Any, x: jax.Array, arguments: tuple[Any, ...]) -> tuple[jax.Array, Any]:
        module = merge(graph, weights, statistics)
        return module(x, *arguments), split(module).statistics

    return run


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def run_graph(
    operations: tuple[Operation, ...],
    reads: tuple[int, ...],
    edges: Edges,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    buffers: tuple[jax.Array, ...],
) -> tuple[jax.Array, tuple[Any, ...]]:
    """Add each edge's operation of its source to its target, one edge after the other.

    Args:
        operations: to choose from, with outputs of the shape of the first buffer's rows.
        reads: the buffer that each operation reads.
        edges: of the graph.
        weights: of each operation, with a leading axis ``[E]``.
        statistics: likewise; they have no derivative.
        buffers: states ``[S, B, H, W, C]``; sums go to the first of them.

    Returns:
        The first buffer, and all statistics, afterwards.
    """

    def step(states: jax.Array, edge: Any) -> tuple[jax.Array, Any]:
        (source, target, index, gate), weights, statistics = edge

        def branch(i: int) -> Callable:
            def run(weights: Any, statistics: Any, states: jax.Array) -> Any:
                x = (states, *buffers[1:])[reads[i]][source]
                y, changed = operations[i](weights[i], statistics[i], x, ())
                return y, with_item(statistics, i, changed)

            return run

        branches = [branch(i) for i in range(len(operations))]
        y, statistics = jax.lax.switch(index, branches, weights, statistics, states)
        return states.at[target].add(_gated(y, gate)), statistics

    return jax.lax.scan(step, buffers[0], (edges, weights, statistics))


def _forward(
    operations: tuple[Operation, ...],
    reads: tuple[int, ...],
    edges: Edges,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    buffers: tuple[jax.Array, ...],
) -> tuple[Any, Any]:
    of_one_edge = jax.tree.map(lambda leaf: leaf[0], (weights, statistics))
    halves = [
        halves_of(operation, weights, statistics, buffers[read][0], ())
        for operation, read, weights, statistics in zip(operations, reads, *of_one_edge, strict=True)
    ]
    shapes, places = shared([half.kept for half in halves])

    def step(states: jax.Array, edge: Any) -> tuple[jax.Array, Any]:
        (source, target, index, gate), weights, statistics = edge

        def branch(i: int) -> Callable:
            def run(weights: Any, statistics: Any, states: jax.Array) -> Any:
                x = (states, *buffers[1:])[reads[i]][source]
                y, changed, kept = halves[i].forward(weights[i], statistics[i], x, ())
                arrays = dict(zip(places[i], kept, strict=True))
                spare = [x if like(x, shape) else jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
                return y, with_item(statistics, i, changed), [arrays.get(k, a) for k, a in enumerate(spare)]

            return run

        branches = [branch(i) for i in range(len(operations))]
        y, statistics, arrays = jax.lax.switch(index, branches, weights, statistics, states)
        return states.at[target].add(_gated(y, gate)), (statistics, arrays)

    states, (changed, arrays) = jax.lax.scan(step, buffers[0], (edges, weights, statistics))
    backward = jax.tree_util.Partial(
        functools.partial(_graph_back, halves, places, reads),
        *(edges, arrays, weights, statistics, (states, *buffers[1:])),
    )
    return (states, changed), backward


def _backward(operations: Any, reads: Any, backward: Any, slopes: Any) -> tuple[Any, ...]:
    del operations, reads
    to_weights, to_buffers = backward(slopes[0])
    return None, to_weights, None, to_buffers


run_graph.defvjp(_forward, _backward)


def _graph_back(
    halves: Sequence[Any],
    places: Sequence[Sequence[int]],
    reads: tuple[int, ...],
    edges: Edges,
    arrays: Sequence[jax.Array],
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    buffers: tuple[jax.Array, ...],
    slope: jax.Array,
) -> tuple[Any, tuple[jax.Array, ...]]:
    """The derivatives by weights and buffers, from the last edge to the first."""

    def step(slopes: tuple[jax.Array, ...], edge: Any) -> tuple[tuple[jax.Array, ...], Any]:
        (source, target, index, gate), arrays, weights, statistics = edge

        def branch(i: int) -> Callable:
            def run(arrays: Any, weights: Any, statistics: Any, x: Any, to_y: jax.Array) -> Any:
                kept = [arrays[place] for place in places[i]]
                to_weights, to_x, _ = halves[i].backward(kept, (weights[i], statistics[i], x[reads[i]], ()), to_y)
                zeros = jax.tree.map(jnp.zeros_like, (weights, x))
                return with_item(zeros[0], i, to_weights), with_item(zeros[1], reads[i], to_x)

            return run

        branches = [branch(i) for i in range(len(halves))]
        x = tuple(buffer[source] for buffer in buffers)
        to_weights, to_x = jax.lax.switch(
            index, branches, arrays, weights, statistics, x, _gated(slopes[0][target], gate)
        )
        return tuple(slope.at[source].add(one) for slope, one in zip(slopes, to_x, strict=True)), to_weights

    start = (slope, *(jnp.zeros_like(buffer) for buffer in buffers[1:]))
    slopes, to_weights = jax.lax.scan(step, start, (edges, arrays, weights, statistics), reverse=True)
    return to_weights, slopes
