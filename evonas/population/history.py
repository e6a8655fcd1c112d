"""Everything that was ever told, in columns that grow."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas.population.rows import WIDTH
from evonas.types import FAILURES, NOBODY, Failure

_RECENT = 256
"""Appends that are kept as they came: to write each into five columns by itself costs more than all else here."""


class History:
    """Evaluated candidates in the order of telling, one row each; a few dozen bytes a row.

    For one thread: to read it while another tells is a race.

    Attributes:
        objectives: numbers of a fitness.

    Args:
        cardinalities: of the space; they decide how small the genes' numbers may be.
        objectives: numbers of a fitness.
    """

    def __init__(self, cardinalities: tuple[int, ...], objectives: int = 1):
        gene = np.min_scalar_type(max(cardinalities) - 1)
        self.objectives = objectives
        self._size = 0
        self._recent: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # what `append` took, not written yet
        self._best: int | None = None
        self._compared = 0  # rows that `best` has seen
        self._columns: dict[str, np.ndarray] = {
            "ids": np.empty(64, np.int64),
            "genomes": np.empty((64, len(cardinalities)), gene),
            "parents": np.empty((64, 2), np.int64),
            "fitness": np.empty((64, objectives), np.float32),
            "failures": np.empty(64, np.uint8),
        }

    def __len__(self) -> int:
        return self._size

    @property
    def ids(self) -> np.ndarray:
        """[T] int64."""
        return self._column("ids")

    @property
    def genomes(self) -> np.ndarray:
        """[T, L], the smallest unsigned type that holds the genes."""
        return self._column("genomes")

    @property
    def parents(self) -> np.ndarray:
        """[T, 2] int64 ids, `NOBODY` where there is none."""
        return self._column("parents")

    @property
    def fitness(self) -> np.ndarray:
        """[T, M] float32; NaN for failed candidates."""
        return self._column("fitness")

    def failure(self, row: int) -> Failure:
        """Why a row has no fitness."""
        return FAILURES[self._column("failures")[row]]

    @property
    def best(self) -> int | None:
        """Row of the best by the first objective, of equals the first told; None if none has a fitness."""
        new = self.fitness[self._compared :, 0]
        if np.isfinite(new).any():
            row = self._compared + int(np.nanargmax(new))
            if self._best is None or self.fitness[row, 0] > self.fitness[self._best, 0]:
                self._best = row
        self._compared = self._size
        return self._best

    def append(self, candidates: np.ndarray, fitness: np.ndarray, failures: np.ndarray) -> None:
        """Add candidates, as `evonas.population.rows` packs them. The arrays are kept: they must not change any more.

        Args:
            candidates: ``[N, W + L]`` int32.
            fitness: ``[N, M]``, NaN for those that failed.
            failures: ``[N]``, each a place in `Failure`.
        """
        self._recent.append((candidates, fitness, failures))
        self._size += len(candidates)
        if len(self._recent) == _RECENT:
            self._write()

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The columns, cut to size."""
        return {name: self._column(name) for name in self._columns}

    @classmethod
    def from_arrays(cls, cardinalities: tuple[int, ...], arrays: dict[str, np.ndarray]) -> History:
        """A history of columns that `to_arrays` gave."""
        history = cls(cardinalities, arrays["fitness"].shape[1])
        history._size = len(arrays["ids"])
        for name, column in history._columns.items():
            history._columns[name] = arrays[name].astype(column.dtype, copy=True)
        return history

    def row_of(self, candidate: int) -> int:
        """Row of an id.

        Raises:
            ValueError: if it was not told.
        """
        rows = np.flatnonzero(self.ids == candidate)
        if not rows.size:
            raise ValueError(f"candidate {candidate} was not told; ids told so far: {self._size}")
        return int(rows[0])

    def lineage(self, candidate: int) -> list[int]:
        """Rows from the candidate back to its founder, along first parents."""
        row_of = {int(known): row for row, known in enumerate(self.ids)}
        rows = [self.row_of(candidate)]
        while (parent := int(self.parents[rows[-1], 0])) != NOBODY:
            rows.append(row_of[parent])
        return rows

    def _column(self, name: str) -> np.ndarray:
        if self._recent:
            self._write()
        return self._columns[name][: self._size]

    def _write(self) -> None:
        """Put what came last into the columns."""
        candidates, fitness, failures = (np.concatenate(parts) for parts in zip(*self._recent, strict=True))
        self._recent = []
        self._reserve(self._size)
        new = slice(self._size - len(candidates), self._size)
        self._columns["ids"][new] = candidates[:, 0]
        self._columns["genomes"][new] = candidates[:, WIDTH:]
        self._columns["parents"][new] = candidates[:, 2:WIDTH]
        self._columns["fitness"][new] = fitness
        self._columns["failures"][new] = failures

    def _reserve(self, size: int) -> None:
        capacity = len(self._columns["ids"])
        if size <= capacity:
            return
        grown: dict[str, Any] = {}
        for name, column in self._columns.items():
            grown[name] = np.empty((max(size, 2 * capacity), *column.shape[1:]), column.dtype)
            grown[name][:capacity] = column
        self._columns = grown
