"""Cells of every published space train through the shared program."""

import jax
import numpy as np
import pytest
from training_cases import evaluate, random_genomes

from evonas.data import Digits
from evonas.spaces import DARTS, NASBench101, NASNet
from evonas.training import Training, TrainingEvaluator
from evonas.types import Failure

TRAINING = Training(epochs=1, batch_size=16, learning_rate=0.05)
IMAGES = {"classes": 10, "input_shape": (8, 8, 1)}


@pytest.fixture(scope="module")
def few():
    return Digits(limit=64).load()


def trained(space, dataset, genomes):
    evaluator = TrainingEvaluator(space, dataset, TRAINING, devices=jax.local_devices()[:1])
    measurements = evaluate(evaluator, genomes)
    assert all(measurement.failure == Failure.NONE for measurement in measurements)
    assert all(np.isfinite(measurement.metrics["loss"]) for measurement in measurements)
    return evaluator, measurements


@pytest.mark.slow
def test_fifty_cells_of_nasnet_are_one_program(few):
    space = NASNet(1, 4, searched=("none", "separable_3x3_2"), drop_path=0.2, **IMAGES)
    genomes = random_genomes(space, 50)
    assert len(np.unique(genomes, axis=0)) == 50
    evaluator, measurements = trained(space, few, genomes)
    assert evaluator.compilations == 1
    assert len({measurement.metrics["loss"] for measurement in measurements}) > 40


@pytest.mark.slow
def test_cells_of_darts_are_one_program(few):
    space = DARTS(1, 4, **IMAGES)
    assert trained(space, few, random_genomes(space, 4))[0].compilations == 1


@pytest.mark.slow
def test_cells_of_nas_bench_101_are_a_program_for_each_number_of_ends(few):
    space = NASBench101(8, 2, 1, **IMAGES)
    sampled = random_genomes(space, 60)
    genomes = [genome for genome in sampled if space.is_valid(genome) and space.signature(genome) in ((1,), (2,))][:5]
    ends = {space.signature(genome) for genome in genomes}
    assert trained(space, few, np.stack(genomes))[0].compilations == len(ends)
