"""Pareto fronts, ranks and crowding; all objectives maximised."""

from __future__ import annotations

from typing import Any

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
    """Number of the front that each row of ``[N, M]`` belongs to, from 0: ``[N]`` int32 (Deb et al. 2002).

    Rows are taken in lexicographic order, best first, so that all that dominate a row have their front before it: its
    own is behind the last of theirs (Zhang et al. 2015, efficient non-dominated sort). Memory is linear in N. Time is
    ``N log N`` for one objective or two, and ``N^2`` for more.
    """
    size, objectives = fitness.shape
    order = jnp.lexsort(-fitness.T[::-1])
    rows = fitness[order]
    ranks = _ranks_of_two(rows[:, 0], rows[:, -1]) if objectives <= 2 else _ranks_of_many(rows)
    return jnp.zeros(size, jnp.int32).at[order].set(ranks)


def _ranks_of_two(first: jax.Array, second: jax.Array) -> jax.Array:
    """Ranks ``[N]`` of rows in lexicographic order, best first, from their two objectives ``[N]``.

    Who was before has at least a row's first objective, so a front has a row that dominates it if the front's best
    second objective is at least the row's. Those bests fall from front to front.
    """
    size = first.shape[0]
    repeats = jnp.concatenate([jnp.zeros(1, bool), (first[1:] == first[:-1]) & (second[1:] == second[:-1])])

    def step(carry: tuple[jax.Array, jax.Array, jax.Array], row: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
        worst, fronts, previous = carry  # [N] each front's best second objective, negated
        value, repeat = row
        rank = jnp.minimum(jnp.searchsorted(worst, -value, side="right").astype(jnp.int32), fronts)
        rank = jnp.where(repeat, previous, rank)
        return (worst.at[rank].set(-value), jnp.maximum(fronts, rank + 1), rank), rank

    start = (jnp.full(size, jnp.inf, second.dtype), jnp.int32(0), jnp.int32(0))
    return jax.lax.scan(step, start, (second, repeats))[1]


def _ranks_of_many(rows: jax.Array) -> jax.Array:
    """Ranks ``[N]`` of rows ``[N, M]`` in lexicographic order, best first."""

    def step(ranks: jax.Array, place: jax.Array) -> tuple[jax.Array, None]:
        row = rows[place]
        dominates = (rows >= row).all(-1) & (rows > row).any(-1)
        return ranks.at[place].set(jnp.where(dominates, ranks + 1, 0).max()), None

    size = rows.shape[0]
    return jax.lax.scan(step, jnp.zeros(size, jnp.int32), jnp.arange(size))[0]


def crowding_distance(fitness: jax.Array, rank: jax.Array) -> jax.Array:
    """Sum over objectives of the distance between a row's two neighbours in its front: ``[N]`` (Deb et al. 2002).

    Infinite at the ends of a front. Each objective is scaled by its range within the front. The place in the array
    decides nothing: equal rows count once and share their distance (Fortin and Parizeau 2013), and the other
    objectives decide between ties in one.
    """
    size, objectives = fitness.shape
    order, start = _equal_rows(fitness)
    first = jnp.zeros(size, jnp.int32).at[order].set(order[start])
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
    order, start = _equal_rows(fitness, -ids)
    younger_equals = jnp.zeros_like(rank).at[order].set(jnp.arange(len(order)) - start)
    return jnp.lexsort((-ids, -crowding_distance(fitness, rank), younger_equals, rank))[:size]


def _equal_rows(fitness: jax.Array, *ties: jax.Array) -> tuple[jax.Array, jax.Array]:
    """An order ``[N]`` that brings equal rows together, and where in it each one's equals start: ``[N]`` int32.

    Among equals the ties ``[N]`` decide, then the place in the array.
    """
    order = jnp.lexsort((*ties, *fitness.T))
    rows = fitness[order]
    differs = jnp.concatenate([jnp.ones(1, bool), (rows[1:] != rows[:-1]).any(-1)])
    places = jnp.arange(len(rows), dtype=jnp.int32)
    return order, jax.lax.cummax(jnp.where(differs, places, 0))


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
