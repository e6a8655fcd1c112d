"""The work that every contestant of `candidates.py` is given: the same networks, the same data.

Sizes, architectures and images follow from the numbers here alone. The images are synthetic, a pattern a class with
noise: what a training costs does not depend on what is in them, and anyone can make them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Work:
    """Networks of NAS-Bench-201's space, and a training for each.

    Attributes:
        size: height and width of the images.
        channels: of the first stage.
        cells: in each of the three stages.
        batch: images a step.
        images: for training; one epoch.
        validation: images for the accuracy at the end.
        architectures: how many, all different.
        precision: of the computation.
    """

    size: int = 16
    channels: int = 8
    cells: int = 1
    batch: int = 64
    images: int = 5000
    validation: int = 1000
    architectures: int = 20
    precision: str = "float32"
    seed: int = 0

    @property
    def steps(self) -> int:
        """Complete batches in an epoch."""
        return self.images // self.batch

    def genomes(self) -> np.ndarray:
        """Different architectures ``[architectures, 6]``; those of less work come first in those of more."""
        every = np.random.default_rng(self.seed).permutation(5 ** len(EDGES))
        genomes = np.stack([every // 5**place % 5 for place in range(len(EDGES))], 1).astype(np.int32)
        pruned = dict.fromkeys(map(without_useless_edges, genomes[: 2 * self.architectures].tolist()))
        return np.array(list(pruned)[: self.architectures], np.int32)

    def data(self) -> dict[str, np.ndarray]:
        """Images ``[n, size, size, 3]`` uint8 and labels ``[n]`` int32, for training and for validation."""
        rng = np.random.default_rng(self.seed)
        patterns = rng.integers(64, 192, (CLASSES, self.size, self.size, 3))
        arrays = {}
        for part, n in (("train", self.images), ("validation", self.validation)):
            labels = rng.integers(0, CLASSES, n).astype(np.int32)
            noise = rng.integers(-64, 64, (n, self.size, self.size, 3), dtype=np.int16)
            arrays[f"{part}_images"] = (patterns[labels] + noise).astype(np.uint8)
            arrays[f"{part}_labels"] = labels
        return arrays


A = Work()
B = Work(size=32, channels=16)
GPU = Work(size=32, channels=16, cells=5, batch=256, images=45000, validation=5000)

WORKS = {"a": A, "b": B, "gpu": GPU}

UNIFORM = {"3x3": [3] * 6, "1x1": [2] * 6, "pool": [4] * 6, "skip": [1] * 6, "none": [0] * 6}
"""Cells of one operation."""


def without_useless_edges(genome: list[int]) -> tuple[int, ...]:
    """``none`` for edges that nothing reaches or that lead nowhere, so that no contestant computes them."""
    used = list(genome)
    for node in (1, 2):
        if not any(gene for gene, (_, end) in zip(used, EDGES, strict=True) if end == node):
            used = [0 if start == node else gene for gene, (start, _) in zip(used, EDGES, strict=True)]
    for node in (2, 1):
        if not any(gene for gene, (start, _) in zip(used, EDGES, strict=True) if start == node):
            used = [0 if end == node else gene for gene, (_, end) in zip(used, EDGES, strict=True)]
    return tuple(used)


LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.1, 0.9, 5e-4


def from_command_line(**more: Any) -> tuple[Work, argparse.Namespace]:
    """A contestant's work, as `candidates.py` hands it over, and its own options with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=json.loads, help="the fields of Work, as JSON")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    return Work(**options.work), options


class Trainer(Protocol):
    """Trains one architecture at a time."""

    def start(self, genome: list[int]) -> None:
        """Make the network, with new weights."""

    def epoch(self, steps: int) -> None:
        """Train for some steps, and return when they are done."""

    def accuracy(self) -> float:
        """Share of right answers on the validation images."""


def run(trainer: Trainer, given: Work, options: argparse.Namespace) -> None:
    """Train the share of architectures that is asked for, or time as many rounds of each."""

    def prepare(genome: list[int]) -> Callable[[], None]:
        def epoch(steps: int = given.steps) -> None:
            trainer.epoch(steps)
            trainer.accuracy()

        trainer.start(genome)
        epoch(1)  # what there is to compile
        return epoch

    if options.rounds:
        time_each(prepare, given, options.rounds)
    else:
        train_each(trainer, given, options.share, options.of)


def train_each(trainer: Trainer, given: Work, share: int, of: int) -> None:
    """Train every ``of``-th architecture from the ``share``-th on, and print what came out."""
    accuracies, seconds = [], []
    for genome in given.genomes()[share::of].tolist():
        started = time.perf_counter()
        trainer.start(genome)
        trainer.epoch(given.steps)
        accuracies.append(trainer.accuracy())
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"accuracies": accuracies, "seconds": seconds}))


def time_each(prepare: Callable[[list[int]], Callable[[], Any]], given: Work, rounds: int, at_once: int = 1) -> None:
    """Print the images a second of cells of one operation, and of each architecture, nothing compiled meanwhile.

    Args:
        prepare: gives a genome's epoch, validation included, which returns when it is done and compiles nothing.
        given: the work.
        rounds: of which the fastest counts.
        at_once: networks that an epoch trains.
    """
    cells = UNIFORM | {str(genome): genome for genome in given.genomes().tolist()}
    rates = {}
    for name, genome in cells.items():
        epoch, seconds = prepare(genome), []
        for _ in range(rounds):
            started = time.perf_counter()
            epoch()
            seconds.append(time.perf_counter() - started)
        rates[name] = at_once * given.steps * given.batch / min(seconds)
    print(json.dumps(rates))
