"""Real et al.'s mutations, and one genome for all that mean the same cells."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from evonas.genome import first_row, random_index
from evonas.spaces.nasnet.genes import COMBINATIONS, INPUTS, Cell, fold, unfold
from evonas.spaces.ordering import reordered

_ORDERS = np.array(list(itertools.permutations(range(COMBINATIONS))))  # [120, 5]


def mutate(key: jax.Array, genome: jax.Array, operations: jax.Array) -> jax.Array:
    """A hidden-state mutation or an operation mutation, equally likely (Real et al. 2019, section 3.2).

    Of one of the two cells, one of its five combinations, one element of the pair: it takes another state, or a random
    operation of the given ones, which may be the one it had. Against loops only states of combinations that stand
    before it are drawn.
    """
    kind_key, cell_key, place_key, value_key = jax.random.split(key, 4)
    cell, place = random_index(cell_key, (), 2), random_index(place_key, (), 2 * COMBINATIONS)
    hidden, operation = jax.random.split(value_key)
    states = INPUTS + place // 2

    def changed(genes: Cell) -> Cell:
        sources, kinds = genes.sources.reshape(-1), genes.operations.reshape(-1)
        other = (sources[place] + 1 + random_index(hidden, (), states - 1)) % states
        moved = genes._replace(sources=sources.at[place].set(other).reshape(genes.sources.shape))
        # Of a state that is newly taken, or taken no longer, the rule decides whether it is output.
        moved = moved._replace(exceptions=jnp.where(genes.taken == moved.taken, genes.exceptions, 0))
        drawn = operations[random_index(operation, (), len(operations))]
        redrawn = genes._replace(operations=kinds.at[place].set(drawn).reshape(genes.operations.shape))
        return jax.tree.map(lambda a, b: jnp.where(jax.random.bernoulli(kind_key), a, b), moved, redrawn)

    cells = unfold(jnp.asarray(genome, jnp.int32))
    return fold(
        tuple(
            jax.tree.map(lambda old, new, i=i: jnp.where(cell == i, new, old), c, changed(c))
            for i, c in enumerate(cells)
        )
    )


def canonical(genome: jax.Array) -> jax.Array:
    """Of all orders of a cell's combinations, and of the two in each, the one whose genes come first."""
    normal, reduction = unfold(genome)
    return fold((_canonical_cell(normal), _canonical_cell(reduction)))


def _canonical_cell(cell: Cell) -> Cell:
    orders = jnp.asarray(_ORDERS)
    cells, possible = jax.vmap(lambda order: _reordered(cell, order))(orders)
    genes = jnp.concatenate([leaf.reshape(len(_ORDERS), -1) for leaf in cells], 1)
    return jax.tree.map(lambda leaf: leaf[first_row(genes, possible)], cells)


def _reordered(cell: Cell, order: jax.Array) -> tuple[Cell, jax.Array]:
    """The cell with combination ``order[i]`` in place ``i``, and whether each still takes earlier states only."""
    sources, operations, possible = reordered(cell.sources, cell.operations, order, INPUTS)
    exceptions = cell.exceptions[jnp.concatenate([jnp.arange(INPUTS), INPUTS + order])]
    return Cell(sources, operations, exceptions), possible
