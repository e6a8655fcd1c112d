"""What the tests of evolution share: a small space, one table of algorithms, a way to drive the pure core."""

import contextlib
import dataclasses
import functools
import logging

import jax
import jax.numpy as jnp
import numpy as np

from evonas.evolution import (
    Members,
    Reaction,
    Structural,
    genetic_algorithm,
    nsga2,
    random_search,
    regularized_evolution,
)
from evonas.evolution.algorithm import BoundAlgorithm
from evonas.evolution.scores import FitnessAndNovelty, SharedFitness
from evonas.evolution.variation import ChangeEach, OrIdentity, TwoPoint
from evonas.spaces import BitString, Space
from evonas.types import NOBODY


@dataclasses.dataclass(frozen=True)
class Letters(Space):
    """Genes of different sizes, one of them without a choice."""

    sizes: tuple[int, ...] = (3, 5, 1, 4, 2, 6)

    @property
    def genes(self):
        return {f"gene{i}": tuple(range(size)) for i, size in enumerate(self.sizes)}

    def network(self, genome, *, rngs, **style):
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Constrained(BitString):
    """Only strings that begin with the given number of zeros are valid."""

    zeros: int = 2

    def is_valid(self, genome):
        return (genome[: self.zeros] == 0).all()


ALGORITHMS = {
    "random search": random_search(20),
    "aging evolution": regularized_evolution(20, 5),
    "non-aging evolution": regularized_evolution(20, 5, aging=False),
    "aging, novelty and reaction": regularized_evolution(
        20, 5, OrIdentity(), score=FitnessAndNovelty(), reaction=Reaction(0.3, 1, 0.1)
    ),
    "aging, shared fitness": regularized_evolution(20, 5, score=SharedFitness(0.2), distance=Structural()),
    "genetic algorithm": genetic_algorithm(20, 3),
    "genetic algorithm, two points": genetic_algorithm(20, 3, ChangeEach(0.05), TwoPoint(), elites=4),
    "genetic algorithm, crowding": genetic_algorithm(20, 3, crowding=True),
    "NSGA-II": nsga2(20),
    "NSGA-II with novelty": nsga2(20, novelty_objective=True),
}


@functools.cache
def compiled(algorithm, space):
    """The algorithm's functions on the space, jitted once for all tests."""
    bound = algorithm.bind(space)
    return BoundAlgorithm(bound.init, jax.jit(bound.ask, static_argnums=2), jax.jit(bound.tell))


def members(space, rows, distance, places=None):
    """Members of (genome, fitness numbers), ids from 0, and empty places after them."""
    places = places or len(rows)
    empty = places - len(rows)
    genomes = jnp.asarray([genome for genome, _ in rows] + [[0] * len(space.cardinalities)] * empty, jnp.int32)
    objectives = len(np.atleast_1d(rows[0][1]))
    fitness = [list(np.atleast_1d(fitness)) for _, fitness in rows] + [[-np.inf] * objectives] * empty
    return Members(
        ids=jnp.asarray([*range(len(rows)), *[NOBODY] * empty], jnp.int32),
        genomes=genomes,
        traits=jax.vmap(lambda genome: distance.traits(space, genome))(genomes),
        fitness=jnp.asarray(fitness, jnp.float32),
    )


def told(bound, key, fitness, *, objectives=1):
    """The state after founders of the given fitness ``[N]`` or ``[N, M]``."""
    fitness = jnp.asarray(fitness, jnp.float32).reshape(len(fitness), -1)
    founders, state = bound.ask(key, bound.init(key, objectives), len(fitness))
    return bound.tell(state, founders, fitness)


def assert_same(first, second):
    """Two trees of arrays are equal, bit for bit."""
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(one, other)


@contextlib.contextmanager
def compilations():
    """A list that fills with what JAX compiles inside."""
    messages = []

    class Collect(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("Compiling"):
                messages.append(record.getMessage())

    handler, logger = Collect(), logging.getLogger("jax")
    logger.addHandler(handler)
    try:
        with jax.log_compiles():
            yield messages
    finally:
        logger.removeHandler(handler)
