"""Diversity of a sliding window: against pairs counted one by one, and against the population's own measure."""

import itertools

import numpy as np
import pytest
from analysis_cases import Pairs, evaluation, random_history
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import evonas
from evonas.report.analysis import diversity_over_time
from evonas.run import RunLog
from evonas.spaces import BitString


def test_distances_and_shares_by_hand():
    genomes = [(0, 0, 0, 0), (0, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 1)]
    history = [evaluation(number, genome, 0.0) for number, genome in enumerate(genomes)]
    distance, unique = diversity_over_time(BitString(dim=4), history, 3)
    # Windows {A}, {A A}, {A A B}: distances 0 1/2 1/2, {A B C}: 1/2 1 1/2.
    assert_array_equal(distance, [0, 0, 1 / 3, 2 / 3])
    assert_array_equal(unique, [1, 1 / 2, 2 / 3, 1])


def test_architectures_are_compared_by_their_canonical_forms():
    history = [evaluation(0, (0, 2, 0), 0.0), evaluation(1, (2, 0, 0), 0.0), evaluation(2, (2, 2, 0), 0.0)]
    distance, unique = diversity_over_time(Pairs(), history, 3)
    assert_allclose(distance, [0, 0, 2 / 9])
    assert_array_equal(unique, [1, 1 / 2, 2 / 3])


def test_failed_candidates_are_no_members():
    history = [evaluation(0, (0, 0), None), evaluation(1, (0, 1), 0.0), evaluation(2, (1, 1), None)]
    distance, unique = diversity_over_time(BitString(dim=2), history, 2)
    assert_array_equal(distance, [0, 0, 0])
    assert_array_equal(unique, [0, 1, 1])


@given(st.integers(0, 25), st.integers(1, 30), st.integers(1, 4), st.integers(0, 100))
def test_it_is_what_counting_each_pair_gives(size, window, dim, seed):
    history = random_history(size, dim=dim, seed=seed)
    distance, unique = diversity_over_time(BitString(dim=dim), history, window)
    for row in range(size):
        members = [each.genome for each in history[max(0, row + 1 - window) : row + 1] if each.fitness]
        pairs = [np.mean(np.array(one) != other) for one, other in itertools.combinations(members, 2)]
        assert_allclose(distance[row], np.mean(pairs) if pairs else 0, atol=1e-12)
        assert_allclose(unique[row], len(set(members)) / max(len(members), 1))


def test_of_aging_evolution_it_is_the_living_populations():
    space = evonas.spaces.NASBench201()
    algorithm = evonas.regularized_evolution(population_size=7, sample_size=3)
    population, log = evonas.Population(space, algorithm, seed=1), RunLog(None)
    found = []
    for _ in range(20):
        candidates = population.ask(1)
        genome = candidates.genomes[0]
        value = None if genome[0] == 4 else float(genome.sum())
        population.tell(candidates, [np.nan if value is None else value])
        log.append([evaluation(int(candidates.ids[0]), genome, value)])
        found.append(population.diversity())
    assert any(not each.fitness for each in log)
    distance, unique = diversity_over_time(space, list(log), 7)
    assert_allclose(distance, [each["mean_distance"] for each in found], rtol=1e-6)
    assert_allclose(unique, [each["unique_share"] for each in found], rtol=1e-6)


def test_nothing_has_no_diversity():
    assert [each.shape for each in diversity_over_time(BitString(dim=3), [], 5)] == [(0,), (0,)]


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="window must be an integer of at least 1, got 0"):
        diversity_over_time(BitString(dim=3), [], 0)
