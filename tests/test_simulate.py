"""Whole searches as one scan, many repeats as one vmap: shapes, failures, and the published numbers."""

import dataclasses
import functools
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import evonas
from evonas.genome import enumerate_genomes, genome_index
from evonas.simulate import Clock

BITS = evonas.spaces.BitString(10)
ONES = enumerate_genomes(BITS.cardinalities).sum(1) / 10
SMALL = evonas.regularized_evolution(10, 3)
run = functools.partial(evonas.simulate, BITS, SMALL, evaluations=40, repeats=6)


@pytest.fixture(scope="module")
def curves():
    return run(ONES)


def test_there_is_one_curve_a_repeat_and_it_never_falls(curves):
    assert curves.shape == (6, 40)
    assert curves.dtype == np.float32
    assert (np.diff(curves, axis=1) >= 0).all()
    assert len(np.unique(curves, axis=0)) == 6


def test_more_repeats_leave_the_first_ones_as_they_are(curves):
    np.testing.assert_array_equal(run(ONES, repeats=2), curves[:2])


def test_a_table_and_a_function_of_the_same_numbers_give_the_same_curves(curves):
    np.testing.assert_allclose(run(lambda _, genome: BITS.accuracy(genome)), curves, rtol=1e-6)


def test_a_curve_is_that_of_ask_and_tell_by_hand(curves):
    key = jax.random.fold_in(jax.random.key(0), 0)
    bound = SMALL.bind(BITS)
    ask, tell = jax.jit(bound.ask, static_argnums=2), jax.jit(bound.tell)
    state, fitness = bound.init(key), []
    for _ in range(40):
        candidate, state = ask(key, state, 1)
        fitness.append(np.float32(ONES[int(genome_index(candidate.genomes[0], BITS.cardinalities))]))
        state = tell(state, candidate, jnp.full((1, 1), fitness[-1]))
    np.testing.assert_array_equal(curves[0], np.maximum.accumulate(fitness))


def test_failed_evaluations_never_win():
    broken = np.where(ONES > 0.55, np.nan, ONES)
    assert run(broken).max() == np.float32(0.5)
    infinite = np.where(ONES > 0.55, np.inf, ONES)
    np.testing.assert_array_equal(run(infinite), run(broken))


def test_where_all_fail_there_is_no_best():
    assert (run(np.full(1024, np.nan), reported=ONES) == -np.inf).all()


def test_what_is_reported_is_read_for_the_best_by_fitness(curves):
    np.testing.assert_allclose(run(ONES, reported=1 - ONES), 1 - curves, atol=1e-6)


def test_resampling_repeats_no_architecture_until_the_space_is_exhausted():
    space = evonas.spaces.BitString(5)
    table = np.arange(32.0)
    # The best is the last of 32: random search meets all of them, and in 32 evaluations only without a repeat.
    random = functools.partial(evonas.simulate, space, evonas.random_search(4), evaluations=32, repeats=300)
    without, with_repeats = random(table, duplicates="resample"), random(table)
    seen = [(curves[:, 15] == 31).mean() for curves in (without, with_repeats)]
    assert abs(seen[0] - 16 / 32) < 4 * np.sqrt(0.25 / 300)
    assert abs(seen[1] - (1 - (31 / 32) ** 16)) < 4 * np.sqrt(0.25 / 300)


def test_resampling_goes_by_canonical_form():
    class Pairs(evonas.spaces.BitString):
        """A string and its complement mean the same."""

        def canonical(self, genome):
            return jnp.where(genome[0] == 1, 1 - genome, genome)

    space, visits = Pairs(8), []

    def fitness(key, genome):
        del key
        jax.debug.callback(lambda genome: visits.append(genome), genome, ordered=False)
        return genome.mean()

    # Reported from a table, or the function would be called for that as well.
    evonas.simulate(
        space,
        evonas.random_search(4),
        fitness,
        reported=np.zeros(256),
        evaluations=40,
        repeats=1,
        duplicates="resample",
    )
    jax.effects_barrier()
    forms = {tuple(np.asarray(space.canonical(genome)).tolist()) for genome in visits}
    assert len(visits) == 40
    assert len(forms) == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": ONES[:-1]}, r"each of its 1024 genomes; got shape \(1023,\)"),
        ({"table": lambda genome: genome.sum()}, "called with a key and a genome: too many positional arguments"),
        ({"table": lambda _, genome: genome}, r"must give one number, for one genome, got shape \(10,\)"),
        ({"reported": lambda _, genome: genome}, r"must give one number, for one genome, got shape \(10,\)"),
        ({"reported": ONES[None]}, r"got shape \(1, 1024\)"),
        ({"evaluations": 0}, "evaluations must be an integer of at least 1, got 0"),
        ({"evaluations": 2.5}, "evaluations must be an integer of at least 1, got 2.5"),
        ({"repeats": 0}, "repeats must be an integer of at least 1, got 0"),
        ({"repeats": "6"}, "repeats must be an integer of at least 1, got '6'"),
        ({"clock": 12_000}, "clock must be .*Clock"),
        ({"duplicates": "forbid"}, '"allow" or "resample", got \'forbid\''),
    ],
)
def test_arguments_without_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        run(**{"table": ONES, **change})


def test_a_space_too_large_to_list_is_not_resampled_silently():
    space = evonas.spaces.BitString(100)
    with pytest.raises(ValueError, match="fewer than 2\\^31"):
        evonas.simulate(space, SMALL, space.noisy_accuracy, evaluations=5, repeats=1, duplicates="resample")


@pytest.mark.slow
def test_the_toy_problem_gives_the_published_accuracies():
    # Real et al.'s notebook: noisy accuracy of the best 0.909 +- 0.019, its true accuracy 0.891 +- 0.020.
    space, algorithm, repeats = evonas.spaces.BitString(100), evonas.regularized_evolution(100, 10), 200
    toy = functools.partial(evonas.simulate, space, algorithm, space.noisy_accuracy, evaluations=1000, repeats=repeats)
    true = toy(reported=lambda _, genome: space.accuracy(genome))
    for curves, mean, deviation in ((toy(), 0.909, 0.019), (true, 0.891, 0.020)):
        assert abs(curves[:, -1].mean() - mean) < 4 * deviation / np.sqrt(repeats)
        assert abs(curves[:, -1].std() / deviation - 1) < 4 / np.sqrt(2 * repeats)


@pytest.mark.parametrize(
    ("algorithm", "mean", "deviation"),
    [(evonas.random_search(10), 93.68, 0.35), (evonas.regularized_evolution(10, 3), 93.94, 0.40)],
    ids=["random search", "regularized evolution"],
)
def test_100_evaluations_of_nas_bench_201_give_the_published_test_accuracy(algorithm, mean, deviation, shared):
    path, repeats = shared / "data/nas_tables/nasbench201.npz", 500
    seen, test = (evonas.tables.nasbench201(path, column) for column in ("val_acc_12", "test_acc_200"))
    space = evonas.spaces.NASBench201()
    curves = evonas.simulate(space, algorithm, seen, reported=test, evaluations=100, repeats=repeats)
    # The published means are themselves of some hundred repeats, and rounded.
    assert abs(curves[:, -1].mean() - mean) < 4 * deviation * np.sqrt(2 / repeats)
    assert abs(curves[:, -1].std() - deviation) < 0.08


def test_the_program_is_compiled_once_for_all_seeds_and_tables_and_for_a_function(curves, caplog):
    noisy = functools.partial(run, BITS.noisy_accuracy)
    first = noisy()
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        assert (run(1 - ONES, seed=3) != curves).any()
        np.testing.assert_array_equal(noisy(), first)
        assert not compiled(caplog)
        run(ONES, evaluations=41)
        assert compiled(caplog)


def compiled(caplog):
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if "Compiling" in message and "_curves" in message]


def test_what_cannot_be_hashed_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Loose(evonas.spaces.BitString):
        tags: list = dataclasses.field(default_factory=list)

    with pytest.raises(ValueError, match=r"Loose can't be hashed .*frozen dataclass"):
        evonas.simulate(Loose(3), SMALL, np.ones(8), evaluations=2, repeats=1)


def test_a_clock_ends_a_search_with_the_first_evaluation_that_would_not_end_in_time():
    seconds = np.full(len(ONES), 3.0, np.float32)
    curves = evonas.simulate(
        BITS, evonas.evolution.random_search(4), ONES, evaluations=10, repeats=3, clock=Clock(seconds, 12.0)
    )
    plain = evonas.simulate(BITS, evonas.evolution.random_search(4), ONES, evaluations=10, repeats=3)
    np.testing.assert_array_equal(curves[:, :4], plain[:, :4])
    assert np.isnan(curves[:, 4:]).all()
    uneven = evonas.simulate(
        BITS, evonas.evolution.random_search(4), ONES, evaluations=10, repeats=3, clock=Clock(seconds, 11.9)
    )
    assert (np.isfinite(uneven).sum(1) == 3).all()


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_clock_without_budget_or_with_unknown_times_is_refused(budget):
    with pytest.raises(ValueError, match="a budget is positive seconds"):
        Clock(np.ones(3), budget)
    with pytest.raises(ValueError, match="negative ones or NaN"):
        Clock(np.array([1.0, np.nan]), 5.0)


def test_of_several_trials_each_evaluation_draws_one_that_there_is():
    trials = np.stack([ONES, ONES + 0.25, np.full(len(ONES), np.nan)], 1)
    curves = evonas.simulate(BITS, evonas.evolution.random_search(4), trials, evaluations=1, repeats=200, reported=ONES)
    noisy = evonas.simulate(BITS, evonas.evolution.random_search(4), trials, evaluations=1, repeats=200)
    shares = (np.round(noisy - curves, 4) == 0.25).mean()
    assert 0.35 < shares < 0.65
    assert np.isin(np.round(noisy - curves, 4), [0.0, 0.25]).all()


def test_several_tables_are_reported_side_by_side():
    other = -np.asarray(ONES)
    curves = evonas.simulate(
        BITS, evonas.evolution.random_search(4), ONES, evaluations=5, repeats=3, reported=(ONES, other)
    )
    assert curves.shape == (3, 5, 2)
    np.testing.assert_array_equal(
        curves[..., 0], evonas.simulate(BITS, evonas.evolution.random_search(4), ONES, evaluations=5, repeats=3)
    )
    np.testing.assert_array_equal(curves[..., 1], -curves[..., 0])
