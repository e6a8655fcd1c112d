"""evonas: one program for all architectures, one candidate a device at a time."""

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
    given, options = work.from_command_line(devices=2, device="cpu", rounds=0)
    if options.device == "cpu":
        jax.config.update("jax_num_cpu_devices", options.devices)
    if not options.rounds:
        return whole(given)
    train = evaluator(given)
    work.time_each(lambda genome: lambda: list(train(candidates(np.array([genome])))), given, options.rounds)
    return None


if __name__ == "__main__":
    main()
