"""The drawings of all candidates, packed for a page."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any, Literal

from evonas.drawing import draw
from evonas.report.subject import Subject

BLOCK = 100
"""Drawings that are packed together: a reader's click unpacks one block."""

CAREFUL = 200
"""Different architectures up to which graphviz lays them out, a tenth of a second each, where it is installed."""


def packed_drawings(subject: Subject) -> dict[str, Any] | None:
    """Blocks of gzipped lists of SVG texts, and each candidate's number among them; None without the space.

    Each different architecture is drawn once. They are in the order of their texts, so that neighbours are alike, of
    which gzip makes less.
    """
    if subject.space is None:
        return None
    genomes = {evaluation.architecture: evaluation.genome for evaluation in subject.evaluations}
    architectures = sorted(genomes)
    layout: Literal["layered"] | None = None if len(architectures) <= CAREFUL else "layered"
    drawn = [draw(subject.space, genomes[text], layout=layout).svg for text in architectures]
    number = {text: place for place, text in enumerate(architectures)}
    return {
        "blockSize": BLOCK,
        "blocks": [_packed(drawn[start : start + BLOCK]) for start in range(0, len(drawn), BLOCK)],
        "numbers": [number[evaluation.architecture] for evaluation in subject.evaluations],
    }


def _packed(drawings: list[str]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(drawings).encode(), mtime=0)).decode()
