"""The drawings of all candidates, packed for a page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

from evonas.drawing import draw
from evonas.drawing.layered import layered
from evonas.drawing.layout import Diagram, Layout
from evonas.drawing.sheet import arranged
from evonas.drawing.svg import to_svg
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
    svg = _by_draw if len(ordered) <= CAREFUL else _fast()
    drawn = [svg(space, different[space, text]) for space, text in ordered]
    number = {key: place for place, key in enumerate(ordered)}
    return {
        "blockSize": BLOCK,
        "blocks": [_packed(drawn[start : start + BLOCK]) for start in range(0, len(drawn), BLOCK)],
        "numbers": [space and number[space, one.architecture] for space, one in candidates],
    }


def _by_draw(space: Space, genome: Any) -> str:
    return draw(space, genome).svg


def _fast() -> Callable[[Space, Any], str]:
    """As `draw` with its own layout, but equal parts are laid out once: a child shares most with its parent."""
    known: dict[Any, Layout] = {}

    def laid_out(diagram: Diagram) -> Layout:
        key = (*diagram.sizes, *diagram.links, diagram.first, diagram.last)
        if key not in known:
            known[key] = layered(diagram)
        return known[key]

    return lambda space, genome: to_svg(arranged(space.graph(genome), laid_out), space.format(genome))


def _packed(drawings: list[str]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(drawings).encode(), mtime=0)).decode()
