"""Whether searches differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evonas.arguments import require_items

SIGNIFICANT = 0.05
"""The p value below which a difference is called significant."""

ORDERS = 9999
"""Of runs with equal results, up to so many ways to part them in two groups are all gone through, for an exact p."""


class Comparison(NamedTuple):
    """A rank test between groups of runs."""

    p_value: float  # of two sides
    effect_size: float  # two groups: P(first > second) + P(equal) / 2, Vargha and Delaney's A; more: epsilon squared
    sentence: str  # what it means


def compare_runs(groups: Sequence[np.ndarray], names: Sequence[str] | None = None) -> Comparison:
    """Compare what groups of runs ended with.

    Two groups by Mann and Whitney's U test, more by Kruskal and Wallis's, of which that is the case for two. A rank
    test asks for no distribution; it needs several runs, of different seeds, of each group.

    Args:
        groups: the final fitness of each run of a group, ``[R]``; NaN, of a run in which all failed, is the worst.
        names: of the groups, for the sentence; by default A, B, ...

    Raises:
        ValueError: if there are fewer than two groups, or a group has no run, or the names are not as many.
    """
    names = [chr(ord("A") + place) for place in range(len(groups))] if names is None else names
    if len(groups) < 2 or len(names) != len(groups):
        raise ValueError(f"compare at least two groups, each with a name; got {len(groups)}, and {len(names)} names")
    for name, group in zip(names, groups, strict=True):
        require_items(f"the runs of {name}", list(group))
    runs = [np.where(np.isnan(group), -np.inf, group) for group in groups]
    medians = ", ".join(f"{name} {_median(group)} ({len(group)})" for name, group in zip(names, runs, strict=True))
    start = f"median of the final fitness (runs): {medians}; "
    return _of_two(runs, names, start) if len(runs) == 2 else _of_many(runs, start)


def _of_two(runs: Sequence[np.ndarray], names: Sequence[str], start: str) -> Comparison:
    first, second = runs
    wins = (first[:, None] > second).mean() + (first[:, None] == second).mean() / 2
    p_value, least = _mann_whitney(first, second), 2 / math.comb(len(first) + len(second), len(first))
    verdict = _verdict(p_value)
    if least >= SIGNIFICANT:
        verdict = f"too few runs: even if all of one group were better, p would be {least:.2g}"
    chance = f"a run of {names[0]} beats one of {names[1]} with probability {wins:.2f}, ties by half"
    return Comparison(p_value, float(wins), f"{start}{verdict} (Mann-Whitney U, p = {p_value:.2g}); {chance}")


def _of_many(runs: Sequence[np.ndarray], start: str) -> Comparison:
    from scipy import stats

    together = np.concatenate(runs)
    if (together == together[0]).all():
        statistic, p_value = 0.0, 1.0
    else:
        statistic, p_value = (float(value) for value in stats.kruskal(*runs))
    effect = statistic / (len(together) - 1)
    said = f"{_verdict(p_value)} (Kruskal-Wallis H, p = {p_value:.2g}, epsilon squared {effect:.2f})"
    return Comparison(p_value, effect, start + said)


def _mann_whitney(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p; exact where there are few runs."""
    from scipy import stats

    together = np.concatenate([first, second])
    if (together == together[0]).all():
        return 1.0
    ties = len(np.unique(together)) < len(together)
    few = math.comb(len(together), len(first)) <= ORDERS
    method = stats.PermutationMethod(n_resamples=ORDERS) if ties and few else "auto"
    return float(stats.mannwhitneyu(first, second, method=method).pvalue)


def _verdict(p_value: float) -> str:
    if p_value < SIGNIFICANT:
        return "the difference is significant"
    return "no significant difference"


def _median(group: np.ndarray) -> str:
    return f"{np.median(group):.4g}"
