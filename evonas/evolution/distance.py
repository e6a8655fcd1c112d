"""How far two genomes are apart, from 0 (the same architecture) to 1."""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from evonas.spaces.base import Space


@runtime_checkable
class Distance(Protocol):
    """Traits of a genome, computed once, and the distance of two genomes by them."""

    def traits(self, space: Space, genome: jax.Array) -> jax.Array:
        """What is compared: ``[F]``."""

    def between(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """Distance of two genomes by their traits, a float32 scalar in [0, 1]."""


@dataclasses.dataclass(frozen=True)
class Hamming:
    """Share of the genes in which the canonical forms differ."""

    def traits(self, space: Space, genome: jax.Array) -> jax.Array:
        """The canonical form ``[L]`` int32."""
        return space.canonical(genome)

    def between(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """Share of the genes that differ."""
        return jnp.mean(first != second, dtype=jnp.float32)


@dataclasses.dataclass(frozen=True)
class Structural:
    """Bray-Curtis dissimilarity of the spaces' structural features; for cells, of their paths (0 if isomorphic)."""

    def traits(self, space: Space, genome: jax.Array) -> jax.Array:
        """`Space.structure`: ``[F]`` float32."""
        return space.structure(genome)

    def between(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """Sum of the differences over the sum of all."""
        total = jnp.abs(first).sum() + jnp.abs(second).sum()
        return jnp.abs(first - second).sum() / jnp.maximum(total, 1e-12)


def pairwise(distance: Distance, first: jax.Array, second: jax.Array) -> jax.Array:
    """Distances ``[N, P]`` between the rows of two sets of traits ``[N, F]`` and ``[P, F]``."""
    return jax.vmap(lambda a: jax.vmap(lambda b: distance.between(a, b))(second))(first)
