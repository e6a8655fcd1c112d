"""What a tournament compares: one number a member, higher wins. Failed members and empty places get -inf."""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from evonas.arguments import require_integers, require_positive, require_share
from evonas.evolution.distance import Distance
from evonas.evolution.diversity import niche_count, novelty
from evonas.evolution.pareto import crowded_order
from evonas.evolution.state import Members
from evonas.types import FAILED


@runtime_checkable
class Score(Protocol):
    """Scores of all members at once."""

    def __call__(self, members: Members, distance: Distance) -> jax.Array:
        """Scores ``[P]`` float32; -inf where nobody lives."""


@dataclasses.dataclass(frozen=True)
class Fitness:
    """The fitness itself."""

    def __call__(self, members: Members, distance: Distance) -> jax.Array:
        """The first objective ``[P]``."""
        del distance
        return _among_living(members.fitness[:, 0], members)


@dataclasses.dataclass(frozen=True)
class SharedFitness:
    """Fitness divided by how crowded the niche is (Goldberg and Richardson 1987).

    Fitness is counted from the worst living member, so that dividing punishes whatever its sign; the worst keeps a
    small share of the range, so that a niche of the worst is not all alike.

    Attributes:
        radius: members nearer than this share.
    """

    radius: float = 0.3

    def __post_init__(self) -> None:
        require_positive(self, "radius")

    def __call__(self, members: Members, distance: Distance) -> jax.Array:
        """Shared fitness ``[P]``."""
        fitness, alive = members.fitness[:, 0], members.alive
        worst = jnp.where(alive, fitness, jnp.inf).min()
        best = jnp.where(alive, fitness, -jnp.inf).max()
        above = fitness - worst + 0.01 * jnp.where(best > worst, best - worst, 1.0)
        return _among_living(above / niche_count(members, distance, self.radius), members)


@dataclasses.dataclass(frozen=True)
class FitnessAndNovelty:
    """Ranks of fitness and of novelty, weighed. Ranks make it independent of the scales of both.

    Attributes:
        novelty_weight: weight of novelty's rank; fitness's rank has the rest.
        neighbours: novelty is the mean distance to this many nearest members.
    """

    novelty_weight: float = 0.3
    neighbours: int = 5

    def __post_init__(self) -> None:
        require_share(self, "novelty_weight")
        require_integers(self, "neighbours")

    def __call__(self, members: Members, distance: Distance) -> jax.Array:
        """Weighed ranks ``[P]``, from 0 to 1."""
        by_fitness = _rank(_among_living(members.fitness[:, 0], members))
        by_novelty = _rank(_among_living(novelty(members, distance, self.neighbours), members))
        weight = self.novelty_weight
        return _among_living((1.0 - weight) * by_fitness + weight * by_novelty, members)


@dataclasses.dataclass(frozen=True)
class CrowdedParetoRank:
    """NSGA-II's crowded comparison: Pareto rank, then crowding distance (Deb et al. 2002).

    Attributes:
        novelty_objective: whether novelty counts as one more objective.
        neighbours: novelty is the mean distance to this many nearest members.
    """

    novelty_objective: bool = False
    neighbours: int = 5

    def __post_init__(self) -> None:
        require_integers(self, "neighbours")

    def __call__(self, members: Members, distance: Distance) -> jax.Array:
        """Place in the crowded order ``[P]``, the same for members of the same rank and distance."""
        return _among_living(crowded_order(self.objectives(members, distance)), members)

    def objectives(self, members: Members, distance: Distance) -> jax.Array:
        """What is compared ``[P, M]``: the fitness, and novelty if it counts; -inf where nobody lives."""
        fitness = members.fitness
        if self.novelty_objective:
            fitness = jnp.column_stack([fitness, novelty(members, distance, self.neighbours)])
        return jnp.where(members.alive[:, None], fitness, FAILED)


def _among_living(score: jax.Array, members: Members) -> jax.Array:
    return jnp.where(members.alive, score, FAILED)


def _rank(score: jax.Array) -> jax.Array:
    """Share of the members that score lower, equals counted half: ``[P]``."""
    ordered = jnp.sort(score)
    lower, not_higher = (jnp.searchsorted(ordered, score, side=side) for side in ("left", "right"))
    return (lower + 0.5 * (not_higher - lower - 1)) / max(score.shape[0] - 1, 1)
