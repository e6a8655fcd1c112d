"""Intervals and rank tests: against formulas, exact counts and scipy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evonas.report.analysis import compare_runs, wilson_interval


def test_wilsons_interval_of_a_known_case():
    # Newcombe 1998, table I: 81 of 263.
    np.testing.assert_allclose(wilson_interval(81, 263), (0.2553, 0.3662), atol=5e-5)


@given(st.integers(1, 100_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilsons_interval_is_its_formula(total, share, level):
    successes = int(share * total)
    z, p = stats.norm.ppf((1 + level) / 2), successes / total
    centre, half = p + z**2 / (2 * total), z * math.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    expected = np.array([centre - half, centre + half]) / (1 + z**2 / total)
    low, high = wilson_interval(successes, total, level)
    np.testing.assert_allclose((low, high), expected, atol=1e-12)
    assert low <= p <= high


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((3, 2), "a part of the total, got 3 of 2"),
        ((0, 0), "total must be an integer of at least 1"),
        ((-1, 4), "successes must be an integer of at least 0"),
        ((0.5, 4), "successes must be an integer"),
        ((1, 4, 95), "level is between 0 and 1, got 95"),
    ],
)
def test_what_is_no_share_is_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        wilson_interval(*arguments)


def test_two_groups_without_an_overlap():
    comparison = compare_runs([np.array([5.0, 6, 7, 8]), np.array([1.0, 2, 3, 4])], ["aging", "random"])
    assert comparison.p_value == pytest.approx(2 / 70)
    assert comparison.effect_size == 1.0
    assert comparison.sentence == (
        "median of the final fitness (runs): aging 6.5 (4), random 2.5 (4); the difference is significant "
        "(Mann-Whitney U, p = 0.029); a run of aging beats one of random with probability 1.00, ties by half"
    )


def test_too_few_runs_say_so():
    comparison = compare_runs([np.array([5.0, 6, 7]), np.array([1.0, 2, 3])])
    assert comparison.p_value == pytest.approx(0.1)
    assert "too few runs: even if all of one group were better, p would be 0.1 " in comparison.sentence


def test_equal_groups_do_not_differ():
    for groups in ([np.ones(6)] * 2, [np.ones(6)] * 3):
        comparison = compare_runs(groups)
        assert comparison.p_value == 1.0
        assert "no significant difference" in comparison.sentence
    assert compare_runs([np.ones(6)] * 2).effect_size == 0.5
    assert compare_runs([np.ones(6)] * 3).effect_size == 0.0


def exact_p(first, second):
    """Twice the share of the ways to part the runs that give a sum of ranks as high, or as low: the smaller one."""
    together, size = np.concatenate([first, second]), len(first)
    ranks = stats.rankdata(together)
    sums = np.array([sum(ranks[list(rows)]) for rows in itertools.combinations(range(len(together)), size)])
    found = sums[0]
    return min(1.0, 2 * min(np.mean(sums >= found), np.mean(sums <= found)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("levels", [3, 1000])
def test_with_few_runs_p_is_exact_even_with_ties(seed, levels):
    first, second = np.split(np.random.default_rng(seed).integers(levels, size=9).astype(float), [4])
    comparison = compare_runs([first, second])
    assert comparison.p_value == pytest.approx(exact_p(first, second))
    pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
    assert comparison.effect_size == pytest.approx(np.mean(pairs))


def test_with_many_runs_it_is_scipys_test():
    rng = np.random.default_rng(0)
    first, second, third = rng.normal(0, 1, 30), rng.normal(0.8, 1, 40), rng.normal(0, 1, 35)
    comparison = compare_runs([first, second])
    assert comparison.p_value == stats.mannwhitneyu(first, second).pvalue < 0.05
    assert comparison.effect_size == pytest.approx(stats.mannwhitneyu(first, second).statistic / 1200)
    three = compare_runs([first, second, third])
    statistic, p_value = stats.kruskal(first, second, third)
    assert three.p_value == p_value < 0.05
    assert three.effect_size == pytest.approx(statistic / 104)
    assert "the difference is significant (Kruskal-Wallis H" in three.sentence


def test_a_run_in_which_all_failed_is_the_worst():
    groups = [np.array([1.0, 2, 3, 4]), np.array([np.nan, np.nan, 0, 5])]
    assert compare_runs(groups).effect_size == 12 / 16
    assert compare_runs([groups[0], np.array([-9.0, -9, 0, 5])])[:2] == compare_runs(groups)[:2]


@pytest.mark.parametrize(
    ("groups", "names", "match"),
    [
        ([[1.0]], None, "at least two groups"),
        ([[1.0], [2.0]], ["A"], "got 2, and 1 names"),
        ([[1.0], []], None, "the runs of B must be one or more, got none"),
    ],
)
def test_what_can_not_be_compared_is_refused(groups, names, match):
    with pytest.raises(ValueError, match=match):
        compare_runs([np.array(group) for group in groups], names)
