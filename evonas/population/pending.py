"""Candidates that were asked for and not told yet."""

from __future__ import annotations

import numpy as np

from evonas.population import rows
from evonas.types import Candidates


class Pending:
    """Rows of candidates, as `evonas.population.rows` packs them, by id."""

    def __init__(self) -> None:
        self._rows: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def candidates(self) -> Candidates | None:
        """All of them, by id; None if there are none."""
        if not self._rows:
            return None
        return rows.unpacked(np.stack([self._rows[candidate] for candidate in sorted(self._rows)]))

    def add(self, asked: np.ndarray) -> None:
        """Wait for candidates."""
        self._rows.update(zip(asked[:, 0].tolist(), asked, strict=True))

    def rows_of(self, candidates: Candidates) -> np.ndarray:
        """Rows ``[N, W + L]`` of candidates that a user tells.

        Raises:
            ValueError: unless each is pending, once, and with its genome.
        """
        ids, genomes = np.asarray(candidates.ids).tolist(), np.asarray(candidates.genomes, np.int32)
        known = [self._rows.get(candidate) for candidate in ids]
        found = [row for row in known if row is not None]
        if len(found) < len(ids) or len(set(ids)) < len(ids):
            refused = next(i for i, row in enumerate(known) if row is None or ids[i] in ids[:i])
            raise ValueError(
                f"candidate {ids[refused]} is not pending: tell each candidate that was asked for exactly once"
            )
        told = np.array(found) if found else np.empty((0, rows.WIDTH + genomes.shape[1]), np.int32)
        if genomes.tobytes() != told[:, rows.WIDTH :].tobytes():
            other = next(i for i, row in enumerate(found) if genomes[i].tobytes() != row[rows.WIDTH :].tobytes())
            raise ValueError(
                f"candidate {ids[other]} was asked for with another genome: tell candidates as this population's ask "
                "gave them"
            )
        return told

    def remove(self, told: np.ndarray) -> None:
        """No longer wait for candidates."""
        for candidate in told[:, 0].tolist():
            del self._rows[candidate]
