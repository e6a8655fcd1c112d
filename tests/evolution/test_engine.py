"""The engine against plain Python, and what holds for every named algorithm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import evonas
from evonas.evolution import BoundAlgorithm, pairwise, pareto_front
from evonas.evolution.diversity import measure, niche_count, novelty
from evonas.evolution.pareto import crowding_distance, pareto_rank
from evonas.evolution.state import Members
from evonas.types import FAILED, NOBODY

SPACE = evonas.spaces.NASBench201()
KEY = jax.random.key(7)
ALGORITHMS = {
    "regularized evolution": evonas.regularized_evolution(10, 3),
    "non-aging": evonas.regularized_evolution(10, 3, aging=False),
    "novelty": evonas.regularized_evolution(10, 3, score=evonas.scores.FitnessAndNovelty()),
    "sharing": evonas.regularized_evolution(10, 3, score=evonas.scores.SharedFitness()),
    "reaction": evonas.regularized_evolution(10, 3, reaction=evonas.Reaction(0.5, immigrant_share=0.5)),
    "genetic algorithm": evonas.genetic_algorithm(10),
    "crowding": evonas.genetic_algorithm(10, crowding=True),
    "nsga2": evonas.nsga2(10, novelty_objective=True),
    "random search": evonas.random_search(10),
}


def convolutions(genomes):
    return (np.asarray(genomes) == 3).sum(-1).astype(np.float32)


def bind(algorithm) -> BoundAlgorithm:
    bound = algorithm.bind(SPACE)
    return BoundAlgorithm(bound.init, jax.jit(bound.ask, static_argnums=2), jax.jit(bound.tell))


def run(bound, evaluations, batch=1):
    state, told = bound.init(KEY), []
    while len(told) < evaluations:
        candidates, state = bound.ask(KEY, state, batch)
        fitness = convolutions(candidates.genomes)
        state = bound.tell(state, candidates, fitness[:, None])
        told += list(
            zip(np.asarray(candidates.ids), np.asarray(candidates.genomes), np.asarray(candidates.parents), strict=True)
        )
    return state, told


def test_aging_keeps_the_last_told_and_each_child_changes_one_gene_of_a_living_parent() -> None:
    state, told = run(bind(ALGORITHMS["regularized evolution"]), 60)
    assert set(np.asarray(state.members.ids).tolist()) == set(range(50, 60))
    genomes = {int(i): genome for i, genome, _ in told}
    for candidate, genome, parents in told[10:]:
        assert candidate - 10 <= parents[0] < candidate
        assert (genome != genomes[int(parents[0])]).sum() == 1


def test_founders_have_no_parents() -> None:
    _, told = run(bind(ALGORITHMS["regularized evolution"]), 12)
    assert all((parents == NOBODY).all() for _, _, parents in told[:10])
    assert all(parents[0] != NOBODY for _, _, parents in told[10:])


def test_non_aging_evolution_never_loses_its_best() -> None:
    state, told = run(bind(ALGORITHMS["non-aging"]), 80)
    best = max(convolutions(genome) for _, genome, _ in told)
    assert float(state.members.fitness.max()) == best


@pytest.mark.parametrize("name", ALGORITHMS)
def test_proposals_do_not_depend_on_how_many_are_asked_for(name: str) -> None:
    bound = bind(ALGORITHMS[name])
    state, _ = run(bound, 24, batch=8)
    together, _ = bound.ask(KEY, state, 4)
    for row in range(4):
        one, state = bound.ask(KEY, state, 1)
        np.testing.assert_array_equal(one.genomes[0], together.genomes[row])


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_told_in_parts_equals_told_at_once_and_padding_is_passed_over(name: str) -> None:
    bound = bind(ALGORITHMS[name])
    state, _ = run(bound, 16, batch=8)
    candidates, state = bound.ask(KEY, state, 6)
    fitness = convolutions(candidates.genomes)[:, None]
    at_once = bound.tell(state, candidates, fitness)
    parts = bound.tell(bound.tell(state, candidates[:2], fitness[:2]), candidates[2:], fitness[2:])
    padded = candidates.replace(ids=candidates.ids.at[4:].set(NOBODY))
    four = bound.tell(state, candidates[:4], fitness[:4])
    for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(parts), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(jax.tree.leaves(four), jax.tree.leaves(bound.tell(state, padded, fitness)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random search"])
def test_every_algorithm_beats_random_search(name: str) -> None:
    settings = {"evaluations": 120, "repeats": 20}

    def fitness(key, genome):
        del key
        return (genome == 3).sum()

    found = evonas.simulate(SPACE, ALGORITHMS[name], fitness, **settings)
    random = evonas.simulate(SPACE, ALGORITHMS["random search"], fitness, **settings)
    assert (np.diff(found, axis=1) >= 0).all()
    assert found[:, -1].mean() > random[:, -1].mean()
    np.testing.assert_array_equal(found, evonas.simulate(SPACE, ALGORITHMS[name], fitness, **settings))


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random search"])
def test_a_failed_member_is_never_a_parent(name: str) -> None:
    bound = bind(ALGORITHMS[name])
    candidates, state = bound.ask(KEY, bound.init(KEY), 10)
    state = bound.tell(state, candidates, jnp.full((10, 1), jnp.nan).at[3].set(-5.0))
    children, _ = bound.ask(KEY, state, 50)
    assert set(np.asarray(children.parents).ravel().tolist()) <= {3, NOBODY}


def test_the_toy_problem_gives_the_authors_distribution() -> None:
    space = evonas.spaces.BitString(100)
    curves = evonas.simulate(
        space, evonas.regularized_evolution(100, 10), space.noisy_accuracy, evaluations=1000, repeats=100
    )
    assert abs(curves[:, -1].mean() - 0.909) < 3 * 0.019 / 10
    assert abs(curves[:, -1].std() - 0.019) < 0.006


def members(genomes, fitness) -> Members:
    filled = len(fitness)
    empty = len(genomes) - filled
    ids = np.r_[np.arange(filled), np.full(empty, NOBODY)].astype(np.int32)
    values = np.r_[fitness, np.full(empty, FAILED)].astype(np.float32)[:, None]
    return Members(jnp.asarray(ids), jnp.asarray(genomes), jnp.asarray(genomes), jnp.asarray(values))


def test_diversity_measures_equal_hand_computed_ones() -> None:
    alike = members(np.array([[0, 0], [0, 0], [0, 1], [1, 1]]), [1.0, 2.0, 3.0])
    measured = measure(alike, evonas.Hamming(), (2, 2))
    assert float(measured.mean_distance) == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert float(measured.unique_share) == pytest.approx(2 / 3)
    share = np.array([2 / 3, 1 / 3])
    assert float(measured.gene_entropy) == pytest.approx(-(share * np.log(share)).sum() / np.log(2) / 2, abs=1e-6)
    np.testing.assert_allclose(novelty(alike, evonas.Hamming(), 2), [0.25, 0.25, 0.5, 0.0])
    np.testing.assert_allclose(niche_count(alike, evonas.Hamming(), 1.0)[:3], [2.5, 2.5, 2.0])


def test_structural_distance_sees_that_isomorphic_cells_are_equal() -> None:
    first = SPACE.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
    second = SPACE.parse("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|nor_conv_1x1~2|")
    distance = evonas.Structural()
    traits = jnp.stack([distance.traits(SPACE, jnp.asarray(genome)) for genome in (first, second, [3] * 6)])
    apart = pairwise(distance, traits, traits)
    assert float(apart[0, 1]) == 0
    assert 0 < float(apart[0, 2]) <= 1


def test_pareto_front_and_ranks_equal_brute_force() -> None:
    fitness = np.random.default_rng(0).integers(0, 6, (60, 3)).astype(np.float32)
    dominated = ((fitness[:, None] >= fitness).all(-1) & (fitness[:, None] > fitness).any(-1)).any(0)
    np.testing.assert_array_equal(pareto_front(fitness), ~dominated)
    rank, left, front = np.zeros(60, int), np.arange(60), 0
    while left.size:
        keep = pareto_front(fitness[left])
        rank[left[keep]] = front
        left, front = left[~keep], front + 1
    np.testing.assert_array_equal(pareto_rank(jnp.asarray(fitness)), rank)


def test_crowding_distance_of_a_hand_computed_front() -> None:
    fitness = jnp.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])
    np.testing.assert_allclose(crowding_distance(fitness, jnp.zeros(3, jnp.int32)), [np.inf, 2.0, np.inf])
