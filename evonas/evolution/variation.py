"""Mutations and crossovers as settings: presets under the names of what they do."""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from evonas import genome as genomes
from evonas.arguments import require_object, require_share
from evonas.spaces.base import Space


@runtime_checkable
class Mutation(Protocol):
    """A change of one genome."""

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """The changed genome ``[L]``; the key is consumed."""


@runtime_checkable
class Crossover(Protocol):
    """A child of two genomes."""

    def __call__(self, key: jax.Array, first: jax.Array, second: jax.Array, space: Space) -> jax.Array:
        """The child ``[L]``; the key is consumed."""


@dataclasses.dataclass(frozen=True)
class SpaceMutation:
    """The space's own mutation, its paper's where it has one; else exactly one gene takes another value."""

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """See `Space.mutate`."""
        return space.mutate(key, genome)


@dataclasses.dataclass(frozen=True)
class ChangeOne:
    """Exactly one gene takes another value: NAS-Bench-201's REA, the toy problem of Real et al."""

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.change_one`."""
        return genomes.change_one(key, genome, space.cardinalities)


@dataclasses.dataclass(frozen=True)
class RedrawOne:
    """One gene is drawn anew and may keep its value: PyGlove's mutation."""

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.redraw_one`."""
        return genomes.redraw_one(key, genome, space.cardinalities)


@dataclasses.dataclass(frozen=True)
class ChangeEach:
    """Every gene by itself takes another value with a probability.

    NNI's mutation draws a gene anew with 0.05, and may keep its value: of K choices, that is 0.05 (K - 1) / K here.

    Attributes:
        probability: of each gene.
    """

    probability: float = 0.05

    def __post_init__(self) -> None:
        require_share(self, "probability")

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.change_each`."""
        return genomes.change_each(key, genome, space.cardinalities, float(self.probability))


@dataclasses.dataclass(frozen=True)
class OrIdentity:
    """No change with a probability, else another mutation: Real et al. 2019 have 0.05.

    Attributes:
        mutation: what happens otherwise.
        probability: of no change.
    """

    mutation: SpaceMutation | ChangeOne | RedrawOne | ChangeEach = SpaceMutation()
    probability: float = 0.05

    def __post_init__(self) -> None:
        require_object(self, "mutation", Mutation, "evonas.variation.ChangeOne()")
        require_share(self, "probability")

    def __call__(self, key: jax.Array, genome: jax.Array, space: Space) -> jax.Array:
        """The genome, or its mutation."""
        whether_key, mutation_key = jax.random.split(key)
        same = jax.random.bernoulli(whether_key, float(self.probability))
        return jnp.where(same, genome, self.mutation(mutation_key, genome, space))


@dataclasses.dataclass(frozen=True)
class SpaceCrossover:
    """The space's own crossover; uniform where it has none."""

    def __call__(self, key: jax.Array, first: jax.Array, second: jax.Array, space: Space) -> jax.Array:
        """See `Space.crossover`."""
        return space.crossover(key, first, second)


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Each gene from either parent."""

    def __call__(self, key: jax.Array, first: jax.Array, second: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.uniform_crossover`."""
        del space
        return genomes.uniform_crossover(key, first, second)


@dataclasses.dataclass(frozen=True)
class OnePoint:
    """A head of one parent, a tail of the other."""

    def __call__(self, key: jax.Array, first: jax.Array, second: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.one_point_crossover`."""
        del space
        return genomes.one_point_crossover(key, first, second)


@dataclasses.dataclass(frozen=True)
class TwoPoint:
    """A segment of the second parent inside the first."""

    def __call__(self, key: jax.Array, first: jax.Array, second: jax.Array, space: Space) -> jax.Array:
        """See `evonas.genome.two_point_crossover`."""
        del space
        return genomes.two_point_crossover(key, first, second)
