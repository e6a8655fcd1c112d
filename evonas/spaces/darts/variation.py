"""Sampling and mutation of cells, and one genome for all that mean the same."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from evonas.genome import first_row, random_index
from evonas.spaces.darts.genes import CELLS, INPUTS, NODES, PRIMITIVES, Genes, fold, unfold
from evonas.spaces.ordering import reordered

_ORDERS = np.array(list(itertools.permutations(range(NODES))))


def sample(key: jax.Array) -> jax.Array:
    """Two different states for each node, and each operation but ``none``, uniform."""

    def cell(key: jax.Array) -> Genes:
        first_key, second_key, operation_key = jax.random.split(key, 3)
        states = INPUTS + jnp.arange(NODES)
        first, step = random_index(first_key, (NODES,), states), random_index(second_key, (NODES,), states - 1)
        sources = jnp.stack([first, (first + 1 + step) % states], 1)
        return Genes(sources, 1 + random_index(operation_key, (NODES, 2), len(PRIMITIVES) - 1))

    first, second = jax.random.split(key)
    return fold((cell(first), cell(second)))


def mutate(key: jax.Array, genome: jax.Array) -> jax.Array:
    """Of one edge, another source, not its sibling's, or another operation but ``none``; equally likely."""
    kind_key, place_key, source_key, operation_key = jax.random.split(key, 4)
    place = 2 * random_index(place_key, (), len(CELLS) * NODES * 2)
    node = place // 4 % NODES
    states, source, sibling = INPUTS + node, genome[place], genome[place ^ 2]
    free = jnp.arange(INPUTS + NODES - 1)
    free = (free < states) & (free != source) & (free != sibling)
    operation = genome[place + 1]
    other = 1 + (operation + random_index(operation_key, (), len(PRIMITIVES) - 2)) % (len(PRIMITIVES) - 1)
    move = jax.random.bernoulli(kind_key) & free.any()
    rank = random_index(source_key, (), jnp.maximum(free.sum(), 1))
    moved = genome.at[place].set(jnp.argmax(jnp.cumsum(free) > rank))
    return jnp.where(move, moved, genome.at[place + 1].set(other))


def canonical(genome: jax.Array) -> jax.Array:
    """Of all orders of a cell's nodes, and of the two edges of each, the one whose genes come first."""
    normal, reduction = unfold(genome)
    return fold((_canonical_cell(normal), _canonical_cell(reduction)))


def _canonical_cell(cell: Genes) -> Genes:
    cells, possible = jax.vmap(lambda order: _reordered(cell, order))(jnp.asarray(_ORDERS))
    genes = jnp.concatenate([leaf.reshape(len(_ORDERS), -1) for leaf in cells], 1)
    return jax.tree.map(lambda leaf: leaf[first_row(genes, possible)], cells)


def _reordered(cell: Genes, order: jax.Array) -> tuple[Genes, jax.Array]:
    """The cell with node ``order[i]`` in place ``i``, and whether each still comes from earlier states only."""
    sources, operations, possible = reordered(cell.sources, cell.operations, order, INPUTS)
    return Genes(sources, operations), possible
