"""A map of the explored part of a space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.report.analysis.genomes import canonical_rows
from evonas.run.log import Evaluation
from evonas.spaces.base import Space

LANDMARKS = 500
"""Architectures whose distances to each other are embedded; the others are placed by theirs to these."""


def embedding(space: Space, evaluations: Sequence[Evaluation], seed: int) -> np.ndarray:
    """Places in the plane, near each other where architectures are alike: ``[N, 2]`` float64.

    Classical multidimensional scaling of the Hamming distance of canonical forms, the share of the genes in which they
    differ (`evonas.Hamming`). Of more than `LANDMARKS` different architectures so many are drawn and scaled, and all
    are placed by their distances to those: landmark MDS (de Silva and Tenenbaum 2004), in time and memory linear in N.
    Equal architectures have one place, and each axis is turned so that its widest deflection is positive.

    Args:
        space: where the genomes live.
        evaluations: in any order.
        seed: of the draw of landmarks.
    """
    if not evaluations:
        return np.zeros((0, 2))
    forms, which = np.unique(canonical_rows(space, evaluations), axis=0, return_inverse=True)
    landmarks = forms
    if len(forms) > LANDMARKS:
        landmarks = np.random.default_rng(seed).choice(forms, LANDMARKS, replace=False)
    return _placed(forms, landmarks)[which.ravel()]


def _placed(forms: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Places ``[U, 2]`` of genomes ``[U, L]`` by their distances to landmarks ``[K, L]``."""
    from scipy.linalg import eigh
    from scipy.spatial.distance import cdist

    squares = cdist(landmarks, landmarks, "hamming") ** 2
    means, last = squares.mean(0), len(landmarks) - 1
    products = -0.5 * (squares - means - means[:, None] + means.mean())
    values, vectors = eigh(products, subset_by_index=(max(last - 1, 0), last))
    axes = np.zeros((len(landmarks), 2))
    for axis, (value, vector) in enumerate(zip(values[::-1], vectors.T[::-1], strict=True)):
        if value > len(landmarks) * 1e-12:  # else all is on fewer axes
            axes[:, axis] = vector / np.sqrt(value)
    places = -0.5 * (cdist(forms, landmarks, "hamming") ** 2 - means) @ axes
    widest = np.take_along_axis(places, np.abs(places).argmax(0, keepdims=True), 0)
    return places * np.where(widest < 0, -1.0, 1.0)
