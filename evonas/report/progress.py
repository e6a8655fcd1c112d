"""How far a search is and how it goes, kept up to date evaluation by evaluation."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from evonas.run import Evaluation, best_of
from evonas.spaces import Space
from evonas.types import Failure

POINTS = 32
"""Of a curve."""

FORMS = 32
"""Canonical forms computed at once, at least."""

RECENT = 64
"""Evaluations that the rate is taken from."""

BREAK = 10
"""A gap of so many times the median one is no part of the rate: nothing ran in it."""


class Facts(NamedTuple):
    """What is known at one moment. Fitness is the first objective's; NaN is what is not known yet."""

    evaluations: int
    best: Evaluation | None
    median: float  # of the population
    population: int  # the last to succeed, at most as many as the algorithm has members
    best_curve: np.ndarray  # [<= POINTS], best so far, from the first evaluation to the last
    median_curve: np.ndarray  # [<= POINTS], median of the population at that time
    mean_distance: float  # of two members, the share of genes of their canonical forms that differ
    unique_share: float  # different architectures over members
    failures: Mapping[str, int]
    rate: float  # evaluations a second
    train_seconds: float  # of device time
    finished: float  # seconds since 1970 at which the last evaluation ended; 0 before the first


class Progress:
    """A search's facts.

    The population is taken to be the last that succeeded: of an aging one, which this is exactly; of others, what
    is new in them.

    Args:
        space: whose canonical forms tell the diversity; None: it stays unknown.
        population_size: the algorithm's.
    """

    def __init__(self, space: Space | None, population_size: int):
        self._canonical = None if space is None else jax.jit(jax.vmap(space.canonical))
        self._size = population_size
        self._fitness = array("d")
        self._new: deque[tuple[int, ...]] = deque(maxlen=population_size)  # genomes, of which no form is known
        self._forms: deque[np.ndarray] = deque(maxlen=population_size)
        self._finished: deque[float] = deque(maxlen=RECENT)
        self._failures: Counter[str] = Counter()
        self.best: Evaluation | None = None
        self.evaluations, self.train_seconds = 0, 0.0

    def add(self, evaluation: Evaluation) -> None:
        """Take one more."""
        self.evaluations += 1
        self.train_seconds += evaluation.measurement.seconds
        self._finished.append(evaluation.finished)
        if evaluation.measurement.failure != Failure.NONE:
            self._failures[str(evaluation.measurement.failure)] += 1
            return
        self._fitness.append(evaluation.fitness[0])
        if self._canonical is not None:
            self._new.append(evaluation.genome)
        self.best = best_of([evaluation] if self.best is None else [self.best, evaluation])

    def facts(self) -> Facts:
        """All of them; for one thread, in which `add` is called, too."""
        fitness = np.array(self._fitness)
        ends = np.unique(np.linspace(1, len(fitness), POINTS).round().astype(int)) if fitness.size else np.zeros(0, int)
        medians = np.array([np.median(fitness[max(0, end - self._size) : end]) for end in ends])
        distance, unique = diversity(self._population())
        return Facts(
            evaluations=self.evaluations,
            best=self.best,
            median=float(medians[-1]) if medians.size else np.nan,
            population=min(self._size, len(fitness)),
            best_curve=np.maximum.accumulate(fitness)[ends - 1],
            median_curve=medians,
            mean_distance=distance,
            unique_share=unique,
            failures=dict(self._failures),
            rate=rate(self._finished),
            train_seconds=self.train_seconds,
            finished=self._finished[-1] if self._finished else 0.0,
        )

    def _population(self) -> np.ndarray:
        """Canonical forms ``[P, L]``."""
        genomes = np.array(self._new, np.int32)
        self._new.clear()
        if self._canonical is not None and genomes.size:
            rows = max(FORMS, 1 << (len(genomes) - 1).bit_length())  # few sizes, each of which is a program
            padded = np.resize(genomes, (rows, genomes.shape[1]))
            genomes = np.asarray(self._canonical(jnp.asarray(padded)))[: len(genomes)]
        self._forms.extend(genomes)
        return np.array(self._forms, np.int32)


def diversity(forms: np.ndarray) -> tuple[float, float]:
    """Mean Hamming distance of two different members, and share of the unique; both NaN for fewer than two.

    Args:
        forms: canonical genomes ``[P, L]``.
    """
    size = len(forms)
    if size < 2:
        return np.nan, np.nan
    alike = [np.bincount(genes) for genes in forms.T]
    pairs = sum(int(count @ (count - 1)) for count in alike)  # ordered, that agree in a gene
    return 1 - pairs / (forms.shape[1] * size * (size - 1)), len(np.unique(forms, axis=0)) / size


def rate(finished: Sequence[float]) -> float:
    """Evaluations a second of late; NaN before there are two moments at which some ended.

    Args:
        finished: seconds since 1970 at which each ended, several at once perhaps, in order.
    """
    times = np.array(finished)
    gaps = np.diff(times)
    if not (gaps > 0).any():
        return np.nan
    breaks = np.flatnonzero(gaps > BREAK * np.median(gaps[gaps > 0]))
    times = times[breaks[-1] + 1 :] if breaks.size else times
    if times[-1] <= times[0]:
        return np.nan
    return float((times > times[0]).sum() / (times[-1] - times[0]))
