"""Who stays: for each child the place it takes, or for each generation the rows that live on."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from evonas.arguments import require_integers, require_object
from evonas.evolution.distance import Distance, pairwise
from evonas.evolution.pareto import crowded_survivors
from evonas.evolution.scores import CrowdedParetoRank
from evonas.evolution.state import Members

Place = tuple[jax.Array, jax.Array | bool]
"""The row that a child takes, and whether it gets in."""


@dataclasses.dataclass(frozen=True)
class Oldest:
    """The oldest leaves: aging evolution (Real et al. 2019)."""

    def place(
        self, members: Members, child: Members, replaces: jax.Array, told: jax.Array, distance: Distance
    ) -> Place:
        """Row for the child, and whether it gets in: the population is a ring."""
        del child, replaces, distance
        return told % members.ids.shape[0], True


@dataclasses.dataclass(frozen=True)
class WorstOfSample:
    """The worst of the sample that chose the parent leaves: Real et al.'s non-aging evolution.

    A failed member leaves before it: no sample has one, so failures would fill the population. If the worst of the
    sample has left meanwhile (children told out of order), the worst of all leaves.
    """

    def place(
        self, members: Members, child: Members, replaces: jax.Array, told: jax.Array, distance: Distance
    ) -> Place:
        """Row for the child, and whether it gets in."""
        del child, told, distance
        there = members.ids == replaces
        sampled = there.any() & members.alive.all()
        return jnp.where(sampled, jnp.argmax(there), jnp.argmin(members.fitness[:, 0])), True


@dataclasses.dataclass(frozen=True)
class Crowding:
    """The most similar member leaves, if it is not better (Mahfoud 1995; Harik 1995 over the whole population)."""

    def place(
        self, members: Members, child: Members, replaces: jax.Array, told: jax.Array, distance: Distance
    ) -> Place:
        """Row for the child, and whether it gets in."""
        del replaces, told
        row = jnp.argmin(pairwise(distance, child.traits[None], members.traits)[0])
        return row, child.fitness[0] >= members.fitness[row, 0]


@dataclasses.dataclass(frozen=True)
class Elitist:
    """A generation of children takes over, but for the best of the parents; between equals the younger lives on.

    Attributes:
        elites: members that live on.
    """

    elites: int = 1

    def __post_init__(self) -> None:
        require_integers(self, "elites", least=0)

    def brood_size(self, population_size: int) -> int:
        """Children of a generation."""
        return population_size - self.elites

    def select(self, pool: Members, population_size: int, distance: Distance) -> jax.Array:
        """Rows of the pool (members, then brood) that make the next population."""
        del distance
        best = jnp.lexsort((-pool.ids[:population_size], -pool.fitness[:population_size, 0]))[: self.elites]
        return jnp.concatenate([best, jnp.arange(population_size, pool.ids.shape[0])])


@dataclasses.dataclass(frozen=True)
class NonDominated:
    """The best of parents and children by Pareto rank and crowding distance: NSGA-II (Deb et al. 2002).

    Between equals the younger stays: see `evonas.evolution.pareto.crowded_survivors`.

    Attributes:
        score: the crowded comparison.
    """

    score: CrowdedParetoRank = CrowdedParetoRank()

    def __post_init__(self) -> None:
        require_object(self, "score", CrowdedParetoRank, "evonas.scores.CrowdedParetoRank()")

    def brood_size(self, population_size: int) -> int:
        """Children of a generation."""
        return population_size

    def select(self, pool: Members, population_size: int, distance: Distance) -> jax.Array:
        """Rows of the pool (members, then brood) that make the next population."""
        return crowded_survivors(self.score.objectives(pool, distance), pool.ids, population_size)


Replacement = Oldest | WorstOfSample | Crowding
Selection = Elitist | NonDominated


def reads_sample(survive: Replacement | Selection) -> bool:
    """Whether the worst of a child's sample matters: to none of evonas's own but `WorstOfSample`; to others it may."""
    return isinstance(survive, Replacement) and type(survive) not in (Oldest, Crowding)
