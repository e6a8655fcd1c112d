"""How a child comes about: a tournament for each parent, crossover, mutation, within the space's constraints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from evonas.arguments import require_integers, require_object, require_share
from evonas.evolution.distance import Distance
from evonas.evolution.diversity import mean_distance
from evonas.evolution.scores import Fitness, Score
from evonas.evolution.state import Members
from evonas.evolution.variation import Crossover, Mutation, SpaceMutation
from evonas.genome import random_index
from evonas.spaces.base import Space
from evonas.types import NOBODY

ATTEMPTS = 32
"""Draws of a genome until one keeps the space's hard constraints."""


class Child(NamedTuple):
    """One proposal."""

    genome: jax.Array  # [L] int32
    parents: jax.Array  # [2] int32 ids
    replaces: jax.Array  # int32 id: the worst of the parent's tournament
    sample: jax.Array | None = None  # [S] int32 rows that the first parent's tournament drew


@dataclasses.dataclass(frozen=True)
class Reaction:
    """What happens while the population's mean distance is below a threshold.

    Attributes:
        threshold: mean distance of two members, from 0 to 1.
        extra_mutations: mutations added to each child.
        immigrant_share: probability that a random genome takes a child's place.
    """

    threshold: float = 0.2
    extra_mutations: int = 2
    immigrant_share: float = 0.0

    def __post_init__(self) -> None:
        require_share(self, "threshold", "immigrant_share")
        require_integers(self, "extra_mutations", least=0)


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """Tournament selection with replacement, crossover, mutation.

    Attributes:
        sample_size: members drawn for each tournament.
        mutation: applied to every child.
        crossover: applied before the mutation; None: one parent.
        crossover_probability: share of the children that have two parents, where there is a crossover.
        score: what the tournament compares.
        reaction: what is done against a loss of diversity.
    """

    sample_size: int = 2
    mutation: Mutation = SpaceMutation()
    crossover: Crossover | None = None
    crossover_probability: float = 0.9
    score: Score = Fitness()
    reaction: Reaction | None = None

    def __post_init__(self) -> None:
        require_integers(self, "sample_size")
        require_share(self, "crossover_probability")
        require_object(self, "mutation", Mutation, "evonas.variation.ChangeOne()")
        require_object(self, "crossover", Crossover, "evonas.variation.Uniform()", optional=True)
        require_object(self, "score", Score, "evonas.scores.Fitness()")
        require_object(self, "reaction", Reaction, "evonas.Reaction(threshold=0.2)", optional=True)

    def __call__(self, key: jax.Array, members: Members, space: Space, distance: Distance) -> Child:
        """A child of the members, of which at least one must be alive; the key is consumed."""
        first_key, second_key, cross_key, vary_key, react_key = jax.random.split(key, 5)
        scores = self.score(members, distance)
        first, worst, sample = _tournament(first_key, members, scores, self.sample_size)
        second = first
        if self.crossover is not None:
            other, *_ = _tournament(second_key, members, scores, self.sample_size)
            second = jnp.where(jax.random.bernoulli(cross_key, float(self.crossover_probability)), other, first)
        low = self.reaction is not None and mean_distance(members, distance) < self.reaction.threshold

        def vary(key: jax.Array) -> jax.Array:
            return self._vary(key, members.genomes[first], members.genomes[second], low, space)

        genome = draw_valid(vary_key, vary, space, members.genomes[first])
        parents = jnp.stack([members.ids[first], jnp.where(second == first, NOBODY, members.ids[second])])
        if self.reaction is not None and self.reaction.immigrant_share:
            whether_key, sample_key = jax.random.split(react_key)
            arrives = low & jax.random.bernoulli(whether_key, float(self.reaction.immigrant_share))
            genome = jnp.where(arrives, draw_valid(sample_key, space.sample, space), genome)
            parents = jnp.where(arrives, NOBODY, parents)
        return Child(genome, parents, members.ids[worst], sample)

    def _vary(
        self, key: jax.Array, first: jax.Array, second: jax.Array, low: jax.Array | bool, space: Space
    ) -> jax.Array:
        cross_key, mutation_key, extra_key = jax.random.split(key, 3)
        genome = first
        if self.crossover is not None:
            genome = jnp.where((first == second).all(), first, self.crossover(cross_key, first, second, space))
        genome = self.mutation(mutation_key, genome, space)
        for extra in range(self.reaction.extra_mutations if self.reaction else 0):
            more = self.mutation(jax.random.fold_in(extra_key, extra), genome, space)
            genome = jnp.where(low, more, genome)
        return genome


def draw_valid(
    key: jax.Array, draw: Callable[[jax.Array], jax.Array], space: Space, fallback: jax.Array | None = None
) -> jax.Array:
    """The first of up to `ATTEMPTS` draws that is valid; else the fallback, or the last draw where there is none."""
    if type(space).is_valid is Space.is_valid:
        return draw(key)
    genome = draw_until(key, draw, space.is_valid)
    return genome if fallback is None else jnp.where(space.is_valid(genome), genome, fallback)


def draw_until(
    key: jax.Array, draw: Callable[[jax.Array], jax.Array], fits: Callable[[jax.Array], jax.Array | bool]
) -> jax.Array:
    """The first of up to `ATTEMPTS` draws that fits, or the last."""

    def again(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        attempt, _ = carry
        return attempt + 1, draw(jax.random.fold_in(key, attempt))

    def rejected(carry: tuple[jax.Array, jax.Array]) -> jax.Array:
        attempt, genome = carry
        return ~jnp.asarray(fits(genome)) & (attempt < ATTEMPTS)

    first = draw(jax.random.fold_in(key, 0))
    return jax.lax.while_loop(rejected, again, (jnp.int32(1), first))[1]


def _tournament(
    key: jax.Array, members: Members, scores: jax.Array, sample_size: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Rows of the best, the worst and all of a sample, drawn with replacement among the living."""
    alive = members.alive
    places = random_index(key, (sample_size,), jnp.maximum(alive.sum(), 1))
    rows = _rows_of_living(alive, places)
    drawn = scores[rows]
    return rows[jnp.argmax(drawn)], rows[jnp.argmin(drawn)], rows


@jax.custom_batching.custom_vmap
def _rows_of_living(alive: jax.Array, places: jax.Array) -> jax.Array:
    """Rows ``[..., S]`` of the living at ``places`` among them; ``alive`` is ``[P]``, or begins as ``places`` does.

    Where the dead and the empty places are all behind, as nearly always, a place is a row: counting is done only where
    they are not, in a batch too, for which `jax.vmap` alone would do both.
    """
    ordered = (alive[..., :-1] >= alive[..., 1:]).all()
    return jax.lax.cond(ordered, lambda: places, lambda: _counted_rows(alive, places))


@_rows_of_living.def_vmap
def _batched(size: int, batched: list[bool], alive: jax.Array, places: jax.Array) -> tuple[jax.Array, bool]:
    if not batched[1]:
        places = jnp.broadcast_to(places, (size, *places.shape))
    if not batched[0] and alive.ndim > 1:
        alive = jnp.broadcast_to(alive, (size, *alive.shape))
    return _rows_of_living(alive, places), True


def _counted_rows(alive: jax.Array, places: jax.Array) -> jax.Array:
    if alive.ndim > 1:
        return jax.vmap(_counted_rows)(alive, places)
    rows = jnp.searchsorted(jnp.cumsum(alive), places, side="right")
    return jnp.minimum(rows, len(alive) - 1).astype(jnp.int32)
