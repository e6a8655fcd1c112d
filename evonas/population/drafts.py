"""Proposals made ahead, for candidates that are asked for one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np


class Drafts:
    """Some of the next proposals, from one state, and what is told after it.

    Args:
        rows: ``[N, R + N]`` int32, each a proposal and the bits of its limits: see `evonas.evolution.foresight`. They
            may still be computed, and are waited for when the first is taken.
    """

    def __init__(self, rows: jax.Array):
        self._computing = rows
        self._rows = np.empty((0, 0), np.int32)
        self._limits: list[list[float]] = []
        self._taken = 0
        self._told: list[float] = []

    def tell(self, fitness: Sequence[float]) -> None:
        """Results, NaN where a candidate failed."""
        self._told += fitness

    def are_current(self) -> bool:
        """Whether the first that is not taken is what would be proposed now."""
        if not self._taken:
            return not self._told
        if self._taken == len(self._rows) or len(self._told) > self._taken:
            return False
        return all(fitness < limit for fitness, limit in zip(self._told, self._limits[self._taken], strict=False))

    def take(self) -> np.ndarray:
        """The first that is not taken: ``[1, R]``."""
        if not self._taken:
            rows, n = np.array(self._computing), len(self._computing)
            self._rows, self._limits = rows[:, :-n], rows[:, -n:].view(np.float32).tolist()
        self._taken += 1
        return self._rows[self._taken - 1 : self._taken]
