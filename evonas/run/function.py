"""A fitness of the user's own, in place of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from evonas.types import Candidates, Failure, Measurement, Span

FitnessFunction = Callable[[Candidates], Any]
"""Candidates to fitness ``[N]`` or ``[N, M]``, maximised; NaN for those that failed."""


class FunctionEvaluator:
    """A function of the user's as an evaluator."""

    def __init__(self, function: FitnessFunction):
        self._function = function
        self.held_seconds, self.trained_seconds = 0.0, 0.0

    def groups(self, candidates: Candidates, processes: int = 1) -> list[np.ndarray]:
        """One for each process."""
        return [rows for rows in np.array_split(np.arange(len(candidates)), processes) if rows.size]

    def told(self, ids: Sequence[int], fitness: Sequence[float]) -> None:
        """Nothing is kept of candidates."""

    def take_spans(self) -> list[Span]:
        """None: nothing is known of the devices that it uses."""
        return []

    def test(self, candidate: int, genome: np.ndarray) -> Measurement:
        """Nothing to test on.

        Raises:
            ValueError: always.
        """
        del candidate, genome
        raise ValueError("a fitness of your own has no test data: measure run.best.genome on yours")

    def __call__(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        """All candidates at once.

        Raises:
            ValueError: if the function's result has not one row a candidate.
        """
        values = np.asarray(self._function(candidates), np.float32)
        if values.ndim not in (1, 2) or len(values) != len(candidates) or not values.size:
            raise ValueError(
                f"fitness must return shape [{len(candidates)}] or [{len(candidates)}, M], got {values.shape}"
            )
        values = values.reshape(len(candidates), -1)
        yield np.arange(len(candidates)), [_measurement(row) for row in values]


def _measurement(row: np.ndarray) -> Measurement:
    if not np.isfinite(row).all():
        return Measurement((), {}, Failure.DIVERGED)
    return Measurement(tuple(float(value) for value in row), {})
