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

    Infinite at the ends of a front. Each objective is scaled by its range within the front. The place in the array
    decides nothing: equal rows count once and share their distance (Fortin and Parizeau 2013), and the other
    objectives decide between ties in one.
    """
    size, objectives = fitness.shape
    first = jnp.argmax(_equal(fitness), axis=1)
    # Repeats form a front of their own, which nobody reads: they are no one's neighbours.
    front = jnp.where(first == jnp.arange(size), rank, size)
    gaps = (_gaps(jnp.roll(fitness, -objective, axis=1), front) for objective in range(objectives))
    return sum(gaps, start=jnp.zeros(size))[first]


def crowded_order(fitness: jax.Array) -> jax.Array:
    """Score ``[N]`` that sorts rows ``[N, M]`` by rank, then by crowding distance: higher is better.

    NSGA-II's crowded comparison as one number: how many different (rank, distance) are worse. It is a partial order:
    rows of the same rank and distance score the same, and a tournament's draw decides between them.
    """
    rank = pareto_rank(fitness)
    distance = crowding_distance(fitness, rank)
    order = jnp.lexsort((distance, -rank))
    better = (jnp.diff(rank[order]) != 0) | (distance[order][1:] != distance[order][:-1])
    scores = jnp.concatenate([jnp.zeros(1), jnp.cumsum(better)])
    return jnp.zeros(rank.shape, jnp.float32).at[order].set(scores)


def crowded_survivors(fitness: jax.Array, ids: jax.Array, size: int) -> jax.Array:
    """Rows of ``[N, M]`` that stay, best first: ``[size]`` (Deb et al. 2002).

    Whole fronts stay, and of the one that does not fit the least crowded rows: one of each different row before a
    second of any (Fortin and Parizeau 2013), or repeats of a front's ends, at infinite distance all, would push out
    the rest. Between equals the younger stays, the one with the higher of the ids ``[N]``: a population drifts on a
    plateau instead of standing still.
    """
    rank = pareto_rank(fitness)
    younger_equals = (_equal(fitness) & (ids > ids[:, None])).sum(1)
    return jnp.lexsort((-ids, -crowding_distance(fitness, rank), younger_equals, rank))[:size]


def _equal(fitness: jax.Array) -> jax.Array:
    return (fitness[:, None] == fitness[None]).all(-1)


def _gaps(fitness: jax.Array, front: jax.Array) -> jax.Array:
    """Scaled distance of each row's neighbours in the first objective, the next ones deciding ties: ``[N]``."""
    order = jnp.lexsort((*fitness.T[::-1], front))
    value, front = fitness[order, 0], front[order]
    fronts = fitness.shape[0] + 1
    spread = jax.ops.segment_max(value, front, fronts) - jax.ops.segment_min(value, front, fronts)
    first = jnp.concatenate([jnp.ones(1, bool), front[1:] != front[:-1]])
    last = jnp.roll(first, -1)
    gap = (jnp.roll(value, -1) - jnp.roll(value, 1)) / jnp.maximum(spread[front], 1e-12)
    return jnp.zeros_like(value).at[order].set(jnp.where(first | last, jnp.inf, gap))
