"""The engine: found, reproduce, survive. A named algorithm is one `Algorithm` with its three slots filled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp

from evonas.arguments import require_integers, require_object
from evonas.evolution.distance import Distance, Hamming
from evonas.evolution.foresight import foreseeable, limits
from evonas.evolution.reproduction import Child, Reproduction, draw_valid
from evonas.evolution.state import Members, State, no_members
from evonas.evolution.survival import Elitist, Oldest, Replacement, Selection, reads_sample
from evonas.keys import RESAMPLING
from evonas.spaces.base import Space
from evonas.types import FAILED, NOBODY, Candidates


class InitFn(Protocol):
    """The empty state."""

    def __call__(self, key: jax.Array, objectives: int = 1) -> State:
        """State before the first `ask`. Founders are simply what the first asks give; the key is not used yet."""


class AskFn(Protocol):
    """Proposals."""

    def __call__(self, key: jax.Array, state: State, n: int) -> tuple[Candidates, State]:
        """The next ``n`` candidates.

        The key is that of the whole run, the same at each call: a candidate's own is folded from it and its id, so
        that proposals from one state do not depend on how many are asked for at once.
        """


class TellFn(Protocol):
    """Results."""

    def __call__(self, state: State, candidates: Candidates, fitness: jax.Array) -> State:
        """The state after the candidates have fitness ``[N, M]``, maximised; ``-inf`` for those that failed.

        Rows whose id is `NOBODY` are passed over, so that a ragged batch may be padded.
        """


class BoundAlgorithm(NamedTuple):
    """An algorithm on a space: three pure functions over one explicit state."""

    init: InitFn
    ask: AskFn
    tell: TellFn


def resampling_key(key: jax.Array, attempt: jax.Array | int) -> jax.Array:
    """The key to `ask` with, in place of the run's, for other proposals from the same state."""
    return jax.random.fold_in(jax.random.fold_in(key, RESAMPLING), attempt)


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """An evolutionary algorithm: its founders are random, the other two slots are settings.

    Attributes:
        population_size: members of the population, and number of random founders.
        reproduce: how a child comes about; None: every candidate is random.
        survive: who stays.
        distance: what diversity is measured by.
        several_objectives: whether all objectives are compared, or there may be but one.
    """

    population_size: int
    reproduce: Reproduction | None = Reproduction()
    survive: Replacement | Selection = Oldest()
    distance: Distance = Hamming()
    several_objectives: bool = False

    evolves: ClassVar[bool] = True
    """False where `bind` is of a search of another kind, to which the slots say nothing."""

    def __post_init__(self) -> None:
        require_integers(self, "population_size")
        require_object(self, "reproduce", Reproduction, "evonas.evolution.Reproduction()", optional=True)
        require_object(self, "survive", Replacement | Selection, "evonas.evolution.survival.Oldest()")
        require_object(self, "distance", Distance, "evonas.Hamming()")
        if isinstance(self.survive, Elitist) and self.survive.elites >= self.population_size:
            raise ValueError(
                f"elites must be less than the population of {self.population_size}, got {self.survive.elites}"
            )

    def bind(self, space: Space) -> BoundAlgorithm:
        """The algorithm's pure functions on a space.

        Raises:
            ValueError: if the space's genes are none: see `Space.check_genes`.
        """
        space.check_genes()
        return BoundAlgorithm(
            lambda key, objectives=1: _init(self, space, key, objectives),
            lambda key, state, n: _ask(self, space, key, state, n),
            lambda state, candidates, fitness: _tell(self, space, state, candidates, fitness),
        )


def _init(algorithm: Algorithm, space: Space, key: jax.Array, objectives: int) -> State:
    del key
    survive, nobody = algorithm.survive, empty_members(algorithm, space, objectives)
    brood = survive.brood_size(algorithm.population_size) if isinstance(survive, Selection) else 0
    return State(
        members=nobody(algorithm.population_size),
        brood=nobody(brood),
        asked=jnp.int32(0),
        told=jnp.int32(0),
    )


def empty_members(algorithm: Algorithm, space: Space, objectives: int) -> Callable[[int], Members]:
    """A function that gives as many places without anybody in them as it is asked for."""
    length = len(space.cardinalities)
    genome = jax.ShapeDtypeStruct((length,), jnp.int32)
    traits = jax.eval_shape(lambda genome: algorithm.distance.traits(space, genome), genome)
    return lambda number: no_members(number, length, traits, objectives)


def told_members(
    algorithm: Algorithm, space: Space, state: State, candidates: Candidates, fitness: jax.Array
) -> Members:
    """The candidates with their fitness ``[N, M]``, that of failed ones `FAILED` throughout."""
    chex.assert_shape(fitness, (len(candidates), state.members.fitness.shape[1]))
    whole = jnp.isfinite(fitness).all(-1, keepdims=True)
    return Members(
        ids=candidates.ids,
        genomes=candidates.genomes,
        traits=jax.vmap(lambda genome: algorithm.distance.traits(space, genome))(candidates.genomes),
        fitness=jnp.where(whole, fitness, FAILED).astype(jnp.float32),
    )


def _ask(algorithm: Algorithm, space: Space, key: jax.Array, state: State, n: int) -> tuple[Candidates, State]:
    candidates, _ = _proposals(algorithm, space, key, state, n)
    return candidates, state.replace(asked=state.asked + n)


def foresee(algorithm: Algorithm, space: Space, key: jax.Array, state: State, n: int) -> tuple[Candidates, jax.Array]:
    """What ``n`` asks for one candidate each propose, and the limits ``[n, n]`` of the results told between them.

    See `evonas.evolution.foresight.limits`.

    Raises:
        ValueError: if ``n`` is not 1 and the algorithm is not foreseeable.
    """
    if not foreseeable(algorithm):
        if n > 1:
            raise ValueError(f"only the next candidate of this algorithm can be foreseen, got {n}: ask for one")
        return algorithm.bind(space).ask(key, state, n)[0], jnp.full((1, 1), jnp.inf)
    candidates, samples = _proposals(algorithm, space, key, state, n)
    assert samples is not None
    founders = (candidates.ids < algorithm.population_size) | (algorithm.reproduce is None)
    return candidates, limits(state, founders, samples)


def _proposals(
    algorithm: Algorithm, space: Space, key: jax.Array, state: State, n: int
) -> tuple[Candidates, jax.Array | None]:
    """The next candidates, and the rows ``[n, S]`` that their tournaments drew."""
    ids = state.asked + jnp.arange(n, dtype=jnp.int32)
    keys = jax.vmap(lambda candidate: jax.random.fold_in(key, candidate))(ids)
    children = jax.vmap(lambda candidate, key: _proposal(algorithm, space, key, state, candidate))(ids, keys)
    return Candidates(ids, children.genome, children.parents, children.replaces), children.sample


def _proposal(algorithm: Algorithm, space: Space, key: jax.Array, state: State, candidate: jax.Array) -> Child:
    """A founder while the population is not full yet, or while nobody in it lives; else a child."""
    found_key, reproduce_key = jax.random.split(key)
    genome, nobody = draw_valid(found_key, space.sample, space), jnp.int32(NOBODY)
    founder = Child(genome, jnp.full(2, NOBODY), nobody, jnp.zeros(1, jnp.int32))
    if algorithm.reproduce is None:
        return founder
    child = algorithm.reproduce(reproduce_key, state.members, space, algorithm.distance)
    founder = founder._replace(sample=child.sample)
    if not reads_sample(algorithm.survive):
        child = child._replace(replaces=nobody)
    founding = (candidate < algorithm.population_size) | ~state.members.alive.any()
    return jax.tree.map(lambda a, b: jnp.where(founding, a, b), founder, child)


def _tell(algorithm: Algorithm, space: Space, state: State, candidates: Candidates, fitness: jax.Array) -> State:
    told = told_members(algorithm, space, state, candidates, fitness)
    if type(algorithm.survive) is Oldest and len(candidates) > 1:
        return _settle_together(state, told)

    def step(state: State, row: tuple[Members, jax.Array]) -> tuple[State, None]:
        return _settle(algorithm, state, *row), None

    return jax.lax.scan(step, state, (told, candidates.replaces))[0]


def _settle(algorithm: Algorithm, state: State, child: Members, replaces: jax.Array) -> State:
    """One child gets its place: an empty one, that of a member, or one among the children of its generation.

    Only the child's row is written: a choice between whole states would copy them.
    """
    present, founding = child.ids != NOBODY, state.told < algorithm.population_size
    members, distance, survive = state.members, algorithm.distance, algorithm.survive
    told = state.told + present
    if isinstance(survive, Replacement):
        row, enters = survive.place(members, child, replaces, state.told, distance)
        row = jnp.where(founding, state.told, row)
        return state.replace(members=members.put(row, child, present & (founding | enters)), told=told)
    brood_size = state.brood.ids.shape[0]
    row = (state.told - algorithm.population_size) % brood_size
    grown = state.replace(
        members=members.put(jnp.minimum(state.told, algorithm.population_size - 1), child, present & founding),
        brood=state.brood.put(row, child, present & ~founding),
        told=told,
    )
    complete = present & ~founding & (row == brood_size - 1)
    return jax.lax.cond(complete, lambda state: _next_generation(survive, distance, state), lambda state: state, grown)


def _settle_together(state: State, children: Members) -> State:
    """The children take the places of the oldest, all at once: each row asks who comes to it last."""
    members, size = state.members, state.members.ids.shape[0]
    count = jnp.cumsum(children.ids != NOBODY, dtype=jnp.int32)
    first = (jnp.arange(size) - state.told) % size  # the child that would come to the row first, among those present
    last = first + jnp.maximum(count[-1] - 1 - first, 0) // size * size
    rows = jnp.searchsorted(count, last + 1, method="scan_unrolled")
    enters = first < count[-1]

    def choose(old: jax.Array, new: jax.Array) -> jax.Array:
        coming = new[jnp.minimum(rows, len(new) - 1)].astype(old.dtype)
        return jnp.where(enters.reshape(-1, *[1] * (old.ndim - 1)), coming, old)

    return state.replace(members=jax.tree.map(choose, members, children), told=state.told + count[-1])


def _next_generation(survive: Selection, distance: Distance, state: State) -> State:
    pool = jax.tree.map(lambda *columns: jnp.concatenate(columns), state.members, state.brood)
    rows = survive.select(pool, state.members.ids.shape[0], distance)
    empty = state.brood.replace(ids=jnp.full_like(state.brood.ids, NOBODY))
    return state.replace(members=pool.take(rows), brood=empty)
