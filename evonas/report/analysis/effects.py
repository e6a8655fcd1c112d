"""Which values of which genes go with a high fitness."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from evonas.report.analysis.fitness import first_fitness
from evonas.report.analysis.genomes import genome_rows
from evonas.run.log import Evaluation
from evonas.spaces.base import Space


@dataclasses.dataclass(frozen=True)
class Effect:
    """Fitness of the candidates that have one value of one gene."""

    gene: str
    choice: str
    mean: float
    low: float  # 95 % confidence interval of the mean, by Student's t; NaN of a single candidate
    high: float
    count: int  # candidates that did not fail


def main_effects(space: Space, evaluations: Sequence[Evaluation]) -> list[Effect]:
    """Mean fitness for each value of each gene, whatever the other genes are.

    A search samples good regions more often, so that these are associations, not causes: the values of a good
    ancestor come together. Of random candidates (`evonas.random_search`) they are the main effects of a factorial
    design.

    Args:
        space: names the genes and their values.
        evaluations: in any order.

    Returns:
        In the space's order, for genes with a choice, the values that occur in a candidate that did not fail.
    """
    fitness, rows = first_fitness(evaluations), genome_rows(evaluations)
    succeeded = ~np.isnan(fitness)
    fitness, rows = fitness[succeeded], rows[succeeded]
    effects: list[Effect] = []
    for place, (gene, choices) in enumerate(space.genes.items() if len(rows) else ()):
        if len(choices) > 1:
            means, half_widths, counts = _means(rows[:, place], fitness, len(choices))
            effects += [
                Effect(gene, str(choices[value]), mean, mean - half, mean + half, count)
                for value, (mean, half, count) in enumerate(
                    zip(means.tolist(), half_widths.tolist(), counts.tolist(), strict=True)
                )
                if count
            ]
    return effects


def _means(values: np.ndarray, fitness: np.ndarray, choices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each choice of a gene the mean fitness, half the width of its interval, and the number of candidates.

    Each ``[K]``. The mean of nothing is 0.
    """
    from scipy import stats

    counts = np.bincount(values, minlength=choices)
    means = np.bincount(values, fitness, choices) / np.maximum(counts, 1)
    squares = np.bincount(values, (fitness - means[values]) ** 2, choices)
    freedom = np.where(counts > 1, counts - 1.0, np.nan)
    return means, stats.t.ppf(0.975, freedom) * np.sqrt(squares / freedom / np.maximum(counts, 1)), counts
