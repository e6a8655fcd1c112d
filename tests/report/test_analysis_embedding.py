"""A map of genomes: exact where two axes are enough, the same for equal seeds, near to the full one from landmarks."""

import numpy as np
import pytest
from analysis_cases import Pairs, evaluation, random_history
from scipy.spatial.distance import pdist

from evonas.report.analysis import embedding
from evonas.report.analysis.scaling import LANDMARKS
from evonas.spaces import BitString


def embedded(space, genomes, seed=0):
    return embedding(space, [evaluation(number, row, 0.0) for number, row in enumerate(genomes)], seed)


def test_distances_that_fit_on_a_line_are_kept():
    places = embedded(BitString(dim=4), [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 1, 0)])
    np.testing.assert_allclose(pdist(places), [0.25, 0.75, 0.5], atol=1e-7)
    np.testing.assert_allclose(places[:, 1], 0, atol=1e-7)


def test_distances_that_fit_in_the_plane_are_kept():
    # Three architectures, each as far from the others: an equilateral triangle.
    places = embedded(BitString(dim=3), [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
    np.testing.assert_allclose(pdist(places), [2 / 3] * 3)


def test_equal_architectures_have_one_place():
    places = embedded(Pairs(), [(0, 2, 0), (2, 0, 0), (1, 1, 0), (0, 2, 0)])
    np.testing.assert_array_equal(places[0], places[1])
    np.testing.assert_array_equal(places[0], places[3])
    assert np.abs(places[0] - places[2]).max() > 0.1


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_candidates_are_no_special_case(size):
    places = embedded(BitString(dim=2), [(0, 0), (1, 1)][:size])
    assert places.shape == (size, 2)
    np.testing.assert_allclose(pdist(places), [1.0] * (size == 2), atol=1e-7)


def test_the_widest_deflection_of_each_axis_is_positive():
    places = embedding(BitString(dim=10), random_history(100, dim=10), 0)
    assert (places.max(0) == np.abs(places).max(0)).all()


def test_from_landmarks_the_map_is_nearly_that_of_all(monkeypatch):
    # Two groups, and a gradient within each.
    rng = np.random.default_rng(0)
    rows = np.arange(1200)
    genomes = np.concatenate(
        [np.repeat(rows[:, None] % 2, 8, 1), np.arange(6) < rows[:, None] % 7, rng.integers(2, size=(1200, 8))], 1
    )
    history = [evaluation(number, genome, 0.0) for number, genome in enumerate(genomes)]
    space = BitString(dim=22)
    some = embedding(space, history, 0)
    np.testing.assert_array_equal(some, embedding(space, history, 0))
    monkeypatch.setattr("evonas.report.analysis.scaling.LANDMARKS", 2000)
    every = embedding(space, history, 0)
    assert np.abs(some - every).max() > 1e-9
    assert len(np.unique(genomes, axis=0)) > LANDMARKS
    assert [abs(np.corrcoef(some[:, axis], every[:, axis])[0, 1]) > 0.95 for axis in (0, 1)] == [True, True]
