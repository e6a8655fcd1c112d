"""Regularized evolution in plain Python, as fast as we can write it: the bookkeeping that nobody need be slower than.

Members are tuples (fitness, genome), so that ``max`` of a sample is one built-in call; the ring of members is a list
that is written over, as moving a deque costs more; random places are one call for a whole sample.
"""

from __future__ import annotations

import random
from collections.abc import Callable

Genome = tuple[int, ...]


def search(
    cardinalities: tuple[int, ...],
    fitness_of: Callable[[Genome], float],
    evaluations: int,
    population_size: int = 100,
    sample_size: int = 25,
    seed: int = 0,
) -> float:
    """The best fitness that a search finds."""
    rng = random.Random(seed)
    uniform, choices, length = rng.random, rng.choices, len(cardinalities)
    members = []
    for _ in range(population_size):
        genome = tuple([int(uniform() * size) for size in cardinalities])
        members.append((fitness_of(genome), genome))
    best = max(members)[0]
    row = 0
    for _ in range(evaluations - population_size):
        genome = list(max(choices(members, k=sample_size))[1])
        gene = int(uniform() * length)
        size = cardinalities[gene]
        genome[gene] = (genome[gene] + 1 + int(uniform() * (size - 1))) % size
        child = tuple(genome)
        fitness = fitness_of(child)
        if fitness > best:
            best = fitness
        members[row] = (fitness, child)
        row += 1
        if row == population_size:
            row = 0
    return best
