"""How different the architectures of a search are, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.arguments import require_integer
from evonas.report.analysis.fitness import first_fitness
from evonas.report.analysis.genomes import canonical_rows
from evonas.run.log import Evaluation
from evonas.spaces.base import Space


def diversity_over_time(space: Space, evaluations: Sequence[Evaluation], window: int) -> tuple[np.ndarray, np.ndarray]:
    """Diversity of the last evaluations, at each evaluation.

    The measures are those of `evonas.Population.diversity`, with `evonas.Hamming` for a distance: failed candidates
    are no members, and both are 0 where there are none.

    Args:
        space: where the genomes live.
        evaluations: in order.
        window: how many evaluations; at the beginning as many as there are.

    Returns:
        Mean distance of two different members, the share of the genes in which their canonical forms differ:
        ``[N]`` float64, 0 for fewer than two. And different architectures over members: ``[N]`` float64.

    Raises:
        ValueError: if the window is not a positive integer.
    """
    require_integer("window", window)
    succeeded = ~np.isnan(first_fitness(evaluations))
    rows = canonical_rows(space, evaluations)
    members = _windowed(succeeded, window)
    pairs, genes = members * (members - 1) // 2, max(rows.shape[1], 1)
    differing = pairs * genes - _alike(rows, succeeded, window)
    mean_distance = differing / np.maximum(pairs * genes, 1)
    return mean_distance, _different(rows, succeeded, window) / np.maximum(members, 1)


def _windowed(counted: np.ndarray, window: int) -> np.ndarray:
    """How many of the last ``window`` are counted, along the first axis: int64, of the same shape."""
    sums = np.cumsum(counted, axis=0, dtype=np.int64)
    sums[window:] -= sums[:-window].copy()
    return sums


def _alike(rows: np.ndarray, succeeded: np.ndarray, window: int) -> np.ndarray:
    """Pairs of members with the same value of a gene, summed over the genes: ``[N]`` int64.

    From how often each value occurs, so that no pair is looked at.
    """
    alike = np.zeros(len(rows), np.int64)
    for gene in rows.T:
        counts = _windowed((gene[:, None] == np.unique(gene)) & succeeded[:, None], window)
        alike += (counts * (counts - 1) // 2).sum(1)
    return alike


def _different(rows: np.ndarray, succeeded: np.ndarray, window: int) -> np.ndarray:
    """Different architectures among the members: ``[N]`` int64.

    Of equals the last in a window counts: each member from its place until it leaves, or its next equal comes.
    """
    size, places = len(rows), np.flatnonzero(succeeded)
    if not places.size:
        return np.zeros(size, np.int64)
    _, form = np.unique(rows[places], axis=0, return_inverse=True)
    order = np.lexsort((places, form.ravel()))
    ordered, forms = places[order], form.ravel()[order]
    ends = ordered + window
    again = np.flatnonzero(forms[1:] == forms[:-1])
    ends[again] = np.minimum(ends[again], ordered[again + 1])
    steps = np.bincount(ordered, minlength=size + 1) - np.bincount(np.minimum(ends, size), minlength=size + 1)
    return np.cumsum(steps)[:size]
