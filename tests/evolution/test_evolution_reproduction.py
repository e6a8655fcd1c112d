"""How a child comes about: mutation presets, crossovers, constraints, reaction to a loss of diversity."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import Constrained, Letters, compiled, members

import evonas
from evonas.evolution import Reaction, genetic_algorithm, regularized_evolution
from evonas.evolution.scores import CrowdedParetoRank
from evonas.evolution.survival import NonDominated, Oldest
from evonas.evolution.variation import (
    ChangeEach,
    ChangeOne,
    OnePoint,
    OrIdentity,
    RedrawOne,
    SpaceCrossover,
    SpaceMutation,
    TwoPoint,
    Uniform,
)
from evonas.spaces import BitString
from evonas.types import NOBODY

KEY = jax.random.key(2)
N = 4000
LETTERS = Letters()
START = jnp.array([1, 4, 0, 2, 1, 3])


def mutants(mutation, genome=START, space=LETTERS):
    draw = jax.jit(jax.vmap(lambda key: mutation(key, genome, space)))
    return np.asarray(draw(jax.random.split(KEY, N)))


def within(share, expected, draws=N):
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / draws) + 1e-12


@pytest.mark.parametrize("mutation", [SpaceMutation(), ChangeOne()])
def test_change_one_changes_one_gene_that_has_a_choice_to_any_other_value(mutation):
    children = mutants(mutation)
    changed = children != np.asarray(START)
    assert (changed.sum(1) == 1).all()
    for gene, size in enumerate(LETTERS.sizes):
        assert within(changed[:, gene].mean(), 0 if size == 1 else 1 / 5)
        assert set(children[:, gene]) == set(range(size))


def test_redraw_one_keeps_the_value_as_often_as_any_other():
    changed = mutants(RedrawOne()) != np.asarray(START)
    assert changed.sum(1).max() == 1
    assert within((~changed.any(1)).mean(), np.mean([1 / size for size in LETTERS.sizes]))


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_change_each_changes_every_gene_by_itself(probability):
    changed = mutants(ChangeEach(probability)) != np.asarray(START)
    for gene, size in enumerate(LETTERS.sizes):
        assert within(changed[:, gene].mean(), probability if size > 1 else 0)
    assert within((changed[:, 0] & changed[:, 5]).mean(), probability**2)


def test_or_identity_changes_nothing_at_times():
    changed = (mutants(OrIdentity(ChangeOne(), 0.2)) != np.asarray(START)).sum(1)
    assert set(changed) == {0, 1}
    assert within((changed == 0).mean(), 0.2)


def crosses(crossover, length=6):
    first, second = jnp.zeros(length, jnp.int32), jnp.ones(length, jnp.int32)
    draw = jax.jit(jax.vmap(lambda key: crossover(key, first, second, BitString(length))))
    return np.asarray(draw(jax.random.split(KEY, N)))


@pytest.mark.parametrize("crossover", [Uniform(), SpaceCrossover()])
def test_uniform_crossover_takes_each_gene_from_either_parent_by_itself(crossover):
    children = crosses(crossover)
    assert all(within(share, 0.5) for share in children.mean(0))
    assert len(np.unique(children, axis=0)) == 64


def test_one_point_crossover_gives_every_head_and_tail_but_no_copy():
    children = np.unique(crosses(OnePoint()), axis=0).tolist()
    assert children == sorted([0] * cut + [1] * (6 - cut) for cut in range(1, 6))


def test_two_point_crossover_gives_every_segment_of_the_ring_but_no_copy():
    found = {tuple(child) for child in crosses(TwoPoint())}
    ring = {tuple(int((i - start) % 6 < size) for i in range(6)) for start in range(6) for size in range(1, 6)}
    assert found == ring


def children_of(algorithm, space, rows, n=N):
    """Children of a full population of the given (genome, fitness)."""
    bound = compiled(algorithm, space)
    size = algorithm.population_size
    state = bound.init(KEY).replace(
        members=members(space, rows, algorithm.distance), asked=jnp.int32(size), told=jnp.int32(size)
    )
    return bound.ask(KEY, state, n)[0]


ALIKE = [([0] * 50, 1.0)] * 4
APART = [([i % 2] * 50, 1.0) for i in range(4)]


def flips(candidates):
    """How many bits lie between each child and the uniform string that it comes from."""
    ones = np.asarray(candidates.genomes).sum(1)
    return np.minimum(ones, 50 - ones)


def test_above_the_threshold_nothing_is_done_against_a_loss_of_diversity():
    reacting = regularized_evolution(4, 2, reaction=Reaction(0.2, extra_mutations=2, immigrant_share=0.5))
    candidates = children_of(reacting, BitString(50), APART)
    assert (flips(candidates) == 1).all()
    assert (candidates.parents[:, 0] != NOBODY).all()


def test_below_the_threshold_children_mutate_more_each_time_anew():
    reacting = regularized_evolution(4, 2, reaction=Reaction(0.2, extra_mutations=2))
    count = flips(children_of(reacting, BitString(50), ALIKE))
    assert set(count) == {1, 3}
    assert within((count == 3).mean(), 49 / 50 * 48 / 50)
    assert (flips(children_of(regularized_evolution(4, 2), BitString(50), ALIKE)) == 1).all()


def test_below_the_threshold_a_share_of_the_children_are_immigrants():
    reacting = regularized_evolution(4, 2, reaction=Reaction(0.2, extra_mutations=0, immigrant_share=0.3))
    candidates = children_of(reacting, BitString(50), ALIKE)
    immigrant = np.asarray(candidates.parents[:, 0] == NOBODY)
    assert within(immigrant.mean(), 0.3)
    assert (flips(candidates)[~immigrant] == 1).all()
    assert abs(candidates.genomes[immigrant].mean() - 0.5) < 0.01


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_the_crossover_probability_is_the_share_of_children_with_two_parents(probability):
    # Two tournaments of one member each meet in the same of four members a quarter of the time.
    algorithm = genetic_algorithm(4, 1, crossover_probability=probability)
    parents = np.asarray(children_of(algorithm, BitString(50), APART).parents)
    assert within((parents[:, 1] != NOBODY).mean(), probability * 3 / 4)
    assert (parents[:, 0] != parents[:, 1]).all()


def test_founders_and_children_are_drawn_again_until_they_are_valid():
    space = Constrained(10)
    bound = compiled(regularized_evolution(300, 5), space)
    founders, state = bound.ask(KEY, bound.init(KEY), 300)
    assert (founders.genomes[:, :2] == 0).all()
    assert abs(founders.genomes[:, 2:].mean() - 0.5) < 0.05
    children, _ = bound.ask(KEY, bound.tell(state, founders, jnp.ones((300, 1))), 300)
    assert (children.genomes[:, :2] == 0).all()
    genomes = np.asarray(founders.genomes)[np.asarray(children.parents[:, 0])]
    assert ((genomes != np.asarray(children.genomes)).sum(1) == 1).all()


@dataclasses.dataclass(frozen=True)
class OnlyOne(BitString):
    """A single valid genome."""

    def sample(self, key):
        del key
        return jnp.zeros(self.dim, jnp.int32)

    def is_valid(self, genome):
        return genome.sum() == 0


def test_where_no_child_is_valid_the_parent_is_proposed_again():
    candidates = children_of(regularized_evolution(4, 2), OnlyOne(6), [([0] * 6, 1.0)] * 4, 50)
    assert (candidates.genomes == 0).all()


def test_elites_must_leave_room_for_children():
    with pytest.raises(ValueError, match="elites must be less than the population of 4, got 4"):
        genetic_algorithm(4, elites=4)


@pytest.mark.parametrize("elites", [-1, 1.5, "1", True])
def test_elites_must_be_a_count(elites):
    with pytest.raises(ValueError, match=rf"Elitist\.elites must be an integer of at least 0, got {elites!r}"):
        genetic_algorithm(4, elites=elites)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: evonas.variation.ChangeEach(1.5), "probability"),
        (lambda: evonas.variation.OrIdentity(probability=-0.1), "probability"),
        (lambda: evonas.genetic_algorithm(crossover_probability=2), "crossover_probability"),
        (lambda: evonas.scores.FitnessAndNovelty(novelty_weight=float("nan")), "novelty_weight"),
        (lambda: evonas.scores.FitnessAndNovelty(novelty_weight=None), "novelty_weight"),
        (lambda: evonas.variation.ChangeEach("0.5"), "probability"),
        (lambda: evonas.Reaction(threshold=7), "threshold"),
        (lambda: evonas.Reaction(immigrant_share="all"), "immigrant_share"),
    ],
)
def test_a_share_out_of_range_is_refused(make, name):
    with pytest.raises(ValueError, match=f"{name} must be a number from 0 to 1, got"):
        make()


@pytest.mark.parametrize("radius", [0, -0.1, float("inf"), float("nan"), "0.3"])
def test_a_radius_of_niches_must_be_positive(radius):
    with pytest.raises(
        ValueError, match=rf"SharedFitness\.radius must be a finite number greater than 0, got {radius!r}"
    ):
        evonas.scores.SharedFitness(radius)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: regularized_evolution(distance=evonas.Hamming),
            r"Algorithm\.distance .* as evonas\.Hamming\(\), got <cl",
        ),
        (lambda: regularized_evolution(distance=None), r"Algorithm\.distance .* as evonas\.Hamming\(\), got None"),
        (
            lambda: evonas.Algorithm(8, reproduce=ChangeOne()),
            r"Algorithm\.reproduce .*Reproduction\(\) or None, got Ch",
        ),
        (lambda: evonas.Algorithm(8, survive=Oldest), r"Algorithm\.survive .*Oldest\(\), got <class"),
        (lambda: NonDominated(CrowdedParetoRank), r"NonDominated\.score .*CrowdedParetoRank\(\), got <class"),
        (lambda: regularized_evolution(reaction=0.2), r"Reproduction\.reaction .*0\.2\) or None, got 0\.2"),
        (lambda: regularized_evolution(mutation=ChangeOne), r"Reproduction\.mutation .*ChangeOne\(\), got <class"),
        (lambda: genetic_algorithm(crossover="uniform"), r"Reproduction\.crossover .*\(\) or None, got 'uniform'"),
        (lambda: genetic_algorithm(score=evonas.scores.Fitness), r"Reproduction\.score .*Fitness\(\), got <class"),
        (lambda: OrIdentity(ChangeOne), r"OrIdentity\.mutation .*ChangeOne\(\), got <class"),
    ],
)
def test_a_part_that_is_no_object_of_its_kind_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_functions_will_do_as_parts_of_an_algorithm():
    algorithm = regularized_evolution(4, 2, lambda _, genome, space: jnp.full_like(genome, space.dim))
    assert (children_of(algorithm, BitString(50), ALIKE, 3).genomes == 50).all()
