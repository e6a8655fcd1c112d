"""Candidates as rows of integers: id, the id to replace, two parents, and the genome; ``[N, W + L]`` int32."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evonas.spaces.base import Space
from evonas.types import NOBODY, Candidates

WIDTH = 4
"""W: numbers before the genome."""


def packed(candidates: Candidates) -> np.ndarray:
    """Candidates as rows."""
    return np.concatenate(_columns(candidates), axis=1, dtype=np.int32)


def unpacked(rows: Any) -> Candidates:
    """Rows as candidates."""
    return Candidates(ids=rows[:, 0], genomes=rows[:, WIDTH:], parents=rows[:, 2:WIDTH], replaces=rows[:, 1])


def with_forms(candidates: Candidates, space: Space) -> jax.Array:
    """Rows with the canonical forms of their genomes behind them: ``[N, W + 2 L]``, traced."""
    forms = jax.vmap(space.canonical)(candidates.genomes)
    return jnp.concatenate([column.astype(jnp.int32) for column in (*_columns(candidates), forms)], axis=1)


def and_forms(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two parts of what `with_forms` gave."""
    width = (rows.shape[1] + WIDTH) // 2
    return rows[:, :width], rows[:, width:]


def padded(rows: np.ndarray, least: int) -> np.ndarray:
    """Padded by rows of `NOBODY` to ``least`` times a power of two, so that few shapes are ever compiled."""
    size = least
    while size < len(rows):
        size *= 2
    return np.concatenate([rows, np.full((size - len(rows), rows.shape[1]), NOBODY, np.int32)])


def _columns(candidates: Candidates) -> tuple[Any, ...]:
    return candidates.ids[:, None], candidates.replaces[:, None], candidates.parents, candidates.genomes
