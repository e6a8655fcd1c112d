"""Small histories for the tests of the analysis, and a space whose canonical form is not the genome."""

import dataclasses

import numpy as np

from evonas.run import Evaluation
from evonas.spaces import Space
from evonas.types import NOBODY, Failure, Measurement


@dataclasses.dataclass(frozen=True)
class Pairs(Space):
    """Two genes of three choices in either order, and one without a choice."""

    @property
    def genes(self):
        return {"first": ("a", "b", "c"), "second": ("a", "b", "c"), "only": (7,)}

    def canonical(self, genome):
        return genome.at[:2].set(genome[:2].sort())


def evaluation(number, genome, fitness, parents=()):
    """One evaluation; a fitness of None is a failure, a number the only objective."""
    values = () if fitness is None else tuple(np.atleast_1d(fitness).tolist())
    measurement = Measurement(values, {}, Failure.DIVERGED if fitness is None else Failure.NONE)
    both = (*parents, NOBODY, NOBODY)[:2]
    return Evaluation(number, tuple(int(gene) for gene in genome), f"text {number}", both, measurement, 0.0)


def with_fitness(*fitness):
    """Evaluations of one genome."""
    return [evaluation(number, (0,), value) for number, value in enumerate(fitness)]


def random_history(size, dim=6, seed=0, choices=2, failures=0.2):
    """Evaluations with random genomes, parents and fitness, of which about a share failed."""
    rng = np.random.default_rng(seed)
    history = []
    for number in range(size):
        fitness = None if rng.random() < failures else float(rng.normal())
        parents = () if number < 5 else (int(rng.integers(number)),)
        history.append(evaluation(number, rng.integers(choices, size=dim), fitness, parents))
    return history
