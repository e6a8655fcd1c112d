"""Real et al.'s comparison: regularized evolution against random search in the NASNet space, trained for real.

Command:   evonas reproduce nasnet_search --data.data-dir DIR [--scale paper]
           DIR holds ``cifar10/3.0.2`` as tensorflow-datasets prepares it; left out, it is downloaded to TFDS's own.
Time:      44 minutes on 2 CPU cores at the small scale (AMD EPYC, jax 0.10.2, 2026-11-26; the machine did other work
           beside it)
Expected:  best of 40 models: evolution 32.9 % (s.e. 0.7), random search 30.7 % (s.e. 0.8); 2.2 points (s.e. 1.3)

Interrupted, the same command goes on where it was. With --distributed in every process, as on all hosts of a TPU slice,
they search together.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from evonas.arguments import require_items
from evonas.data import TFDS
from evonas.evolution import Algorithm, random_search, regularized_evolution
from evonas.evolution.variation import OrIdentity
from evonas.reproductions.images import at_scale
from evonas.reproductions.outcome import Finding, Line, Outcome, Panel
from evonas.run import search
from evonas.spaces import NASNet
from evonas.training import Training

NOTE = (
    "At the small scale a check that the comparison runs rather than figure 4: networks of 4 channels and one cell a "
    "stage, two epochs of 2,000 images, three seeds; the difference is below two standard errors. Both searches of "
    "a seed share their founders. The best of 40 accuracies, each with a standard error of 1.4 points on 1,000 "
    "validation images, is optimistic for both. The paper's 20,000 models are --scale paper, which has not been run."
)
PAPER = "Real, Aggarwal, Huang and Le 2019 (AAAI), figure 4"


@dataclasses.dataclass(frozen=True)
class Scale:
    """A size of the comparison."""

    space: NASNet
    training: Training
    limit: int | None  # training images; None for all that validation leaves
    validation_share: float
    evaluations: int
    population_size: int
    sample_size: int
    batch_size: int  # models proposed at once, each batch by the population that the one before it left


SCALES = {
    "small": Scale(
        NASNet(cells_per_stage=1, filters=4),
        Training(epochs=2, batch_size=32, learning_rate=0.05, nesterov=False, flip=True, crop=4),
        limit=2_000,
        validation_share=0.02,
        evaluations=40,
        population_size=10,
        sample_size=4,
        batch_size=8,
    ),
    "paper": Scale(
        NASNet(cells_per_stage=3, filters=24),
        Training(epochs=25, batch_size=128, learning_rate=0.024, nesterov=False, weight_decay=5e-4, flip=True, crop=4),
        limit=None,
        validation_share=0.1,
        evaluations=20_000,
        population_size=100,
        sample_size=25,
        batch_size=256,  # the paper's 450 workers propose by populations as old
    ),
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """The comparison's settings."""

    scale: Literal["small", "paper"] = "small"
    """small: 7 minutes a search on 2 CPU cores. paper: 20,000 models of N=3, F=24 and 25 epochs, for a TPU pod."""
    data: TFDS = dataclasses.field(default_factory=lambda: TFDS("cifar10"))
    """CIFAR-10; how many of its images are trained on is the scale's."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Each is one search by either algorithm."""
    workdir: str = "runs/nasnet_search"
    """Outcome, picture and searches are kept in its folder of the scale's name."""


def run(settings: Settings) -> Outcome:
    """Best validation accuracy so far of both, over the models trained."""
    return compare(SCALES[settings.scale], settings)


def compare(scale: Scale, settings: Settings) -> Outcome:
    """The comparison at a scale."""
    require_items("seeds", settings.seeds)
    algorithms = {
        "random search": random_search(scale.population_size),
        "regularized evolution": regularized_evolution(scale.population_size, scale.sample_size, OrIdentity()),
    }
    curves = {name: _curves(name, algorithm, scale, settings) for name, algorithm in algorithms.items()}
    findings = [
        Finding.of(f"{name}, best validation accuracy of {scale.evaluations} models, %", curve[:, -1])
        for name, curve in curves.items()
    ]
    random, evolution = curves.values()
    findings.append(Finding.of("evolution less random search, points", evolution[:, -1] - random[:, -1]))
    title = f"NASNet space on CIFAR-10, {settings.scale}: mean of {len(settings.seeds)} seeds and standard error"
    panel = Panel(
        *(title, "models trained", "best validation accuracy so far, %"),
        tuple(Line.of(name, curve) for name, curve in curves.items()),
    )
    return Outcome("nasnet_search", PAPER, tuple(findings), (panel,))


def _curves(name: str, algorithm: Algorithm, scale: Scale, settings: Settings) -> np.ndarray:
    """Best so far in percent ``[seeds, evaluations]``."""
    data = at_scale(settings.data, scale.limit, validation_share=scale.validation_share)
    curves = []
    for seed in settings.seeds:
        run = search(
            space=scale.space,
            data=data,
            algorithm=algorithm,
            training=scale.training,
            evaluations=scale.evaluations,
            batch_size=scale.batch_size,
            # The paper's identity mutations train a model again: nothing is drawn anew.
            duplicates="allow",
            workdir=f"{settings.workdir}/{settings.scale}/{name.replace(' ', '_')}_{seed}",
            seed=seed,
        )
        fitness = run.population.history.fitness[: scale.evaluations, 0]
        curves.append(100 * np.maximum.accumulate(np.where(np.isfinite(fitness), fitness, 0.0)))
    return np.stack(curves)
