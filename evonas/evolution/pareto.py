"""Pareto fronts, ranks and crowding; all objectives maximised."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def pareto_front(fitness: np.ndarray) -> np.ndarray:
    """Which rows of ``[N, M]`` no other row dominates: ``[N]`` bool. Rows that are not finite are never in it.

    Memory is linear in N: each kept row in turn removes all that it dominates. Rows come in lexicographic order, so
    that one that dominates is before those it dominates; an order by their sums would fail by rounding.
    """
    rows = np.flatnonzero(np.isfinite(fitness).all(-1))
    rows = rows[np.lexsort(-fitness[rows].T[::-1])]
    front = []
    while rows.size:
        first = fitness[rows[0]]
        front.append(rows[0])
        equal = (fitness[rows] == first).all(-1)
        front.extend(rows[equal][1:])
        rows = rows[(fitness[rows] > first).any(-1) & ~equal]
    mask = np.zeros(len(fitness), bool)
    mask[front] = True
    return mask


def pareto_rank(fitness: jax.Array) -> jax.Array:
    """Number of the front that each row of ``[N, M]`` belongs to, from 0: ``[N]`` int32 (Deb et al. 2002)."""
    at_least = (fitness[:, None] >= fitness[None]).all(-1)
    dominates = at_least & (fitness[:, None] > fitness[None]).any(-1)

    def peel(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        front, ranks, left = carry
        free = left & ~(dominates & left[:, None]).any(0)
        return front + 1, jnp.where(free, front, ranks), left & ~free

    size = fitness.shape[0]
    start = (jnp.int32(0), jnp.zeros(size, jnp.int32), jnp.ones(size, bool))
    return jax.lax.while_loop(lambda carry: carry[2].any(), peel, start)[1]


def crowding_distance(fitness: jax.Array, rank: jax.Array) -> jax.Array:
    """Sum over objectives of the distance between a row's two neighbours in its front: ``[N]`` (Deb et al. 2002).

    Infinite at the ends of a front. Each objective is scaled by its range within the front.
    """
    return sum((_gaps(column, rank) for column in fitness.T), start=jnp.zeros(fitness.shape[0]))


def crowded_order(fitness: jax.Array) -> jax.Array:
    """Score ``[N]`` that sorts rows by rank, then by crowding distance: higher is better.

    NSGA-II's crowded comparison as one number: the rows' places in the order, counted from the worst.
    """
    rank = pareto_rank(fitness)
    order = jnp.lexsort((crowding_distance(fitness, rank), -rank))
    return jnp.zeros(rank.shape, jnp.float32).at[order].set(jnp.arange(rank.shape[0], dtype=jnp.float32))


def _gaps(column: jax.Array, rank: jax.Array) -> jax.Array:
    order = jnp.lexsort((column, rank))
    value, front = column[order], rank[order]
    spread = jax.ops.segment_max(column, rank, column.shape[0]) - jax.ops.segment_min(column, rank, column.shape[0])
    first = jnp.concatenate([jnp.ones(1, bool), front[1:] != front[:-1]])
    last = jnp.concatenate([front[1:] != front[:-1], jnp.ones(1, bool)])
    gap = (jnp.roll(value, -1) - jnp.roll(value, 1)) / jnp.maximum(spread[front], 1e-12)
    return jnp.zeros_like(column).at[order].set(jnp.where(first | last, jnp.inf, gap))
