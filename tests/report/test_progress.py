"""A search's facts, against what is counted the slow way."""

import itertools
import math
import statistics

import numpy as np
import pytest

import evonas
from evonas.report.progress import POINTS, Progress, diversity, rate
from evonas.run import Evaluation
from evonas.types import Failure, Measurement


def evaluation(number, genome, fitness, finished=0.0, failure=Failure.NONE):
    measurement = Measurement(() if math.isnan(fitness) else (fitness,), {}, failure, 2.0)
    return Evaluation(number, tuple(genome), str(genome), (-1, -1), measurement, finished)


def facts_of(progress, genomes, fitness):
    for number, (genome, value) in enumerate(zip(genomes, fitness, strict=True)):
        failure = Failure.DIVERGED if math.isnan(value) else Failure.NONE
        progress.add(evaluation(number, [int(gene) for gene in genome], value, number, failure))
    return progress.facts()


def test_facts_are_those_of_the_last_that_succeeded():
    random = np.random.default_rng(0)
    genomes, fitness = random.integers(0, 3, (100, 5)), random.random(100)
    fitness[::7] = np.nan
    facts = facts_of(Progress(evonas.spaces.BitString(dim=5), 12), genomes, fitness)
    good = np.flatnonzero(np.isfinite(fitness))
    last = good[-12:]
    assert (facts.evaluations, facts.population) == (100, 12)
    assert facts.failures == {"diverged": 15}
    assert facts.best.id == np.nanargmax(fitness)
    assert facts.median == statistics.median(fitness[last])
    assert facts.best_curve[-1] == np.nanmax(fitness)
    assert facts.median_curve[-1] == facts.median
    assert facts.best_curve[0] == facts.median_curve[0] == fitness[good[0]]
    assert len(facts.best_curve) == len(facts.median_curve) == POINTS
    assert (np.diff(facts.best_curve) >= 0).all()
    pairs = [np.mean(a != b) for a, b in itertools.combinations(genomes[last], 2)]
    assert facts.mean_distance == pytest.approx(np.mean(pairs))
    assert facts.unique_share == len({tuple(genome) for genome in genomes[last]}) / 12
    assert (facts.rate, facts.train_seconds) == (pytest.approx(1.0), 200.0)


def test_facts_taken_in_between_change_nothing_of_later_ones():
    space = evonas.spaces.NASBench201()
    genomes = np.random.default_rng(1).integers(0, 5, (30, 6))
    fitness = genomes.mean(1)
    often, once = Progress(space, 8), Progress(space, 8)
    for end in range(1, 30, 3):
        facts_of(often, genomes[end - 1 : end + 2], fitness[end - 1 : end + 2])
    late = facts_of(once, genomes, fitness)
    early = often.facts()
    assert (early.mean_distance, early.unique_share, early.median) == (
        late.mean_distance, late.unique_share, late.median,
    )  # fmt: skip


def test_architectures_are_compared_by_their_canonical_forms():
    space = evonas.spaces.MLP(max_depth=3)
    random = np.random.default_rng(2)
    genomes = np.stack([random.integers(0, number, 20) for number in space.cardinalities], axis=1)
    forms = np.array([np.asarray(space.canonical(genome)) for genome in genomes])
    assert (forms != genomes).any()
    facts = facts_of(Progress(space, 20), genomes, np.arange(20.0))
    assert (facts.mean_distance, facts.unique_share) == diversity(forms)


def test_nothing_is_known_before_the_first_and_no_diversity_of_one():
    empty = Progress(None, 5).facts()
    assert (empty.evaluations, empty.best, len(empty.best_curve)) == (0, None, 0)
    assert all(math.isnan(value) for value in (empty.median, empty.mean_distance, empty.unique_share, empty.rate))
    failed = facts_of(Progress(None, 5), [[0]], [math.nan])
    assert failed.best is None
    space = evonas.spaces.BitString(dim=2)
    assert math.isnan(facts_of(Progress(space, 5), [[0, 1]], [1.0]).mean_distance)
    assert math.isnan(facts_of(Progress(None, 5), [[0], [1]], [1.0, 2.0]).mean_distance)


def test_of_equals_the_lowest_id_is_the_best():
    progress = Progress(None, 5)
    for number in (4, 2, 3):
        progress.add(evaluation(number, [0], 1.0))
    assert progress.facts().best.id == 2


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        ([], math.nan),
        ([5.0, 5.0], math.nan),
        ([0.0, 2.0, 4.0], 0.5),
        ([0.0, 0.0, 4.0, 4.0, 8.0, 8.0], 0.5),
        ([0.0, 1.0, 2.0, 5000.0, 5002.0, 5004.0, 5006.0], 0.5),
    ],
)
def test_the_rate_counts_what_ends_together_and_leaves_out_breaks(finished, expected):
    assert rate(finished) == pytest.approx(expected, nan_ok=True)
