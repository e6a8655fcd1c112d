"""Results as a user gives them, checked, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evonas.types import FAILURES, Candidates, Failure

_NONE, _DIVERGED = FAILURES.index(Failure.NONE), FAILURES.index(Failure.DIVERGED)


def fitness_rows(candidates: Candidates, fitness: Any) -> np.ndarray:
    """Fitness as a user gives it, ``[N]`` or ``[N, M]``, as ``[N, M]`` float32.

    Raises:
        ValueError: if it has another shape.
    """
    values = np.array(fitness, np.float32)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(candidates) or not values.shape[1]:
        raise ValueError(
            f"fitness of {len(candidates)} candidates has shape [{len(candidates)}] or [{len(candidates)}, M], "
            f"got {np.shape(fitness)}"
        )
    return values


def with_failures(fitness: np.ndarray, failures: Sequence[Failure] | None) -> tuple[np.ndarray, np.ndarray]:
    """Fitness ``[N, M]``, NaN for those that failed, and why each did, as places in `Failure`: ``[N]`` uint8.

    Those that are given no reason and whose fitness is not finite "diverged".

    Raises:
        ValueError: if the reasons are not ``N``, or one is none.
    """
    codes = np.zeros(len(fitness), np.uint8)
    finite = np.isfinite(fitness)
    if failures is None and np.count_nonzero(finite) == finite.size:
        return fitness, codes
    if failures is not None:
        if len(failures) != len(fitness):
            raise ValueError(f"failures are one a candidate, {len(fitness)} in all, got {len(failures)}")
        for row, failure in enumerate(failures):
            if failure not in FAILURES:
                raise ValueError(f"a failure is one of {[str(reason) for reason in Failure]}, got {failure!r}")
            codes[row] = FAILURES.index(Failure(failure))
    codes[~finite.all(-1) & (codes == _NONE)] = _DIVERGED
    return np.where(codes[:, None] == _NONE, fitness, np.float32(np.nan)), codes
