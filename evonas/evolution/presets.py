"""The named algorithms, each a short binding of the engine's slots."""

from __future__ import annotations

from evonas.evolution.algorithm import Algorithm
from evonas.evolution.distance import Distance, Hamming
from evonas.evolution.reproduction import Reaction, Reproduction
from evonas.evolution.scores import CrowdedParetoRank, Fitness, Score
from evonas.evolution.survival import Crowding, Elitist, NonDominated, Oldest, WorstOfSample
from evonas.evolution.variation import Crossover, Mutation, SpaceMutation, Uniform


def regularized_evolution(
    population_size: int = 100,
    sample_size: int = 25,
    mutation: Mutation = SpaceMutation(),
    *,
    aging: bool = True,
    score: Score = Fitness(),
    reaction: Reaction | None = None,
    distance: Distance = Hamming(),
) -> Algorithm:
    """Regularized (aging) evolution: Real et al. 2019, Algorithm 1.

    The parent is the best of a sample drawn with replacement; its one mutated child enters, and the oldest member
    leaves. P and S are by default the paper's, whose mutation of `evonas.spaces.NASNet` is `OrIdentity()`.

    Args:
        population_size: members, and random founders (P).
        sample_size: of the tournament (S).
        mutation: of the parent; presets in `evonas.variation`.
        aging: False for the paper's non-aging twin, in which the worst of the sample leaves.
        score: what the tournament compares; `evonas.scores` has diversity-aware ones.
        reaction: what is done when the population grows alike.
        distance: what diversity is measured by.
    """
    survive = Oldest() if aging else WorstOfSample()
    reproduce = Reproduction(sample_size=sample_size, mutation=mutation, score=score, reaction=reaction)
    return Algorithm(population_size, reproduce, survive, distance)


def random_search(population_size: int = 100) -> Algorithm:
    """Every candidate random; the population is the last ``population_size`` of them."""
    return Algorithm(population_size, reproduce=None)


def genetic_algorithm(
    population_size: int = 100,
    sample_size: int = 2,
    mutation: Mutation = SpaceMutation(),
    crossover: Crossover = Uniform(),
    *,
    crossover_probability: float = 0.9,
    elites: int = 1,
    score: Score = Fitness(),
    reaction: Reaction | None = None,
    distance: Distance = Hamming(),
    crowding: bool = False,
) -> Algorithm:
    """Generational genetic algorithm with elitism; with ``crowding``, each child competes with its likest instead.

    Args:
        population_size: members, and random founders.
        sample_size: of the tournament for each parent.
        mutation: of every child.
        crossover: of two parents.
        crossover_probability: share of the children that have two parents.
        elites: best members that live on into the next generation; not read with ``crowding``.
        score: what the tournament compares.
        reaction: what is done when the population grows alike.
        distance: what diversity is measured by.
        crowding: children enter one by one, each in place of the most similar member if that is not better.
    """
    reproduce = Reproduction(sample_size, mutation, crossover, crossover_probability, score, reaction)
    survive = Crowding() if crowding else Elitist(elites)
    return Algorithm(population_size, reproduce, survive, distance)


def nsga2(
    population_size: int = 100,
    mutation: Mutation = SpaceMutation(),
    crossover: Crossover | None = Uniform(),
    *,
    crossover_probability: float = 0.9,
    novelty_objective: bool = False,
    reaction: Reaction | None = None,
    distance: Distance = Hamming(),
) -> Algorithm:
    """NSGA-II: Deb et al. 2002. Binary tournaments by Pareto rank and crowding; parents and children compete.

    Members of equal fitness share their crowding distance, and one of each different fitness stays before a second
    of any: Fortin and Parizeau 2013.

    Args:
        population_size: members, random founders, and children of a generation.
        mutation: of every child.
        crossover: of two parents, or None.
        crossover_probability: share of the children that have two parents.
        novelty_objective: whether the mean distance to the nearest members is one more objective.
        reaction: what is done when the population grows alike.
        distance: what diversity is measured by.
    """
    score = CrowdedParetoRank(novelty_objective)
    reproduce = Reproduction(2, mutation, crossover, crossover_probability, score, reaction)
    return Algorithm(population_size, reproduce, NonDominated(score), distance, several_objectives=True)
