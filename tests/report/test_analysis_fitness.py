"""Best so far, bands of the population, the Pareto front: against hand-computed values and NumPy."""

import numpy as np
import pytest
from analysis_cases import evaluation, random_history, with_fitness
from hypothesis import given
from hypothesis import strategies as st

from evonas.report.analysis import best_so_far, pareto_front, population_bands

NAN = np.nan
FITNESS = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=30)


def test_the_best_so_far_never_falls_and_passes_over_failures():
    found = best_so_far(with_fitness(None, 0.2, 0.1, None, 0.5, 0.4))
    np.testing.assert_array_equal(found, [NAN, 0.2, 0.2, 0.2, 0.5, 0.5])


def test_of_several_objectives_the_first_counts():
    np.testing.assert_array_equal(best_so_far(with_fitness((0.2, 9.0), None, (0.3, 1.0))), [0.2, 0.2, 0.3])


def test_the_bands_of_a_window_are_its_quantiles():
    bands = population_bands(with_fitness(4.0, 2.0, 0.0, 8.0), 3)
    assert list(bands) == [5, 25, 50, 75, 95]
    np.testing.assert_array_equal(bands[50], [4.0, 3.0, 2.0, 2.0])
    np.testing.assert_array_equal(bands[25], [4.0, 2.5, 1.0, 1.0])
    np.testing.assert_array_equal(bands[75], [4.0, 3.5, 3.0, 5.0])
    np.testing.assert_allclose(bands[5], [4.0, 2.1, 0.2, 0.2])


def test_a_failed_candidate_takes_a_place_of_the_window_but_has_no_fitness():
    bands = population_bands(with_fitness(None, 1.0, None, None, 3.0), 2)
    np.testing.assert_array_equal(bands[50], [NAN, 1.0, 1.0, NAN, 3.0])


@given(FITNESS, st.integers(1, 12))
def test_bands_are_those_of_numpy(fitness, size):
    bands = population_bands(with_fitness(*fitness), size)
    values = np.array([NAN if value is None else value for value in fitness], float)
    for row in range(len(values)):
        window = values[max(0, row + 1 - size) : row + 1]
        window = window[~np.isnan(window)]
        expected = np.percentile(window, list(bands)) if window.size else [NAN] * 5
        np.testing.assert_allclose([band[row] for band in bands.values()], expected, rtol=1e-12, atol=1e-9)


@given(FITNESS)
def test_the_best_so_far_is_a_running_maximum(fitness):
    found = best_so_far(with_fitness(*fitness))
    for row in range(len(fitness)):
        known = [value for value in fitness[: row + 1] if value is not None]
        assert found[row] == max(known) if known else np.isnan(found[row])


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="population_size must be an integer of at least 1, got 0"):
        population_bands(with_fitness(1.0), 0)


def test_the_front_is_what_no_other_dominates():
    history = with_fitness((1.0, 1.0), (2.0, 0.0), None, (0.0, 2.0), (0.0, 1.0), (1.0, 1.0))
    np.testing.assert_array_equal(pareto_front(history), [True, True, False, True, False, True])


def test_of_one_objective_the_front_is_the_best():
    history = random_history(50)
    best = max(history, key=lambda each: each.fitness or (-np.inf,))
    assert [each for each, there in zip(history, pareto_front(history), strict=True) if there] == [best]


@pytest.mark.parametrize("history", [[], [evaluation(0, (0,), None)]])
def test_nothing_that_succeeded_has_no_best_no_bands_and_no_front(history):
    assert np.isnan(best_so_far(history)).all()
    assert all(np.isnan(band).all() and len(band) == len(history) for band in population_bands(history, 4).values())
    assert not pareto_front(history).any()
