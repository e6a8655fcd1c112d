"""Regularized evolution by PyGlove, without trials or a tuning backend: only `propose` and `feedback`."""

from __future__ import annotations

from collections.abc import Callable

import pyglove as pg


def search(
    cardinalities: tuple[int, ...],
    fitness_of: Callable[[tuple[int, ...]], float],
    evaluations: int,
    population_size: int = 100,
    sample_size: int = 25,
    seed: int = 0,
) -> float:
    """The best fitness that a search finds."""
    algorithm = pg.evolution.regularized_evolution(
        mutator=pg.evolution.mutators.Uniform(seed=seed),
        population_size=population_size,
        tournament_size=sample_size,
        seed=seed,
    )
    algorithm.setup(pg.dna_spec(pg.Dict({f"gene{i}": pg.oneof(range(n)) for i, n in enumerate(cardinalities)})))
    best = float("-inf")
    for _ in range(evaluations):
        dna = algorithm.propose()
        fitness = fitness_of(tuple(dna.to_numbers()))
        algorithm.feedback(dna, fitness)
        best = max(best, fitness)
    return best
