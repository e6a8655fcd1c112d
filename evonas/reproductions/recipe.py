"""NAS-Bench-201's 12-epoch training of cells of widely different quality, at a reduced size.

Command:   evonas reproduce recipe --table TABLE --data.data-dir DIR
           DIR holds ``cifar10/3.0.2`` as tensorflow-datasets prepares it; left out, it is downloaded to TFDS's own.
Time:      22 minutes on 2 CPU cores (AMD EPYC, jax 0.10.2, 2026-11-26; the machine did other work beside it)
Expected:  rank correlation 0.97 of 9 cells at even steps of accuracy; ours lie below the table's from 40 % upwards, as
           10,000 images are fewer than its 25,000 and 8 channels than 16

Cells at even steps of their rank are nearly alike in the table: of 16 such cells, with networks of one cell a stage,
the correlation was 0.25. In the table itself the ranks after 12 and after 200 epochs correlate with 0.82.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from evonas.arguments import require_integer
from evonas.data import TFDS
from evonas.genome import enumerate_genomes, genome_index
from evonas.reproductions.outcome import Finding, Line, Outcome, Panel
from evonas.spaces import NASBench201
from evonas.tables import nasbench201
from evonas.training import Training, TrainingEvaluator
from evonas.types import NOBODY, Candidates

NOTE = (
    "Published is the table's validation accuracy in percent, of 25,000 images, C=16 and N=5: only ranks compare. The "
    "cells are spread evenly over these accuracies, which makes them easy to rank; of 16 cells at even steps of rank, "
    "with one cell a stage, the correlation was 0.25. One training each."
)
PAPER = "Dong and Yang 2020 (ICLR): the 12-epoch schedule of NAS-Bench-201"
TRAINING = Training(
    epochs=12, batch_size=256, optimizer="sgd", learning_rate=0.1, momentum=0.9, weight_decay=5e-4, flip=True, crop=4
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The comparison's settings; the benchmark's own are 25,000 images, 16 channels and 5 cells a stage."""

    table: str
    """NAS-Bench-201's results, in any form that `evonas.tables.nasbench201` reads."""
    data: TFDS = dataclasses.field(default_factory=lambda: TFDS("cifar10", limit=10_000))
    """CIFAR-10, and how many of its images are trained on."""
    cells: int = 9
    """How many cells to train, at even steps of their accuracy in the table."""
    channels: int = 8
    """Channels of the first stage."""
    cells_per_stage: int = 3
    """Cells in each of the three stages."""
    seed: int = 0
    """All randomness comes from it."""
    workdir: str = "runs/recipe"
    """Where outcome and picture are written."""


def run(settings: Settings) -> Outcome:
    """The rank correlation of our accuracies with the table's."""
    require_integer("cells", settings.cells, least=3)
    dataset = settings.data.load()
    space = NASBench201(settings.channels, settings.cells_per_stage, dataset.classes, dataset.input_shape)
    table = nasbench201(settings.table, "val_acc_12")
    genomes = chosen(space, table, settings.cells)
    ours = _accuracies(TrainingEvaluator(space, dataset, TRAINING, seed=settings.seed), genomes)
    theirs = table[np.asarray(genome_index(genomes, space.cardinalities))]
    size = f"{len(dataset.train):,} images, C={settings.channels}, N={settings.cells_per_stage}"
    correlation = Finding(
        f"Spearman's rank correlation, {len(genomes)} cells, {size}", "", _spearman(ours, theirs), *_single()
    )
    each = (
        Finding(space.format(genome), f"{one:.2f} (C=16, N=5)", other, *_single())
        for genome, one, other in zip(genomes, theirs, ours, strict=True)
    )
    findings = (correlation, *each)
    ends = [float(theirs.min()), float(theirs.max())]
    panel = Panel(
        f"NAS-Bench-201's 12 epochs on CIFAR-10: {size}",
        *("the table's validation accuracy, %", "ours, %"),
        (
            Line(f"{len(genomes)} cells", theirs.tolist(), ours.tolist(), joined=False),
            Line("as in the table", ends, ends),
        ),
    )
    return Outcome("recipe", PAPER, findings, (panel,))


def chosen(space: NASBench201, table: np.ndarray, cells: int) -> np.ndarray:
    """At most so many different cells at even steps of accuracy, from the table's worst to its best: ``[N, 6]``."""
    every = enumerate_genomes(space.cardinalities)
    first = (np.asarray(jax.jit(jax.vmap(space.canonical))(every)) == every).all(1)
    genomes, accuracies = every[first], table[first]
    steps = np.linspace(accuracies.min(), accuracies.max(), cells)
    nearest = np.abs(accuracies - steps[:, None]).argmin(1)
    return genomes[list(dict.fromkeys(nearest.tolist()))]


def _accuracies(train: TrainingEvaluator, genomes: np.ndarray) -> np.ndarray:
    """Validation accuracies in percent ``[N]``, 0 of trainings that failed."""
    n = len(genomes)
    nobody = jnp.full(n, NOBODY, jnp.int32)
    accuracies = np.zeros(n)
    candidates = Candidates(jnp.arange(n), jnp.asarray(genomes), jnp.stack([nobody] * 2, 1), nobody)
    for rows, measurements in train(candidates):
        accuracies[rows] = [100 * measurement.metrics.get("accuracy", 0.0) for measurement in measurements]
    return accuracies


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)


def _single() -> tuple[float, float, int]:
    """Error, deviation and repeats of a single value."""
    return float("nan"), float("nan"), 1
