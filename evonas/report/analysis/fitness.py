"""How fitness develops: the best so far, the population's quantiles, the Pareto front."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

import numpy as np

from evonas.arguments import require_integer
from evonas.evolution import pareto
from evonas.run.log import Evaluation

QUANTILES = (5, 25, 50, 75, 95)
"""Per cent."""


def fitness_rows(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """Fitness ``[N, M]`` float64, M its objectives, or 1 if none is known; NaN for candidates that failed."""
    objectives = max((len(evaluation.fitness) for evaluation in evaluations), default=0) or 1
    failed = (math.nan,) * objectives
    rows = [evaluation.fitness or failed for evaluation in evaluations]
    return np.array(rows, float).reshape(len(rows), objectives)


def first_fitness(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """The first objective ``[N]`` float64; NaN for candidates that failed."""
    return fitness_rows(evaluations)[:, 0]


def best_so_far(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """The best fitness among each evaluation and those before it: ``[N]`` float64; NaN before the first success."""
    return np.fmax.accumulate(first_fitness(evaluations))


def population_bands(evaluations: Sequence[Evaluation], population_size: int) -> dict[int, np.ndarray]:
    """Quantiles of the fitness of the last evaluations, at each evaluation.

    With aging evolution the last ``population_size`` evaluations are the population.

    Args:
        evaluations: in order.
        population_size: evaluations of a window; at the beginning it has as many as there are.

    Returns:
        The quantiles 5, 25, 50, 75 and 95 by their per cent, each ``[N]`` float64, interpolated linearly as NumPy
        does; NaN where no evaluation of the window has a fitness.

    Raises:
        ValueError: if the size is not a positive integer.
    """
    require_integer("population_size", population_size)
    fitness = first_fitness(evaluations)
    bands = np.full((len(QUANTILES), len(fitness)), np.nan)
    window: list[float] = []  # sorted
    for row, value in enumerate(fitness):
        if not math.isnan(value):
            bisect.insort(window, value)
        if row >= population_size and not math.isnan(left := fitness[row - population_size]):
            del window[bisect.bisect_left(window, left)]
        if window:
            bands[:, row] = [_quantile(window, percent) for percent in QUANTILES]
    return dict(zip(QUANTILES, bands, strict=True))


def pareto_front(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """Which evaluations no other dominates, over all objectives: ``[N]`` bool; failed ones never."""
    return pareto.pareto_front(fitness_rows(evaluations))


def _quantile(ordered: list[float], percent: int) -> float:
    whole, part = divmod(percent * (len(ordered) - 1), 100)
    below, above = ordered[whole], ordered[min(whole + 1, len(ordered) - 1)]
    return below + (above - below) * part / 100
