"""The drawings of all candidates, packed for a page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any, Literal

from evonas.drawing import draw
from evonas.run import Evaluation
from evonas.spaces import Space

BLOCK = 100
"""Drawings that are packed together: a reader's click unpacks one block."""

CAREFUL = 200
"""Different architectures up to which graphviz lays them out, a tenth of a second each, where it is installed."""


def packed_drawings(candidates: Sequence[tuple[Space | None, Evaluation]]) -> dict[str, Any]:
    """Blocks of gzipped lists of SVG texts, and each candidate's number among them; None of one without its space.

    Each different architecture of a space is drawn once. They are in the order of their texts, so that neighbours are
    alike, of which gzip makes less.
    """
    different = {(space, one.architecture): one.genome for space, one in candidates if space is not None}
    ordered = sorted(different, key=lambda key: (str(key[0]), key[1]))
    layout: Literal["layered"] | None = None if len(ordered) <= CAREFUL else "layered"
    drawn = [draw(space, different[space, text], layout=layout).svg for space, text in ordered]
    number = {key: place for place, key in enumerate(ordered)}
    return {
        "blockSize": BLOCK,
        "blocks": [_packed(drawn[start : start + BLOCK]) for start in range(0, len(drawn), BLOCK)],
        "numbers": [space and number[space, one.architecture] for space, one in candidates],
    }


def _packed(drawings: list[str]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(drawings).encode(), mtime=0)).decode()
