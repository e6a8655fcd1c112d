"""Many modules' weights as one array, where only one of the modules is used at a time.

A loop that hands on hundreds of small arrays, and an optimizer that updates them, spend their time between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.draws import Draws
from evonas.nn.plain import merge, split


class Segment(NamedTuple):
    """Where a tree of float32 arrays lies in a vector."""

    start: int
    structure: Any  # jax.tree_util.PyTreeDef
    shapes: tuple[tuple[int, ...], ...]

    def read(self, vector: jax.Array) -> Any:
        """The tree."""
        leaves, start = [], self.start
        for shape in self.shapes:
            leaves.append(vector[start : start + math.prod(shape)].reshape(shape))
            start += math.prod(shape)
        return jax.tree.unflatten(self.structure, leaves)

    def write(self, vector: jax.Array, tree: Any) -> jax.Array:
        """The vector with another tree in this place."""
        return jax.lax.dynamic_update_slice(vector, _flat([tree]), (self.start,)) if self.shapes else vector


class Packed(NamedTuple):
    """A module whose arrays lie in two vectors, with what else it consists of."""

    training: nnx.GraphDef  # in training mode
    evaluation: nnx.GraphDef
    weights: Segment
    statistics: Segment

    def module(self, weights: jax.Array, statistics: jax.Array, training: bool) -> Any:
        """The module of these vectors."""
        graph = self.training if training else self.evaluation
        return merge(graph, self.weights.read(weights), self.statistics.read(statistics))


def pack(
    make: Callable[[nnx.Rngs], Sequence[nnx.Module]], copies: int, rngs: nnx.Rngs
) -> tuple[tuple[Packed, ...], jax.Array, jax.Array]:
    """Modules, and of so many copies of all of them, each with weights of its own, the weights and the statistics.

    Args:
        make: builds the modules, whose arrays are float32.
        copies: N.
        rngs: for the weights.

    Returns:
        The modules; weights ``[N, W]``; statistics ``[N, S]``.
    """
    packed: list[Packed] = []
    lengths: list[int] = []

    def describe() -> None:
        draws = Draws(jax.random.key(0))
        packed.extend(_described(make(draws)))
        lengths.append(draws.taken)

    def build(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        parts = [split(module) for module in make(Draws(key, lengths[0]))]
        return _flat([part.parameters for part in parts]), _flat([part.statistics for part in parts])

    jax.eval_shape(describe)
    weights, statistics = jax.vmap(build)(jax.random.split(rngs.params(), copies))
    return tuple(packed), weights, statistics


def _described(modules: Sequence[nnx.Module]) -> list[Packed]:
    for module in modules:
        module.eval()
    evaluation = [split(module).graph for module in modules]
    for module in modules:
        module.train()
    parts = [split(module) for module in modules]
    weights, statistics = (_segments([part[field] for part in parts]) for field in (1, 2))
    return list(map(Packed, (part.graph for part in parts), evaluation, weights, statistics))


def _segments(trees: Sequence[Any]) -> list[Segment]:
    segments, start = [], 0
    for tree in trees:
        leaves, structure = jax.tree.flatten(tree)
        segments.append(Segment(start, structure, tuple(leaf.shape for leaf in leaves)))
        start += sum(leaf.size for leaf in leaves)
    return segments


def _flat(trees: Sequence[Any]) -> jax.Array:
    return jnp.concatenate([jnp.zeros(0), *(leaf.reshape(-1) for leaf in jax.tree.leaves(trees))])
