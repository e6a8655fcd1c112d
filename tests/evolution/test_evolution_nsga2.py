"""NSGA-II's ranking, crowding and survival against a reference that takes the papers' steps one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import Letters, compiled, told

from evonas.evolution import nsga2
from evonas.evolution.pareto import crowded_order, crowded_survivors, crowding_distance, pareto_rank
from evonas.evolution.scores import CrowdedParetoRank
from evonas.types import FAILED

SPACE = Letters()
KEY = jax.random.key(4)
SEEDS = range(60)

ranked, spaced, scored = jax.jit(pareto_rank), jax.jit(crowding_distance), jax.jit(crowded_order)
staying = jax.jit(crowded_survivors, static_argnums=2)


def dominates(first, second):
    return all(first >= second) and any(first > second)


def ranks(fitness):
    """Deb et al. 2002, III-A: those that nobody left dominates are the next front."""
    rank, left, front = np.zeros(len(fitness), int), set(range(len(fitness))), 0
    while left:
        free = {i for i in left if not any(dominates(fitness[j], fitness[i]) for j in left)}
        rank[list(free)] = front
        left, front = left - free, front + 1
    return rank


def crowding(fitness, rank):
    """Deb et al. 2002, III-B, on the different rows of each front, as Fortin and Parizeau 2013 have it."""
    distance = np.zeros(len(fitness), np.float32)
    for front in set(rank):
        different = sorted({tuple(row) for row in fitness[rank == front]})
        found = dict.fromkeys(different, np.float32(0))
        for objective in range(fitness.shape[1]):
            by_objective = sorted(different, key=lambda row, m=objective: row[m:] + row[:m])
            found[by_objective[0]] = found[by_objective[-1]] = np.float32(np.inf)
            for below, row, above in zip(by_objective, by_objective[1:], by_objective[2:], strict=False):
                spread = by_objective[-1][objective] - by_objective[0][objective]
                found[row] += (above[objective] - below[objective]) / (spread or np.float32(1))
        for i in np.flatnonzero(rank == front):
            distance[i] = found[tuple(fitness[i])]
    return distance


def survivors(fitness, ids, size):
    """Front by front; of the one that does not fit, one of each different row in turn, the least crowded first."""
    rank = ranks(fitness)
    distance = crowding(fitness, rank)
    stay = []
    for front in range(max(rank) + 1):
        left = sorted(np.flatnonzero(rank == front), key=lambda i: -ids[i])
        if len(stay) + len(left) <= size:
            stay += left
            continue
        while left:
            turn = {}
            for i in left:
                turn.setdefault(tuple(fitness[i]), i)
            stay += sorted(turn.values(), key=lambda i: (-distance[i], -ids[i]))
            left = [i for i in left if i not in turn.values()]
    return sorted(ids[stay[:size]])


def tied(seed, rows=24):
    """Rows of few different values, some of them failed, and their ids in no order."""
    rng = np.random.default_rng(seed)
    fitness = rng.integers(0, rng.integers(2, 9), (rows, rng.integers(1, 4))).astype(np.float32)
    fitness[rng.random(rows) < 0.1] = FAILED
    return fitness, rng.permutation(100)[:rows]


@pytest.mark.parametrize("seed", SEEDS)
def test_ranks_and_crowding_of_tied_rows_are_those_of_the_published_steps(seed):
    fitness, _ = tied(seed)
    np.testing.assert_array_equal(ranked(fitness), ranks(fitness))
    np.testing.assert_array_equal(spaced(fitness, ranked(fitness)), crowding(fitness, ranks(fitness)))


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_count_the_different_pairs_of_rank_and_distance_that_are_worse(seed):
    fitness, _ = tied(seed)
    rank = ranks(fitness)
    pairs = list(zip(-rank, crowding(fitness, rank), strict=True))
    expected = [sorted(set(pairs)).index(pair) for pair in pairs]
    assert scored(fitness).tolist() == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_survivors_of_tied_rows_are_those_of_the_published_steps(seed):
    fitness, ids = tied(seed)
    for size in (1, 6, 12, 24):
        assert sorted(ids[staying(fitness, ids, size)]) == survivors(fitness, ids, size)


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_the_rows_decides_nothing(seed):
    fitness, ids = tied(seed)
    shuffled = np.random.default_rng(seed).permutation(24)
    np.testing.assert_array_equal(scored(fitness[shuffled]), scored(fitness)[shuffled])
    again = staying(fitness[shuffled], ids[shuffled], 12)
    np.testing.assert_array_equal(ids[shuffled][again], ids[staying(fitness, ids, 12)])


@pytest.mark.parametrize("novelty_objective", [False, True])
def test_each_generation_is_what_the_published_steps_leave(novelty_objective):
    bound = compiled(nsga2(10, novelty_objective=novelty_objective), SPACE)
    score, distance = CrowdedParetoRank(novelty_objective), nsga2().distance
    state, rng = bound.init(KEY, 2), np.random.default_rng(0)
    for generation in range(8):
        candidates, state = bound.ask(KEY, state, 10)
        fitness = rng.integers(0, 3, (10, 2)).astype(np.float32)
        fitness[rng.random(10) < 0.2] = np.nan
        before, state = state, bound.tell(state, candidates, fitness)
        if generation:
            children = before.members.replace(
                ids=candidates.ids,
                genomes=candidates.genomes,
                traits=jax.vmap(lambda genome: distance.traits(SPACE, genome))(candidates.genomes),
                fitness=jnp.where(np.isnan(fitness), FAILED, fitness),
            )
            pool = jax.tree.map(lambda *columns: jnp.concatenate(columns), before.members, children)
            expected = survivors(np.asarray(score.objectives(pool, distance)), np.asarray(pool.ids), 10)
            assert sorted(state.members.ids.tolist()) == expected


def test_of_members_of_equal_fitness_each_is_as_often_a_parent():
    bound = compiled(nsga2(20, crossover=None), SPACE)
    candidates, _ = bound.ask(KEY, told(bound, KEY, [[1.0, 2.0]] * 20, objectives=2), 4000)
    share = np.bincount(np.asarray(candidates.parents[:, 0]), minlength=20) / 4000
    assert np.abs(share - 1 / 20).max() < 4 * np.sqrt(1 / 20 * 19 / 20 / 4000)


def test_on_a_plateau_the_children_take_over():
    bound = compiled(nsga2(6), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY, 2), 12)
    state = bound.tell(state, candidates, jnp.ones((12, 2)))
    assert sorted(state.members.ids.tolist()) == list(range(6, 12))


def test_repeats_of_the_ends_of_a_front_do_not_push_out_its_middle():
    fitness = jnp.array([[0.0, 4.0]] * 5 + [[4.0, 0.0]] * 5 + [[1.0, 3.0], [2.0, 2.0]])
    stay = staying(fitness, jnp.arange(12), 6).tolist()
    assert stay[:4] == [9, 4, 11, 10]
    assert stay[4:] == [8, 3]
