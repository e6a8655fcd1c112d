"""evonas: one program for all architectures, one candidate a device at a time.

In rounds, each device trains the same architecture; or one device several of them, under `jax.vmap`, where every choice
of a switch is computed and all but one are masked, or under `jax.lax.map`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import jax
import numpy as np
import work


def evaluator(given: work.Work):
    import evonas
    from evonas.data import Arrays
    from evonas.training import TrainingEvaluator

    arrays = given.data()
    data = Arrays(
        arrays["train_images"],
        arrays["train_labels"],
        validation_inputs=arrays["validation_images"],
        validation_targets=arrays["validation_labels"],
    ).load()
    space = evonas.spaces.NASBench201(given.channels, given.cells, work.CLASSES, (given.size, given.size, 3))
    training = evonas.Training(
        epochs=1,
        batch_size=given.batch,
        learning_rate=work.LEARNING_RATE,
        momentum=work.MOMENTUM,
        weight_decay=work.WEIGHT_DECAY,
        precision=given.precision,
    )
    return TrainingEvaluator(space, data, training)


def one_device(given: work.Work):
    """The training of one device, a function to compile, its arguments after the genome, and the space."""
    from evonas.training.optimizer import hyperparameters_of
    from evonas.training.program import device_data
    from evonas.training.slices import SlicedTraining

    whole = evaluator(given)
    data = device_data(whole.dataset, whole.dataset.validation)
    train = SlicedTraining(whole.space, np.zeros(6, np.int32), whole.dataset, whole.training).whole
    return train, (np.int32(0), np.uint32(0), hyperparameters_of(whole.training), data), whole.space


def several_at_once(given: work.Work, way: str, n: int):
    """A function that gives a genome's epoch of ``n`` networks on one device."""
    from evonas.training.parallel import compiler_options

    train, (_, *rest), _ = one_device(given)

    def all_of(genomes, numbers, *rest):
        if way == "vmap":
            return jax.vmap(lambda genome, number: train(genome, number, *rest))(genomes, numbers)
        return jax.lax.map(lambda row: train(*row, *rest), (genomes, numbers))

    numbers = np.arange(n, dtype=np.int32)
    shape = jax.ShapeDtypeStruct((n, len(work.EDGES)), np.int32)
    program = jax.jit(all_of).lower(shape, numbers, *rest).compile(compiler_options(jax.default_backend()))
    return lambda genome: lambda: jax.block_until_ready(program(np.array([genome] * n, np.int32), numbers, *rest))


def candidates(genomes: np.ndarray):
    from evonas.types import NOBODY, Candidates

    n = len(genomes)
    return Candidates(
        np.arange(n, dtype=np.int32), genomes, np.full((n, 2), NOBODY, np.int32), np.full(n, NOBODY, np.int32)
    )


def whole(given: work.Work) -> None:
    train = evaluator(given)
    genomes = given.genomes()
    accuracies, seconds = np.zeros(len(genomes)), np.zeros(len(genomes))
    for rows, measurements in train(candidates(genomes)):
        accuracies[rows] = [measurement.metrics["accuracy"] for measurement in measurements]
        seconds[rows] = [measurement.seconds for measurement in measurements]
    print(
        json.dumps(
            {
                "accuracies": accuracies.tolist(),
                "seconds": seconds.tolist(),
                "compile_seconds": train.compile_seconds,
                "compilations": train.compilations,
            }
        )
    )


def main() -> None:
    given, options = work.from_command_line(devices=2, device="cpu", rounds=0, way="pmap", at_once=1)
    if options.device == "cpu":
        jax.config.update("jax_num_cpu_devices", options.devices)
    if not options.rounds:
        return whole(given)
    if options.way != "pmap":
        prepare = several_at_once(given, options.way, options.at_once)
        return work.time_each(prepare, given, options.rounds, options.at_once)
    train, at_once = evaluator(given), len(jax.local_devices())

    def prepare(genome):
        return lambda: list(train(candidates(np.array([genome] * at_once))))

    prepare(given.genomes()[0])()  # compiles
    work.time_each(prepare, given, options.rounds, at_once)
    return None


if __name__ == "__main__":
    main()
