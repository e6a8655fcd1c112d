"""What an algorithm proposes, looked at before it is handed out."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from evonas.population import rows
from evonas.spaces.base import Space


def check_of_space(proposals: np.ndarray, space: Space, choices: np.ndarray) -> None:
    """Refuse what a mutation, a crossover or a sample of the user's own got wrong.

    Args:
        proposals: ``[N, W + L]``, as `evonas.population.rows` packs them.
        space: of the genomes.
        choices: of each gene, ``[L]`` uint32.

    Raises:
        ValueError: if a genome is not of the space.
    """
    outside = (proposals[:, rows.WIDTH :].view(np.uint32) >= choices).any(1)  # negative ones are large
    if not outside.any():
        return
    try:
        space.check(proposals[outside.argmax(), rows.WIDTH :])
    except ValueError as error:
        raise ValueError(
            "the algorithm proposed a genome outside the space (its mutation or crossover, or the space's own, or "
            f"sample): {error}"
        ) from error


def repeats(forms: np.ndarray, known: Container[bytes]) -> np.ndarray:
    """Which canonical forms ``[N, L]`` are known, or appear earlier among them: ``[N]`` bool."""
    seen = set[bytes]()
    found = np.zeros(len(forms), bool)
    for row, form in enumerate(forms):
        name = form.tobytes()
        found[row] = name in known or name in seen
        seen.add(name)
    return found
