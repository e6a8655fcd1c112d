"""How different a population is, and how different each member is from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from evonas.evolution.distance import Distance, pairwise
from evonas.evolution.state import Members

HELD = 2**22
"""Distances held in memory at once: of a larger population they are computed a block of members at a time."""


class Diversity(NamedTuple):
    """Measures of a population."""

    mean_distance: jax.Array  # of two different members: 0 (all alike) to 1
    unique_share: jax.Array  # different architectures over members
    gene_entropy: jax.Array  # mean, over genes with a choice, of their values' entropy; 1 if all are equally frequent


def measure(members: Members, distance: Distance, cardinalities: Sequence[int]) -> Diversity:
    """Diversity of the living members, those that did not fail; all zero if there are none."""
    alive = members.alive
    places = jnp.arange(alive.shape[0])

    def of(row: jax.Array, apart: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _sum_of_living(alive, apart), ((apart == 0) & alive & (places < row)).any()

    sums, repeats = _for_each(members, distance, of)
    size = alive.sum()
    return Diversity(
        _mean_of_pairs(sums, alive),
        (size - (repeats & alive).sum()) / jnp.maximum(size, 1),
        _entropy(members.genomes, alive, cardinalities),
    )


def mean_distance(members: Members, distance: Distance) -> jax.Array:
    """Mean distance of two different living members; 0 for fewer than two."""
    alive = members.alive
    return _mean_of_pairs(_for_each(members, distance, lambda _, apart: _sum_of_living(alive, apart)), alive)


def novelty(members: Members, distance: Distance, neighbours: int) -> jax.Array:
    """Mean distance to the nearest other members, ``neighbours`` of them or as many as there are: ``[P]`` float32.

    Lehman and Stanley 2011. Distances to empty places and failed members do not count.
    """

    def of(apart: jax.Array) -> jax.Array:
        nearest = -jax.lax.top_k(-apart, min(neighbours, apart.shape[0]))[0]
        known = jnp.isfinite(nearest)
        return jnp.where(known, nearest, 0.0).sum() / jnp.maximum(known.sum(), 1)

    return _from_others(members, distance, of)


def niche_count(members: Members, distance: Distance, radius: float) -> jax.Array:
    """How crowded each member's niche is: sum over all members of ``1 - distance / radius`` within it; ``[P]``, >= 1.

    Goldberg and Richardson 1987, triangular sharing function.
    """
    return _from_others(members, distance, lambda apart: 1.0 + jnp.maximum(1.0 - apart / radius, 0.0).sum())


def _for_each(members: Members, distance: Distance, of: Callable[[jax.Array, jax.Array], Any]) -> Any:
    """``of(row, distances [P] to all members)`` for each member, stacked; never more than `HELD` distances at once."""

    def for_one(row: jax.Array) -> Any:
        return of(row, pairwise(distance, members.traits[row][None], members.traits)[0])

    size = members.ids.shape[0]
    if size**2 <= HELD:
        return jax.vmap(for_one)(jnp.arange(size))
    return jax.lax.map(for_one, jnp.arange(size), batch_size=max(HELD // size, 1))


def _from_others(members: Members, distance: Distance, of: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """``of(distances [P])`` for each member; infinite to oneself, and to and from empty places and failed members."""
    alive, places = members.alive, jnp.arange(members.ids.shape[0])
    return _for_each(
        members, distance, lambda row, apart: of(jnp.where(alive[row] & alive & (places != row), apart, jnp.inf))
    )


def _sum_of_living(alive: jax.Array, apart: jax.Array) -> jax.Array:
    return jnp.where(alive, apart, 0.0).sum()


def _mean_of_pairs(sums: jax.Array, alive: jax.Array) -> jax.Array:
    """Mean over pairs of the living, from each member's sum ``[P]`` of the distances to the living."""
    size = alive.sum()
    return jnp.where(alive, sums, 0.0).sum() / jnp.maximum(size * (size - 1.0), 1.0)


def _entropy(genomes: jax.Array, alive: jax.Array, cardinalities: Sequence[int]) -> jax.Array:
    largest = max(cardinalities)
    values = jax.nn.one_hot(genomes, largest) * alive[:, None, None]
    share = values.sum(0) / jnp.maximum(alive.sum(), 1)
    entropy = -jnp.where(share > 0, share * jnp.log(jnp.maximum(share, 1e-30)), 0.0).sum(-1)
    sizes = jnp.asarray(cardinalities, jnp.float32)
    return (entropy / jnp.log(jnp.maximum(sizes, 2.0))).sum() / jnp.maximum((sizes > 1).sum(), 1)
