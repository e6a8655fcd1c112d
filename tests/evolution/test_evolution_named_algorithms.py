"""One table of algorithms: each must get better than chance, and keep what it promises to keep."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import ALGORITHMS, Letters, compiled

import evonas
from evonas.evolution import genetic_algorithm, nsga2
from evonas.types import NOBODY

BITS = evonas.spaces.BitString(20)
KEY = jax.random.key(8)


def accuracy(key, genome):
    del key
    return BITS.accuracy(genome)


@functools.cache
def curves(name):
    return evonas.simulate(BITS, ALGORITHMS[name], accuracy, evaluations=200, repeats=40, seed=1)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random search"])
def test_in_200_evaluations_it_finds_more_than_random_search(name):
    found, chance = curves(name)[:, -1], curves("random search")[:, -1]
    error = np.sqrt((found.var() + chance.var()) / len(found))
    assert found.mean() > chance.mean() + 4 * error


def test_the_seed_decides_everything():
    name = "aging evolution"
    run = functools.partial(evonas.simulate, BITS, ALGORITHMS[name], accuracy, evaluations=200)
    np.testing.assert_array_equal(run(repeats=2, seed=1), curves(name)[:2])
    assert (run(repeats=2, seed=2) != curves(name)[:2]).any()


def generations(algorithm, count, objectives=1):
    """After each generation: all fitness told so far, and the population's."""
    space = Letters()
    bound = compiled(algorithm, space)
    size = algorithm.population_size
    children = bound.init(KEY).brood.ids.shape[0]
    state, told, rng = bound.init(KEY, objectives), [], np.random.default_rng(3)
    for n in [size] + [children] * count:
        candidates, state = bound.ask(KEY, state, n)
        fitness = rng.normal(size=(n, objectives)).astype(np.float32)
        fitness[rng.random(n) < 0.2] = np.nan
        state = bound.tell(state, candidates, fitness)
        told.append(np.where(np.isnan(fitness), -np.inf, fitness))
        yield np.concatenate(told), np.asarray(state.members.fitness), state


def test_elites_keep_the_best_in_the_population():
    for told, living, state in generations(genetic_algorithm(10, elites=3), 8):
        assert living[:, 0].max() == told[:, 0].max()
        assert (state.brood.ids == NOBODY).all()


def test_without_elites_the_best_is_lost():
    steps = generations(genetic_algorithm(10, elites=0), 8)
    assert any(living[:, 0].max() < told[:, 0].max() for told, living, _ in steps)


def test_elites_are_the_best_of_the_parents_and_all_children_follow():
    *_, (told, living, state) = generations(genetic_algorithm(10, elites=3), 1)
    best = np.sort(told[:10, 0])[::-1][:3]
    assert living[:3, 0].tolist() == best.tolist()
    assert state.members.ids[3:].tolist() == list(range(10, 17))


def test_of_equal_parents_the_younger_are_the_elite():
    space = Letters()
    bound = compiled(genetic_algorithm(6, elites=2), space)
    candidates, state = bound.ask(KEY, bound.init(KEY), 10)
    state = bound.tell(state, candidates, jnp.array([1.0, 7, 7, 7, 0, np.nan, 0, 0, 0, 0])[:, None])
    assert state.members.ids.tolist() == [3, 2, 6, 7, 8, 9]


def test_nsga2_keeps_the_extremes_of_every_objective():
    for told, living, _ in generations(nsga2(10), 8, objectives=2):
        np.testing.assert_array_equal(living.max(0), told.max(0))


def test_nsga2_keeps_the_whole_front_while_it_fits():
    for told, living, _ in generations(nsga2(30), 5, objectives=2):
        front = told[evonas.evolution.pareto_front(told)]
        assert {tuple(row) for row in front} <= {tuple(row) for row in living}


def test_crowding_replaces_the_likest_member_if_the_child_is_no_worse():
    bound = compiled(genetic_algorithm(3, crowding=True), evonas.spaces.BitString(4))
    founders, state = bound.ask(KEY, bound.init(KEY), 3)
    founders = founders.replace(genomes=jnp.array([[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]))
    state = bound.tell(state, founders, jnp.array([[1.0], [2.0], [3.0]]))
    child, state = bound.ask(KEY, state, 1)
    child = child.replace(genomes=jnp.array([[0, 1, 1, 1]]))
    for fitness, expected in ((2.9, [0, 1, 2]), (np.nan, [0, 1, 2]), (3.0, [0, 1, 3])):
        assert bound.tell(state, child, jnp.array([[fitness]])).members.ids.tolist() == expected


def test_random_search_has_no_parents_at_all():
    bound = compiled(ALGORITHMS["random search"], Letters())
    candidates, state = bound.ask(KEY, bound.init(KEY), 60)
    candidates, _ = bound.ask(KEY, bound.tell(state, candidates, jnp.ones((60, 1))), 60)
    assert (candidates.parents == NOBODY).all()
