"""Batches of candidates and their fitness, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from evonas.types import NOBODY, Candidates, Failure


def fitness_rows(candidates: Candidates, fitness: Any) -> np.ndarray:
    """Fitness as a user gives it, ``[N]`` or ``[N, M]``, as ``[N, M]`` float32.

    Raises:
        ValueError: if it has another shape.
    """
    values = np.asarray(fitness, np.float32)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(candidates) or not values.shape[1]:
        raise ValueError(
            f"fitness of {len(candidates)} candidates has shape [{len(candidates)}] or [{len(candidates)}, M], "
            f"got {np.shape(fitness)}"
        )
    return values


def failure_reasons(failures: Sequence[Failure] | None, n: int) -> list[Failure]:
    """Why each of ``n`` candidates failed, as a user gives it.

    Raises:
        ValueError: if they are not ``n``, or one is no reason.
    """
    if failures is None:
        return [Failure.NONE] * n
    if len(failures) != n:
        raise ValueError(f"failures are one a candidate, {n} in all, got {len(failures)}")
    for failure in failures:
        if failure not in list(Failure):
            raise ValueError(f"a failure is one of {[str(reason) for reason in Failure]}, got {failure!r}")
    return [Failure(failure) for failure in failures]


def require_pending(candidates: Candidates, pending: Mapping[int, Candidates]) -> None:
    """Raise ValueError unless each candidate is pending, once, and with its genome."""
    seen: set[int] = set()
    for candidate, genome in zip(np.asarray(candidates.ids).tolist(), np.asarray(candidates.genomes), strict=True):
        if candidate in seen or candidate not in pending:
            raise ValueError(
                f"candidate {candidate} is not pending: tell each candidate that was asked for exactly once"
            )
        if not np.array_equal(genome, pending[candidate].genomes):
            raise ValueError(
                f"candidate {candidate} was asked for with another genome: tell candidates as this population's ask "
                "gave them"
            )
        seen.add(candidate)


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
