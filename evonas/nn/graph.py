"""A cell as a graph of states: of one architecture, or shared, its edges decided by arrays.

Written out, a shared cell of ten edges would be ten switches, and a network of ten cells a hundred: it is one loop over
the edges around one switch, compiled once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn.choice import Choice, as_module
from evonas.nn.edges import Edges, Operation, gated, run_edges
from evonas.nn.packed import Packed, pack
from evonas.nn.plain import split

Maker = Callable[[nnx.Rngs], Callable]
"""Builds an operation: a module, or a plain function without weights."""
Genes = tuple[jax.Array, jax.Array]
"""Sources and operations of the edges, ``[E]`` int32 each."""


def make_graph(
    makers: Sequence[Sequence[Maker]],
    kinds: Sequence[int],
    targets: Sequence[int],
    genes: tuple[np.ndarray, np.ndarray] | None,
    rngs: nnx.Rngs,
) -> Graph | SharedGraph:
    """A graph of one architecture, or without genes a shared one.

    States of equal shape are of one kind, and each kind has its own form of the same operations, so that an edge may
    come from the input of a reduction cell as well as from a state within it. Sums are of kind 0; where no input is,
    they are of half the first input's size.

    Args:
        makers: for each kind of source, one function an operation that builds it.
        kinds: of each state.
        targets: the state that each edge leads to, ascending.
        genes: sources and operations of the edges, ``[E]`` each.
        rngs: for the weights.
    """
    return SharedGraph(makers, kinds, targets, rngs) if genes is None else Graph(makers, kinds, targets, genes, rngs)


class Graph(nnx.Module):
    """States, each the sum of operations on earlier ones, of one architecture; see `make_graph`."""

    def __init__(
        self,
        makers: Sequence[Sequence[Maker]],
        kinds: Sequence[int],
        targets: Sequence[int],
        genes: tuple[np.ndarray, np.ndarray],
        rngs: nnx.Rngs,
    ):
        every = [functools.partial(make, rngs) for of_kind in makers for make in of_kind]
        self.targets, self.sources = tuple(targets), tuple(genes[0].tolist())
        chosen = _places(np.array(kinds), len(makers[0]), *genes)
        self.edges = nnx.List(Choice(every, choice) for choice in chosen.tolist())

    def __call__(
        self, inputs: Sequence[jax.Array], genes: Genes | None = None, gates: jax.Array | None = None
    ) -> list[jax.Array]:
        """All states, of the first ones.

        Args:
            inputs: ``[B, H, W, C]``, shapes by kind.
            genes: of a shared graph; not read here.
            gates: ``[E, B]`` that the edges' outputs are multiplied by.
        """
        del genes
        states = list(inputs)
        for number, (source, target) in enumerate(zip(self.sources, self.targets, strict=True)):
            y = gated(self.edges[number](states[source]), None if gates is None else gates[number])
            if target < len(states):
                states[target] = states[target] + y
            else:
                states.append(y)
        return states


class SharedGraph(nnx.Module):
    """A graph with all operations on each edge, called with the genes of one architecture; see `make_graph`.

    Attributes:
        operations: of all kinds of sources, those of kind 0 first; their arrays lie in ``weights`` and ``statistics``.
        deterministic: whether it is in evaluation mode.
    """

    def __init__(self, makers: Sequence[Sequence[Maker]], kinds: Sequence[int], targets: Sequence[int], rngs: nnx.Rngs):
        self.kinds, self.targets, self.operations_of_kind = tuple(kinds), tuple(targets), len(makers[0])
        self.deterministic = False

        def make(rngs: nnx.Rngs) -> list[nnx.Module]:
            return [as_module(maker(rngs)) for of_kind in makers for maker in of_kind]

        self.operations, weights, statistics = pack(make, len(targets), rngs)
        self.weights = nnx.Param(weights)  # [E, W]
        self.statistics = nnx.BatchStat(statistics)  # [E, S]

    def __call__(
        self, inputs: Sequence[jax.Array], genes: Genes | None = None, gates: jax.Array | None = None
    ) -> list[jax.Array]:
        """All states, of the first ones.

        Args:
            inputs: ``[B, H, W, C]``, shapes by kind.
            genes: sources and operations of the edges, ``[E]`` each.
            gates: ``[E, B]`` that the edges' outputs are multiplied by.

        Raises:
            ValueError: without genes.
        """
        if genes is None:
            raise ValueError("expected the sources and operations of a shared graph's edges; call it with a genome")
        sources, choices = genes
        rows = [self.kinds[:state].count(kind) for state, kind in enumerate(self.kinds)]
        edges = Edges(
            jnp.asarray(rows)[sources],
            jnp.asarray([rows[target] for target in self.targets]),
            _places(jnp.asarray(self.kinds), self.operations_of_kind, sources, choices),
            gates,
        )
        outputs, changed = run_edges(
            tuple(_as_operation(packed, not self.deterministic) for packed in self.operations),
            tuple(np.repeat(np.arange(max(self.kinds) + 1), self.operations_of_kind).tolist()),
            *(edges, self.weights[...], self.statistics[...], self._buffers(inputs)),
        )
        self.statistics.set_value(changed)
        return [outputs[rows[state]] if kind == 0 else inputs[state] for state, kind in enumerate(self.kinds)]

    def edge(self, number: int) -> list[nnx.Module]:
        """All operations of an edge, with its weights."""
        vectors = self.weights[...][number], self.statistics[...][number]
        return [packed.module(*vectors, training=not self.deterministic) for packed in self.operations]

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


def _places(kinds: Any, operations: int, sources: Any, choices: Any) -> Any:
    """Which of all kinds' operations each edge runs."""
    return kinds[sources] * operations + choices


def _halved(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[0], -(-shape[1] // 2), -(-shape[2] // 2), *shape[3:]


def _as_operation(packed: Packed, training: bool) -> Operation:
    def run(weights: jax.Array, statistics: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        module = packed.module(weights, statistics, training)
        return module(x), packed.statistics.write(statistics, split(module).statistics)

    return run
