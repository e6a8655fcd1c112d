"""Batches of candidates and their fitness, as arrays."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from evonas.types import NOBODY, Candidates


def fitness_rows(candidates: Candidates, fitness: Any) -> np.ndarray:
    """Fitness as a user gives it, ``[N]`` or ``[N, M]``, as ``[N, M]`` float32.

    Raises:
        ValueError: if it has another shape.
    """
    values = np.asarray(fitness, np.float32)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(candidates):
        raise ValueError(
            f"fitness of {len(candidates)} candidates has shape [{len(candidates)}] or [{len(candidates)}, M], "
            f"got {np.shape(fitness)}"
        )
    return values


def padded(candidates: Candidates, fitness: np.ndarray) -> tuple[Candidates, np.ndarray]:
    """Padded to a power of two rows by rows of `NOBODY`, so that few shapes are ever compiled."""
    n = len(candidates)
    padding = (1 << (n - 1).bit_length()) - n
    longer = jax.tree.map(lambda column: np.concatenate([column, column[:1].repeat(padding, 0)]), candidates)
    ids = np.concatenate([candidates.ids, np.full(padding, NOBODY, np.int32)])
    return longer.replace(ids=ids), np.concatenate([fitness, fitness[:1].repeat(padding, 0)])


def overwrite(candidates: Candidates, rows: np.ndarray, others: Candidates) -> Candidates:
    """The candidates, with the others' in the ``rows`` ``[N]`` bool."""

    def merge(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        merged = old.copy()
        merged[rows] = new[rows]
        return merged

    return jax.tree.map(merge, candidates, others)
