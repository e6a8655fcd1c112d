"""Distances, measures of diversity and the scores made of them, on examples worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import Letters, members

from evonas.evolution import Hamming, Structural, diversity, measure, novelty, pairwise
from evonas.evolution.diversity import mean_distance, niche_count
from evonas.evolution.scores import CrowdedParetoRank, Fitness, FitnessAndNovelty, SharedFitness
from evonas.genome import random_genome
from evonas.spaces import MLP, BitString, NASBench201
from evonas.types import FAILED

BITS = BitString(4)
# Distances: first to second 1/4, first to third 3/4, second to third 1/2. The fourth place is empty.
ROWS = [([0, 0, 0, 0], 1.0), ([0, 0, 0, 1], 2.0), ([0, 1, 1, 1], 3.0)]
THREE = members(BITS, ROWS, Hamming(), places=4)


@pytest.mark.parametrize("distance", [Hamming(), Structural()])
@pytest.mark.parametrize("space", [NASBench201(), MLP(max_depth=2), Letters()], ids=lambda space: type(space).__name__)
def test_a_distance_is_symmetric_from_0_to_1_and_0_between_equal_architectures(space, distance):
    keys = jax.random.split(jax.random.key(0), 300)
    genomes = jax.jit(jax.vmap(lambda key: random_genome(key, space.cardinalities)))(keys)
    forms = jax.jit(jax.vmap(space.canonical))(genomes)
    traits = jax.jit(jax.vmap(lambda genome: distance.traits(space, genome)))
    apart = np.asarray(jax.jit(lambda a, b: pairwise(distance, a, b))(traits(genomes), traits(genomes)))
    np.testing.assert_array_equal(apart, apart.T)
    assert apart.min() >= 0
    assert apart.max() <= 1
    assert apart.max() > 0.5
    same = np.asarray((forms[:, None] == forms[None]).all(-1))
    assert (apart[same] == 0).all()


def test_isomorphic_cells_are_at_distance_0():
    space = NASBench201()
    skipping, direct, by_node_1 = (
        jnp.asarray(space.parse(cell))
        for cell in (
            "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|",
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|none~2|",
        )
    )
    for distance in (Hamming(), Structural()):
        assert float(distance.between(distance.traits(space, skipping), distance.traits(space, direct))) == 0
    # The benchmark's folding tells a sum with a zero term apart; their paths are the same.
    assert float(Structural().between(space.structure(direct), space.structure(by_node_1))) == 0


def test_hamming_is_the_share_of_genes_and_structural_the_share_of_features():
    apart = pairwise(Hamming(), THREE.traits, THREE.traits)[:3, :3]
    np.testing.assert_array_equal(apart, [[0, 0.25, 0.75], [0.25, 0, 0.5], [0.75, 0.5, 0]])
    # Bray-Curtis: |1-0| + |2-4| over 1 + 2 + 4; two that are nothing are alike.
    assert float(Structural().between(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0]))) == pytest.approx(3 / 7)
    assert float(Structural().between(jnp.zeros(2), jnp.zeros(2))) == 0


@pytest.mark.parametrize(
    ("neighbours", "expected"),
    [(1, [0.25, 0.25, 0.5, 0]), (2, [0.5, 0.375, 0.625, 0]), (3, [0.5, 0.375, 0.625, 0]), (9, [0.5, 0.375, 0.625, 0])],
)
def test_novelty_is_the_mean_distance_to_the_nearest(neighbours, expected):
    np.testing.assert_allclose(novelty(THREE, Hamming(), neighbours), expected)


def test_a_niche_counts_its_neighbours_by_their_nearness():
    np.testing.assert_allclose(niche_count(THREE, Hamming(), 0.5), [1.5, 1.5, 1, 1])
    np.testing.assert_allclose(niche_count(THREE, Hamming(), 1.0), [2, 2.25, 1.75, 1])


def test_diversity_of_three_members_and_a_twin_equals_that_worked_out_by_hand():
    third = -(np.log2(1 / 3) / 3 + np.log2(2 / 3) * 2 / 3)
    measured = measure(THREE, Hamming(), BITS.cardinalities)
    np.testing.assert_allclose(measured, [0.5, 1, 3 / 4 * third], rtol=1e-6)
    twins = members(BITS, [*ROWS, ROWS[0]], Hamming(), places=6)
    # The six pairs: 1/4 twice, 3/4 twice, 1/2, 0. Shares of ones: 0, 1/4, 1/4, 1/2.
    quarter = -(np.log2(1 / 4) / 4 + np.log2(3 / 4) * 3 / 4)
    measured = measure(twins, Hamming(), BITS.cardinalities)
    np.testing.assert_allclose(measured, [2.5 / 6, 3 / 4, (2 * quarter + 1) / 4], rtol=1e-6)


def test_entropy_is_1_where_all_choices_are_equally_frequent_and_genes_without_choice_count_nothing():
    space = Letters((2, 1, 3))
    rows = [([a, 0, b], 0.0) for a in range(2) for b in range(3)]
    measured = measure(members(space, rows, Hamming()), Hamming(), space.cardinalities)
    assert float(measured.gene_entropy) == pytest.approx(1)


def test_nobody_and_one_alone_have_no_diversity():
    none = measure(THREE.replace(ids=jnp.full(4, -1)), Hamming(), BITS.cardinalities)
    assert [float(value) for value in none] == [0, 0, 0]
    one = members(BITS, ROWS[:1], Hamming(), places=3)
    assert [float(value) for value in measure(one, Hamming(), BITS.cardinalities)] == [0, 1, 0]
    assert float(mean_distance(one, Hamming())) == 0


def test_fitness_shared_in_a_niche_equals_that_worked_out_by_hand():
    # Above the worst, with a hundredth of the range: 0.02, 1.02, 2.02. Niches: 1.5, 1.5, 1.
    expected = [0.02 / 1.5, 1.02 / 1.5, 2.02, FAILED]
    np.testing.assert_allclose(SharedFitness(0.5)(THREE, Hamming()), expected, rtol=1e-5)


def test_ranks_of_fitness_and_novelty_are_weighed():
    # Ranks among four places, the empty one last: fitness 1/3, 2/3, 1; novelty 1/4, 1/4, 1/2: twice 1/2, then 1.
    score = FitnessAndNovelty(novelty_weight=0.25, neighbours=1)(THREE, Hamming())
    np.testing.assert_allclose(score, [0.25 + 0.125, 0.5 + 0.125, 1, FAILED], rtol=1e-6)


@pytest.mark.parametrize(
    "score", [Fitness(), SharedFitness(), FitnessAndNovelty(), CrowdedParetoRank(), CrowdedParetoRank(True)]
)
def test_who_failed_scores_minus_infinity_and_nobody_else_does(score):
    failed = members(BITS, [*ROWS, ([1, 1, 1, 1], -np.inf)], Hamming(), places=5)
    values = score(failed, Hamming())
    assert np.isfinite(values[:3]).all()
    assert values[3:].tolist() == [FAILED, FAILED]


def test_of_members_of_equal_fitness_the_one_in_an_empty_niche_has_the_highest_shared_fitness():
    rows = [([0, 0, 0, 0], 7.0)] * 3 + [([1, 1, 1, 1], 7.0)]
    shared = SharedFitness()(members(BITS, rows, Hamming()), Hamming())
    assert shared.tolist() == pytest.approx([0.01 / 3] * 3 + [0.01])


def test_novelty_as_an_objective_saves_the_outlier_from_the_last_front():
    rows = [([0, 0, 0, 0], 3.0), ([0, 0, 0, 1], 2.0), ([0, 0, 1, 0], 1.5), ([1, 1, 1, 1], 1.0)]
    four = members(BITS, rows, Hamming())
    assert int(CrowdedParetoRank()(four, Hamming())[3]) == 0
    assert int(CrowdedParetoRank(novelty_objective=True)(four, Hamming())[3]) >= 2


def test_a_large_population_is_measured_in_blocks_as_a_small_one_at_once(monkeypatch):
    space = BitString(8)
    genomes = jax.vmap(lambda key: random_genome(key, space.cardinalities))(jax.random.split(jax.random.key(0), 50))
    some = members(space, [(genome, -np.inf if row % 7 == 0 else 1.0) for row, genome in enumerate(genomes)], Hamming())

    def measures(some):
        return (
            novelty(some, Hamming(), 5),
            niche_count(some, Hamming(), 0.5),
            *measure(some, Hamming(), space.cardinalities),
        )

    at_once = measures(some)
    monkeypatch.setattr(diversity, "HELD", 600)
    program = jax.jit(measures).lower(some)
    assert "50x50" not in program.as_text()
    for blocks, whole in zip(program.compile()(some), at_once, strict=True):
        np.testing.assert_allclose(blocks, whole, rtol=1e-6)
