"""How different a population is, and how different each member is from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from evonas.evolution.distance import Distance, pairwise
from evonas.evolution.state import Members


class Diversity(NamedTuple):
    """Measures of a population."""

    mean_distance: jax.Array  # of two different members: 0 (all alike) to 1
    unique_share: jax.Array  # different architectures over members
    gene_entropy: jax.Array  # mean, over genes with a choice, of their values' entropy; 1 if all are equally frequent


def measure(members: Members, distance: Distance, cardinalities: Sequence[int]) -> Diversity:
    """Diversity of the living members, those that did not fail; all zero if there are none."""
    apart = pairwise(distance, members.traits, members.traits)
    alive = members.alive
    earlier = jnp.tril(jnp.ones_like(apart, bool), -1) & alive[None, :]
    repeats = ((apart == 0) & earlier).any(-1) & alive
    size = jnp.maximum(alive.sum(), 1)
    return Diversity(
        _mean_of_pairs(apart, alive),
        (alive.sum() - repeats.sum()) / size,
        _entropy(members.genomes, alive, cardinalities),
    )


def mean_distance(members: Members, distance: Distance) -> jax.Array:
    """Mean distance of two different living members; 0 for fewer than two."""
    return _mean_of_pairs(pairwise(distance, members.traits, members.traits), members.alive)


def novelty(members: Members, distance: Distance, neighbours: int) -> jax.Array:
    """Mean distance to the nearest other members, ``neighbours`` of them or as many as there are: ``[P]`` float32.

    Lehman and Stanley 2011. Distances to empty places and failed members do not count.
    """
    apart = _to_others(members, distance)
    nearest = -jax.lax.top_k(-apart, min(neighbours, apart.shape[0]))[0]
    known = jnp.isfinite(nearest)
    return jnp.where(known, nearest, 0.0).sum(-1) / jnp.maximum(known.sum(-1), 1)


def niche_count(members: Members, distance: Distance, radius: float) -> jax.Array:
    """How crowded each member's niche is: sum over all members of ``1 - distance / radius`` within it; ``[P]``, >= 1.

    Goldberg and Richardson 1987, triangular sharing function.
    """
    apart = _to_others(members, distance)
    return 1.0 + jnp.maximum(1.0 - apart / radius, 0.0).sum(-1)


def _to_others(members: Members, distance: Distance) -> jax.Array:
    """Distances ``[P, P]``; infinite to oneself, and to and from empty places and failed members."""
    alive = members.alive
    apart = pairwise(distance, members.traits, members.traits)
    others = alive[:, None] & alive[None, :] & ~jnp.eye(apart.shape[0], dtype=bool)
    return jnp.where(others, apart, jnp.inf)


def _mean_of_pairs(apart: jax.Array, alive: jax.Array) -> jax.Array:
    size = alive.sum()
    total = jnp.where(alive[:, None] & alive[None, :], apart, 0.0).sum()
    return total / jnp.maximum(size * (size - 1), 1)


def _entropy(genomes: jax.Array, alive: jax.Array, cardinalities: Sequence[int]) -> jax.Array:
    largest = max(cardinalities)
    values = jax.nn.one_hot(genomes, largest) * alive[:, None, None]
    share = values.sum(0) / jnp.maximum(alive.sum(), 1)
    entropy = -jnp.where(share > 0, share * jnp.log(jnp.maximum(share, 1e-30)), 0.0).sum(-1)
    sizes = jnp.asarray(cardinalities, jnp.float32)
    return (entropy / jnp.log(jnp.maximum(sizes, 2.0))).sum() / jnp.maximum((sizes > 1).sum(), 1)
