"""Proposals made ahead: they are what the pure core proposes once the results before them are told."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import ALGORITHMS, Letters, assert_same, compiled

from evonas.evolution import Reaction, Reproduction, genetic_algorithm, random_search, regularized_evolution
from evonas.evolution.algorithm import foresee
from evonas.evolution.foresight import foreseeable
from evonas.evolution.scores import FitnessAndNovelty
from evonas.evolution.survival import Oldest
from evonas.evolution.variation import Uniform
from evonas.types import NOBODY

SPACE = Letters()
KEY = jax.random.key(7)
P, AHEAD = 12, 8


def evolved(algorithm, fitness):
    bound = compiled(algorithm, SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), len(fitness))
    return bound, bound.tell(state, candidates, jnp.asarray(fitness, jnp.float32)[:, None])


@functools.cache
def ahead_of(algorithm):
    return jax.jit(lambda state: foresee(algorithm, SPACE, KEY, state, AHEAD))


def followed(algorithm, bound, state, results):
    """How many of the proposals made ahead are within their limits, and each is held against the core's own."""
    ahead, limits = ahead_of(algorithm)(state)
    within = 0
    for i in range(AHEAD):
        child, state = bound.ask(KEY, state, 1)
        if (results[:i] < limits[i, :i]).all():
            assert_same(child, ahead[i])
            within += 1
        state = bound.tell(state, child, jnp.full((1, 1), results[i]))
    return within


@pytest.mark.parametrize("algorithm", [regularized_evolution(P, 3), regularized_evolution(P, 1), random_search(P)])
def test_within_the_limits_a_proposal_is_what_the_core_would_propose(algorithm):
    rng, within = np.random.default_rng(0), 0
    for _ in range(40):
        # Few different values, so that there are ties, and members that win everything.
        bound, state = evolved(algorithm, rng.integers(6, size=P))
        within += followed(algorithm, bound, state, rng.integers(6, size=AHEAD).astype(np.float32))
    assert within >= 40 * (AHEAD if algorithm.reproduce is None else 2)


def test_a_better_result_in_the_tournament_is_beyond_its_limit():
    algorithm = regularized_evolution(P, 200)  # all members are in each tournament
    _, limits = ahead_of(algorithm)(evolved(algorithm, np.arange(P))[1])
    expected = np.where(np.tri(AHEAD, k=-1, dtype=bool), P - 1, limits)
    np.testing.assert_array_equal(limits, expected)


def test_where_the_winner_leaves_nothing_is_within_the_limits():
    algorithm = regularized_evolution(P, 200)
    _, limits = ahead_of(algorithm)(evolved(algorithm, np.arange(P)[::-1])[1])
    assert (limits[1:] == -np.inf).all()


@pytest.mark.parametrize("fitness", [np.arange(P - 1.0), np.where(np.arange(P) == 5, np.nan, np.arange(P))])
def test_while_the_population_is_not_whole_only_founders_are_foreseen(fitness):
    algorithm = regularized_evolution(P, 3)
    candidates, limits = ahead_of(algorithm)(evolved(algorithm, fitness)[1])
    founders = (candidates.ids < P)[:, None]
    np.testing.assert_array_equal(limits, np.broadcast_to(np.where(founders, np.inf, -np.inf), limits.shape))


def test_only_aging_evolution_by_fitness_alone_is_foreseeable():
    aging = regularized_evolution(P, 3)
    known = {name for name, algorithm in ALGORITHMS.items() if foreseeable(algorithm)}
    assert known == {"random search", "aging evolution"}
    for change in ({"score": FitnessAndNovelty()}, {"crossover": Uniform()}, {"reaction": Reaction()}):
        assert not foreseeable(dataclasses.replace(aging, reproduce=dataclasses.replace(aging.reproduce, **change)))
    assert not foreseeable(genetic_algorithm(P, 3, crowding=True))


@dataclasses.dataclass(frozen=True)
class Own(Reproduction):
    """A user's own."""


@dataclasses.dataclass(frozen=True)
class OwnOldest(Oldest):
    """One that takes the first place always."""

    def place(self, *_):
        return jnp.int32(0), True


def test_of_a_users_own_parts_nothing_is_foreseen():
    aging = regularized_evolution(P, 3)
    for algorithm in (dataclasses.replace(aging, reproduce=Own()), dataclasses.replace(aging, survive=OwnOldest())):
        assert not foreseeable(algorithm)
        state = evolved(aging, np.arange(P))[1]
        with pytest.raises(ValueError, match="only the next candidate of this algorithm can be foreseen, got 2"):
            foresee(algorithm, SPACE, KEY, state, 2)
        assert len(foresee(algorithm, SPACE, KEY, state, 1)[0]) == 1


def test_a_users_own_survival_is_asked_for_each_of_many_results():
    algorithm = dataclasses.replace(regularized_evolution(P, 3), survive=OwnOldest())
    _, state = evolved(algorithm, np.arange(P + 5.0))
    assert state.members.ids.tolist() == [P + 4, *range(1, P)]


@pytest.mark.parametrize("told", [0, 5, 12, 31])
def test_many_results_at_once_are_those_told_one_by_one(told):
    bound = compiled(regularized_evolution(P, 3), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), told + 40)
    fitness = jnp.sin(jnp.arange(told + 40.0))[:, None].at[3].set(jnp.nan)
    for i in range(told):
        state = bound.tell(state, candidates[i], fitness[i : i + 1])
    rest = candidates[told:]
    rest = rest.replace(ids=jnp.where(jnp.arange(40) % 7 == 2, NOBODY, rest.ids))
    at_once = bound.tell(state, rest, fitness[told:])
    for i in range(40):
        state = bound.tell(state, rest[i], fitness[told + i : told + i + 1])
    assert_same(state, at_once)
