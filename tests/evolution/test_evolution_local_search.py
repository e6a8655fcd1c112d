"""Local search against a plain climb that is given the same beginnings."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import Letters, compiled

import evonas
from evonas.evolution import local_search
from evonas.genome import enumerate_genomes, genome_index
from evonas.spaces import BitString, NASBench201
from evonas.threefry import seeded_key
from evonas.types import NOBODY

SPACE = Letters((3, 4, 1, 2))
CELLS = enumerate_genomes(SPACE.cardinalities)
KEY = jax.random.key(3)
TABLE = np.random.default_rng(0).permutation(len(CELLS)).astype(np.float32)


def fitness(genome):
    return float(TABLE[genome_index(np.asarray(genome), SPACE.cardinalities)])


def neighbours(genome):
    return {tuple(cell) for cell in CELLS.tolist() if sum(a != b for a, b in zip(cell, genome, strict=True)) == 1}


def told(bound, state, candidates):
    return bound.tell(state, candidates, jnp.asarray([[fitness(g)] for g in candidates.genomes], jnp.float32))


@pytest.mark.parametrize("beginning", [1, 3])
def test_it_climbs_to_the_best_neighbour_until_none_is_better(beginning):
    bound = compiled(local_search(beginning), SPACE)
    state, visited, climbs = bound.init(KEY), set(), 0
    centre, left, founders, best = None, set(), [], None
    for _ in range(60):
        candidate, state = bound.ask(KEY, state, 1)
        genome = tuple(candidate.genomes[0].tolist())
        if centre is None:
            founders.append(genome)
            assert candidate.parents.tolist() == [[NOBODY, NOBODY]]
        elif left:
            assert genome in left
            assert candidate.parents[0, 0] != NOBODY
            climbs += 1
        visited.add(genome)
        state = told(bound, state, candidate)
        if centre is None and len(founders) == beginning:
            centre, best = max(founders, key=fitness), None
            left = neighbours(centre) - visited
        elif centre is not None:
            if genome in neighbours(centre) and (best is None or fitness(genome) > fitness(best)):
                best = genome
            left.discard(genome)
        if centre is not None and not left:
            centre = best if best is not None and fitness(best) > fitness(centre) else None
            left, founders, best = (set() if centre is None else neighbours(centre) - visited), [], None
            if centre is not None and not left:
                centre = None
    assert climbs > 10


def test_candidates_asked_for_at_once_are_different_neighbours():
    bound = compiled(local_search(2), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 2)
    state = told(bound, state, candidates)
    centre = tuple(state.centre.genomes[0].tolist())
    several, state = bound.ask(KEY, state, 4)
    genomes = [tuple(genome) for genome in several.genomes.tolist()]
    assert len(set(genomes)) == 4
    assert set(genomes) <= neighbours(centre)
    one, _ = bound.ask(KEY, told(bound, state, several[:2]), 1)
    assert tuple(one.genomes[0].tolist()) in neighbours(centre) - set(genomes)


def test_failures_never_become_the_centre():
    bound = compiled(local_search(2), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 2)
    state = bound.tell(state, candidates, jnp.full((2, 1), jnp.nan))
    assert state.begun == 0
    assert state.centre.ids[0] == NOBODY


def test_it_finds_the_optimum_of_every_table():
    curves = evonas.simulate(SPACE, local_search(), TABLE, evaluations=200, repeats=50, seed=0)
    assert (curves[:, -1] == TABLE.max()).all()


def test_a_population_is_driven_by_it_and_saved(tmp_path):
    population = evonas.Population(NASBench201(), local_search(), seed=0)
    for _ in range(60):
        candidates = population.ask(3)
        population.tell(candidates, (candidates.genomes == 3).sum(1))
    assert population.best.fitness[0] == 6
    population.save(tmp_path / "population.npz")
    again = evonas.Population.load(tmp_path / "population.npz")
    np.testing.assert_array_equal(again.ask(5).genomes, population.ask(5).genomes)


@pytest.mark.parametrize("algorithm", [local_search(2), evonas.regularized_evolution(4, 2), evonas.nsga2(4)])
def test_a_population_asked_one_by_one_proposes_what_the_core_does(algorithm):
    population = evonas.Population(SPACE, algorithm, seed=5)
    bound = compiled(algorithm, SPACE)
    key = seeded_key(5)
    state = bound.init(key)
    for _ in range(20):
        one, (wanted, state) = population.ask(), bound.ask(key, state, 1)
        np.testing.assert_array_equal(one.genomes, wanted.genomes)
        np.testing.assert_array_equal(one.parents, wanted.parents)
        population.tell(one, [fitness(one.genomes[0])])
        state = told(bound, state, wanted)


def test_slots_that_say_nothing_are_refused():
    with pytest.raises(ValueError, match="local search has no `reproduce` and no `survive`"):
        dataclasses.replace(local_search(), reproduce=None)


def test_a_space_too_large_to_mark_is_refused():
    with pytest.raises(ValueError, match="local search marks each genome that it visited"):
        local_search().bind(BitString(40))
    with pytest.raises(ValueError, match="population_size must be an integer of at least 1"):
        dataclasses.replace(local_search(), population_size=0)
