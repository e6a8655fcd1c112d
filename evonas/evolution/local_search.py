"""Local search (White et al. 2020): climb to the best neighbour until none is better, then begin anew."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from evonas.evolution.algorithm import Algorithm, BoundAlgorithm, empty_members, told_members
from evonas.evolution.reproduction import Reproduction, draw_until
from evonas.evolution.state import Members, State
from evonas.evolution.survival import Oldest
from evonas.genome import genome_index
from evonas.keys import NEIGHBOURS
from evonas.spaces.base import Space
from evonas.types import FAILED, NOBODY, Candidates

LARGEST = 2**24
"""Genomes of a space whose visited ones are marked."""


class Climb(State):
    """The state of a local search; the members are those told last."""

    visited: jax.Array  # [size] bool by index of the genome
    centre: Members  # [1] whose neighbours are evaluated
    best: Members  # [1] of this beginning's random genomes, or of this neighbourhood
    begun: jax.Array  # int32: random genomes told of this beginning; at the population's size the climb begins


@dataclasses.dataclass(frozen=True)
class LocalSearch(Algorithm):
    """All neighbours of the best of some random genomes, then all of the best of these, until none is better.

    A neighbour differs in one gene. Asked for one at a time, no genome is evaluated twice, as in the paper; other
    genomes of one architecture are. Of candidates that are asked for before earlier ones are told, those beyond the
    last neighbour are random.

    Attributes:
        population_size: random genomes of each beginning.
    """

    population_size: int = 1

    evolves: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.reproduce, self.survive) != (Reproduction(), Oldest()):
            raise ValueError("local search has no `reproduce` and no `survive`: leave them out")

    def bind(self, space: Space) -> BoundAlgorithm:
        """The algorithm's pure functions on a space.

        Raises:
            ValueError: if its genes are none, or its genomes too many to be marked.
        """
        space.check_genes()
        if (size := math.prod(space.cardinalities)) > LARGEST:
            raise ValueError(
                f"local search marks each genome that it visited: at most {LARGEST}, this space has {size}"
            )
        return BoundAlgorithm(
            lambda _key, objectives=1: _init(self, space, objectives),
            lambda key, state, n: _ask(self, space, key, state, n),
            lambda state, candidates, fitness: _tell(self, space, state, candidates, fitness),
        )


def local_search(population_size: int = 1) -> LocalSearch:
    """Local search: White et al. 2020, section 3.

    Args:
        population_size: random genomes of each beginning, of which the best is climbed from.
    """
    return LocalSearch(population_size)


def _init(algorithm: LocalSearch, space: Space, objectives: int) -> Climb:
    nobody = empty_members(algorithm, space, objectives)
    return Climb(
        members=nobody(algorithm.population_size),
        brood=nobody(0),
        asked=jnp.int32(0),
        told=jnp.int32(0),
        visited=jnp.zeros(math.prod(space.cardinalities), bool),
        centre=nobody(1),
        best=nobody(1),
        begun=jnp.int32(0),
    )


def _ask(algorithm: LocalSearch, space: Space, key: jax.Array, state: Climb, n: int) -> tuple[Candidates, Climb]:
    ids = state.asked + jnp.arange(n, dtype=jnp.int32)
    keys = jax.vmap(lambda candidate: jax.random.fold_in(key, candidate))(ids)
    neighbours, new = _neighbours(space, state)
    order_key = jax.random.fold_in(jax.random.fold_in(key, NEIGHBOURS), state.centre.ids[0])
    order = jax.random.permutation(order_key, len(new))
    order = order[jnp.argsort(~new[order], stable=True)]
    rank = ids - state.told  # as many before it are still being evaluated
    climbs = (state.begun == algorithm.population_size) & (rank < new.sum())
    drawn = jax.vmap(lambda key: _unknown(key, space, state))(keys)
    genomes = jnp.where(climbs[:, None], neighbours[order[jnp.minimum(rank, len(new) - 1)]], drawn)
    nobody = jnp.full(n, NOBODY, jnp.int32)
    parents = jnp.stack([jnp.where(climbs, state.centre.ids[0], NOBODY), nobody], 1)
    return Candidates(ids, genomes, parents, nobody), state.replace(asked=state.asked + n)


def _tell(algorithm: LocalSearch, space: Space, state: Climb, candidates: Candidates, fitness: jax.Array) -> Climb:
    told = told_members(algorithm, space, state, candidates, fitness)

    def step(state: Climb, child: Members) -> tuple[Climb, None]:
        after = _settle(algorithm, space, state, child)
        present = child.ids != NOBODY
        return jax.tree.map(lambda old, new: jnp.where(present, new, old), state, after), None

    return jax.lax.scan(step, state, told)[0]


def _settle(algorithm: LocalSearch, space: Space, state: Climb, child: Members) -> Climb:
    size = algorithm.population_size
    beginning = state.begun < size
    near = (child.genomes != state.centre.genomes[0]).sum() == 1
    better = (beginning | near) & (child.fitness[0] > state.best.fitness[0, 0])
    place = genome_index(child.genomes, space.cardinalities)
    state = state.replace(
        members=state.members.put(state.told % size, child, jnp.bool_(True)),
        told=state.told + 1,
        visited=state.visited.at[place].set(True),
        best=state.best.put(jnp.int32(0), child, better),
        begun=jnp.minimum(state.begun + 1, size),
    )
    finished = jnp.where(beginning, state.begun == size, ~_neighbours(space, state)[1].any())
    least = jnp.where(beginning, FAILED, state.centre.fitness[0, 0])
    climbs = state.best.fitness[0, 0] > least
    climbs &= _neighbours(space, state.replace(centre=state.best))[1].any()
    nobody = jax.tree.map(jnp.zeros_like, state.best).replace(
        ids=jnp.full(1, NOBODY, jnp.int32), fitness=jnp.full_like(state.best.fitness, FAILED)
    )

    def chosen(condition: jax.Array, one: Members, other: Members) -> Members:
        return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)

    return state.replace(
        centre=chosen(finished & climbs, state.best, state.centre),
        best=chosen(finished, nobody, state.best),
        begun=jnp.where(finished & ~climbs, 0, state.begun),
    )


def _unknown(key: jax.Array, space: Space, state: Climb) -> jax.Array:
    """A random genome, drawn again while it is not valid or was told."""

    def fits(genome: jax.Array) -> jax.Array:
        return jnp.asarray(space.is_valid(genome)) & ~state.visited[genome_index(genome, space.cardinalities)]

    return draw_until(key, space.sample, fits)


def _neighbours(space: Space, state: Climb) -> tuple[jax.Array, jax.Array]:
    """The genomes that differ from the centre in one gene ``[K, L]``, and which of them are valid and new."""
    sizes = space.cardinalities
    genes = np.array([gene for gene, size in enumerate(sizes) for _ in range(size - 1)])
    steps = np.array([step for size in sizes for step in range(1, size)])
    centre = state.centre.genomes[0]
    changed = (centre[genes] + steps) % np.array(sizes)[genes]
    genomes = jnp.broadcast_to(centre, (len(genes), len(sizes))).at[np.arange(len(genes)), genes].set(changed)
    places = genome_index(genomes, sizes)
    valid = jax.vmap(lambda genome: jnp.asarray(space.is_valid(genome)))(genomes)
    return genomes, valid & ~state.visited[places]
