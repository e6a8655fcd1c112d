"""`Population` between calls: order, failures, objectives, records."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest

import evonas
from evonas.population.history import History
from evonas.population.rows import WIDTH
from evonas.types import Failure

CELLS = evonas.spaces.NASBench201()
BITS = evonas.spaces.BitString(12)


@dataclasses.dataclass(frozen=True)
class Far:
    """A mutation that leaves the space."""

    by: int

    def __call__(self, key, genome, space):
        del key, space
        return genome + self.by


def ones(candidates):
    return candidates.genomes.sum(1).astype(np.float32)


def started(algorithm=None, fitness=None, space=BITS, **settings):
    """Eight founders, told."""
    population = evonas.Population(space, algorithm or evonas.regularized_evolution(8, 3), **settings)
    founders = population.ask(8)
    population.tell(founders, ones(founders) if fitness is None else fitness)
    return population


def test_asks_and_tells_overlap_in_any_order_and_in_part():
    population = started()
    first, second = population.ask(4), population.ask(4)
    assert [*first.ids, *second.ids] == list(range(8, 16))
    population.tell(second[[3, 0]], [1.0, 2.0])
    population.tell(first[2], [3.0])
    assert population.pending.ids.tolist() == [8, 9, 11, 13, 14]
    population.tell(second[np.array([False, True, True, False])], [4.0, 5.0])
    population.tell(first[[0, 1, 3]], [6.0, 7.0, 8.0])
    assert population.pending is None
    assert population.evaluations == 16
    assert [record.id for record in population.records()[8:]] == [15, 12, 10, 13, 14, 8, 9, 11]
    assert [record.fitness for record in population.records()[8:]] == [(i,) for i in (1, 2, 3, 4, 5, 6, 7, 8)]


def test_nothing_is_told_of_no_candidates():
    population = started()
    candidates = population.ask(4)
    population.tell(candidates[[]], [])
    assert population.evaluations == 8
    assert len(population.pending) == 4
    assert repr(population).startswith("Population(BitString, seed=0: 8 told, 4 pending; best (")


def test_a_refused_tell_changes_nothing():
    population = started()
    pending = population.ask(4)
    state, evaluations = population.state, population.evaluations
    known = population.records()[0].id
    refusals = [
        (pending, [1.0], r"shape \[4\] or \[4, M\], got \(1,\)"),
        (pending, np.zeros((4, 2)), "earlier candidates were told 1 objectives, got 2"),
        (pending[[0, 1, 1]], [1.0, 2.0, 3.0], "candidate 9 is not pending"),
        (pending.replace(ids=np.array([8, 9, 10, 77])), np.zeros(4), "candidate 77 is not pending"),
        (pending.replace(ids=np.array([known, 9, 10, 11])), np.zeros(4), "candidate 0 is not pending"),
    ]
    for candidates, fitness, message in refusals:
        with pytest.raises(ValueError, match=message):
            population.tell(candidates, fitness)
    with pytest.raises(ValueError, match="one a candidate, 4 in all, got 1"):
        population.tell(pending, np.zeros(4), [Failure.DIVERGED])
    jax.tree.map(np.testing.assert_array_equal, population.state, state)
    assert population.evaluations == evaluations
    assert len(population.pending) == 4
    population.tell(pending, np.zeros(4))
    with pytest.raises(
        ValueError, match="candidate 8 is not pending: tell each candidate that was asked for exactly once"
    ):
        population.tell(pending, np.zeros(4))


def test_what_is_not_finite_failed_whatever_is_given_as_the_reason():
    population = evonas.Population(BITS, evonas.regularized_evolution(8, 3))
    reasons = [Failure.NONE, Failure.OUT_OF_MEMORY, Failure.NONE, Failure.INVALID, Failure.NONE]
    population.tell(population.ask(5), [np.nan, np.nan, np.inf, 9.0, 1.0], reasons)
    failures = [record.failure for record in population.records()]
    assert failures == ["diverged", "out of memory", "diverged", "invalid", ""]
    fitness = population.history.fitness[:, 0]
    assert np.isnan(fitness[:4]).all()
    assert population.best.id == 4
    assert population.best.fitness == (1.0,)


def test_there_is_no_best_of_failures_alone():
    population = evonas.Population(BITS, evonas.regularized_evolution(8, 3))
    with pytest.raises(ValueError, match="no candidate has a fitness yet: none was told"):
        _ = population.best
    population.tell(population.ask(2), [np.nan, -np.inf])
    with pytest.raises(ValueError, match="2 were told, and all of them failed"):
        _ = population.best
    assert population.pareto_front() == []


@pytest.mark.parametrize("aging", [True, False])
def test_failed_candidates_are_never_parents(aging):
    population = started(evonas.regularized_evolution(8, 3, aging=aging))
    rng = np.random.default_rng(0)
    for _ in range(30):
        candidates = population.ask(4)
        population.tell(candidates, np.where(rng.random(4) < 0.6, np.nan, ones(candidates)))
    failed = set(population.history.ids[np.isnan(population.history.fitness[:, 0])].tolist())
    parents = set(population.history.parents.ravel().tolist())
    assert failed
    assert not failed & parents


def test_of_equals_the_first_told_is_the_best():
    population = evonas.Population(BITS, evonas.regularized_evolution(8, 3))
    candidates = population.ask(4)
    population.tell(candidates[[2, 1]], [5.0, 5.0])
    population.tell(candidates[[0, 3]], [5.0, 4.0])
    assert population.best.id == 2


def test_the_best_is_of_the_history_not_of_the_living():
    population = started(fitness=[9.0] + [1.0] * 7)
    for _ in range(3):
        candidates = population.ask(4)
        population.tell(candidates, np.zeros(4))
    assert 0 not in population.state.members.ids
    assert population.best.id == 0


def test_several_objectives_give_a_front():
    fitness = [[3.0, 0.0], [0.0, 3.0], [2.0, 2.0], [1.0, 1.0], [2.0, 2.0], [np.nan, 9.0], [9.0, np.inf], [0.0, 0.0]]
    population = started(evonas.nsga2(8), fitness)
    assert [record.id for record in population.pareto_front()] == [0, 2, 4, 1]
    assert population.best.id == 0
    assert [record.failure for record in population.records()[5:7]] == ["diverged", "diverged"]
    assert np.isnan(population.records()[6].fitness).all()
    with pytest.raises(ValueError, match="told 2 objectives, got 1"):
        population.tell(population.ask(2), [1.0, 2.0])


def test_an_algorithm_of_one_objective_says_which_takes_several():
    population = evonas.Population(BITS, evonas.genetic_algorithm(8))
    with pytest.raises(ValueError, match=r"compares one objective, got 2; use evonas\.nsga2\(\)"):
        population.tell(population.ask(2), np.zeros((2, 2)))
    assert population.evaluations == 0


def test_records_lineage_and_table_agree():
    population = started(space=CELLS)
    for _ in range(4):
        candidates = population.ask(4)
        population.tell(candidates, ones(candidates))
    record = population.records()[-1]
    assert CELLS.parse(record.architecture).tolist() == record.genome.tolist()
    line = population.lineage(record.id)
    assert line[0].id == record.id
    assert line[-1].parents == ()
    assert line[-1].id < 8
    for child, parent in itertools.pairwise(line):
        assert child.parents == (parent.id,)
        assert (child.genome != parent.genome).sum() == 1
    with pytest.raises(ValueError, match="candidate 99 was not told"):
        population.lineage(99)
    table = population.to_dataframe()
    genes = [f"gene {name}" for name in CELLS.genes]
    assert list(table) == ["id", "architecture", "fitness", "parent", "second_parent", "failure", *genes]
    assert len(table) == 24
    assert table["architecture"].tolist() == [record.architecture for record in population.records()]
    np.testing.assert_array_equal(table[genes].to_numpy(), [record.genome for record in population.records()])
    assert list(started(evonas.nsga2(8), np.zeros((8, 2))).to_dataframe())[2:4] == ["fitness_0", "fitness_1"]


def test_diversity_is_recorded_once_a_population_of_evaluations():
    population = started(fitness=np.arange(8.0))
    assert [entry["evaluations"] for entry in population.generations] == [8]
    for n in (5, 2, 2, 20):
        population.tell(population.ask(n), np.zeros(n))
    assert [entry["evaluations"] for entry in population.generations] == [8, 17, 37]
    assert population.generations[-1] == {"evaluations": 37, **population.diversity()}
    assert all(0 <= value <= 1 for value in population.diversity().values())


@pytest.mark.parametrize("algorithm", [evonas.regularized_evolution(8, 3), evonas.random_search(8)])
def test_resampled_candidates_are_new_among_told_pending_and_each_other(algorithm):
    population = evonas.Population(CELLS, algorithm, duplicates="resample")
    forms, waiting = [], []
    for _ in range(12):
        candidates = population.ask(16)
        forms += [np.asarray(CELLS.canonical(genome)).tobytes() for genome in candidates.genomes]
        assert population.known(candidates).tolist() == candidates.ids.tolist()
        waiting.append(candidates)
        if len(waiting) > 2:  # Two batches stay pending.
            told = waiting.pop(0)
            population.tell(told, ones(told))
    assert len(set(forms)) == len(forms) == 192


def test_known_tells_who_had_an_architecture_first():
    population = evonas.Population(evonas.spaces.BitString(2), evonas.random_search(8))
    candidates = population.ask(16)
    first = {}
    for number, genome in enumerate(candidates.genomes):
        first.setdefault(tuple(genome), number)
    assert population.known(candidates).tolist() == [first[tuple(genome)] for genome in candidates.genomes]


def test_an_exhausted_space_repeats_instead_of_hanging():
    population = evonas.Population(evonas.spaces.BitString(2), evonas.random_search(8), duplicates="resample")
    assert len(population.ask(16)) == 16


@pytest.mark.parametrize("duplicates", ["allow", "resample"])
@pytest.mark.parametrize("by", [2, -2])
def test_a_mutation_that_leaves_the_space_is_refused(by, duplicates):
    population = started(evonas.regularized_evolution(8, 3, Far(by)), duplicates=duplicates)
    with pytest.raises(ValueError, match=r"a genome outside the space .*: gene '\w+' is -?[123]; BitString"):
        population.ask(1)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: evonas.Population(BITS, evonas.nsga2(8)).ask(0), "at least 1 candidate, got 0"),
        (lambda: evonas.Population(BITS, evonas.nsga2(8), duplicates="forbid"), "got 'forbid'"),
    ],
)
def test_arguments_without_sense_are_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_a_record_of_the_largest_space_takes_under_200_bytes_of_what_is_reserved():
    for space in (evonas.spaces.MLP(), evonas.spaces.MacroCNN(), CELLS, evonas.spaces.BitString(100)):
        history = History(space.cardinalities)
        candidates = np.zeros((1000, WIDTH + len(space.cardinalities)), np.int32)
        history.append(candidates, np.zeros((1000, 1)), np.zeros(1000, np.uint8))
        assert sum(column.nbytes for column in history.to_arrays().values()) < 200 * len(history)


def test_histories_survive_growing():
    population = evonas.Population(BITS, evonas.random_search(8))
    for _ in range(20):
        candidates = population.ask(8)
        population.tell(candidates, ones(candidates))
    history = population.history
    assert history.ids.tolist() == list(range(160))
    np.testing.assert_array_equal(history.fitness[:, 0], history.genomes.sum(1))


def test_a_tell_that_is_refused_changes_nothing():
    population = evonas.Population(evonas.spaces.BitString(dim=8), evonas.regularized_evolution(4, 2), seed=np.int64(1))
    candidates = population.ask(4)
    other = evonas.Population(evonas.spaces.BitString(dim=8), evonas.regularized_evolution(4, 2), seed=2).ask(4)
    for mistaken, match in [
        (lambda: population.tell(candidates, np.zeros((4, 0))), "shape"),
        (lambda: population.tell(candidates, range(4), ["", "", "", "oom"]), "a failure is one of"),
        (lambda: population.tell(other, range(4)), "another genome"),
    ]:
        with pytest.raises(ValueError, match=match):
            mistaken()
    assert population.evaluations == int(population.state.told) == 0
    assert len(list(candidates)) == 4
    population.tell(candidates, range(4))
    assert population.best.fitness == (3.0,)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be an integer from 0"):
        evonas.Population(evonas.spaces.BitString(dim=8), evonas.random_search(), seed=seed)
