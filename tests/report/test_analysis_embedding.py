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
    # Two groups, a gradient within each, and noise.
    rng, rows = np.random.default_rng(0), np.arange(400)[:, None]
    parts = [np.repeat(rows % 2, 8, 1), np.arange(6) < rows % 7, rng.integers(2, size=(400, 8))]
    genomes, space = np.concatenate(parts, 1), BitString(dim=22)
    assert 100 < len(np.unique(genomes, axis=0)) < LANDMARKS
    every = embedded(space, genomes)
    monkeypatch.setattr("evonas.report.analysis.scaling.LANDMARKS", 100)
    some = embedded(space, genomes, seed=1)
    np.testing.assert_array_equal(some, embedded(space, genomes, seed=1))
    assert np.abs(some - embedded(space, genomes, seed=2)).max() > 1e-9
    assert [abs(np.corrcoef(some[:, axis], every[:, axis])[0, 1]) > 0.9 for axis in (0, 1)] == [True, True]
