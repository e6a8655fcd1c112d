"""Proposals made ahead: they are what the pure core proposes once the results before them are told."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import ALGORITHMS, Letters, assert_same, compiled

from evonas.evolution import Reaction, genetic_algorithm, random_search, regularized_evolution
from evonas.evolution.foresight import foreseeable
from evonas.evolution.scores import FitnessAndNovelty
from evonas.evolution.variation import Uniform
from evonas.types import NOBODY

SPACE = Letters()
KEY = jax.random.key(7)
P, AHEAD = 12, 8


def evolved(algorithm, fitness):
    bound = compiled(algorithm, SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), len(fitness))
    return bound, bound.tell(state, candidates, jnp.asarray(fitness, jnp.float32)[:, None])


def followed(bound, state, results):
    """How many of the proposals made ahead are within their limits, and each is held against the core's own."""
    ahead, limits = bound.foresee(KEY, state, AHEAD)
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
        within += followed(bound, state, rng.integers(6, size=AHEAD).astype(np.float32))
    assert within >= 40 * (AHEAD if algorithm.reproduce is None else 2)


def test_a_better_result_in_the_tournament_is_beyond_its_limit():
    bound, state = evolved(regularized_evolution(P, 200), np.arange(P))  # all members are in each tournament
    _, limits = bound.foresee(KEY, state, AHEAD)
    expected = np.where(np.tri(AHEAD, k=-1, dtype=bool), P - 1, limits)
    np.testing.assert_array_equal(limits, expected)


def test_where_the_winner_leaves_nothing_is_within_the_limits():
    bound, state = evolved(regularized_evolution(P, 200), np.arange(P)[::-1])
    _, limits = bound.foresee(KEY, state, AHEAD)
    assert (limits[1:] == -np.inf).all()


@pytest.mark.parametrize("fitness", [np.arange(P - 1.0), np.where(np.arange(P) == 5, np.nan, np.arange(P))])
def test_while_the_population_is_not_whole_only_founders_are_foreseen(fitness):
    bound, state = evolved(regularized_evolution(P, 3), fitness)
    candidates, limits = bound.foresee(KEY, state, AHEAD)
    founders = (candidates.ids < P)[:, None]
    np.testing.assert_array_equal(limits, np.broadcast_to(np.where(founders, np.inf, -np.inf), limits.shape))


def test_only_aging_evolution_by_fitness_alone_is_foreseeable():
    aging = regularized_evolution(P, 3)
    known = {name for name, algorithm in ALGORITHMS.items() if foreseeable(algorithm)}
    assert known == {"random search", "aging evolution"}
    for change in ({"score": FitnessAndNovelty()}, {"crossover": Uniform()}, {"reaction": Reaction()}):
        assert not foreseeable(dataclasses.replace(aging, reproduce=dataclasses.replace(aging.reproduce, **change)))
    assert not foreseeable(genetic_algorithm(P, 3, crowding=True))


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
