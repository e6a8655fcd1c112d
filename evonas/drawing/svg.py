"""A sheet as SVG."""

from __future__ import annotations

import html
import math

from evonas.drawing.curve import arrow_head
from evonas.drawing.layout import Point
from evonas.drawing.lettering import FAMILY, MONOSPACED
from evonas.drawing.sheet import FONT, LEADING, TITLE, Line, Shape, Sheet

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "line": "#6a7585",
    "operation": "#5b6b80",
    "convolution": "#2f6fc4",
    "separable": "#178a76",
    "pool": "#c87a12",
    "reduction": "#c87a12",
    "dense": "#7d4fc0",
    "identity": "#7b8694",
}
DARK = LIGHT | {
    "paper": "#14181f",
    "ink": "#e6eaf0",
    "line": "#8b96a6",
    "operation": "#9aa9bd",
    "convolution": "#6fa8f0",
    "separable": "#45c4ad",
    "pool": "#f0aa4b",
    "reduction": "#f0aa4b",
    "dense": "#b28df0",
    "identity": "#98a3b2",
}
"""Colours by name. A page gives others by the CSS variables ``--evonas-NAME``."""

COLOURED = ("operation", "convolution", "separable", "pool", "reduction", "dense", "identity")
CORNER = 6.0
PRECISION = 1
"""Digits behind the point: a tenth of a pixel can't be seen."""


def to_svg(sheet: Sheet, name: str) -> str:
    """A complete ``<svg>`` element, without scripts, ids and references to anything outside.

    Args:
        sheet: what to draw.
        name: what it shows, for those who can't see it and for those who point at it.
    """
    width, height = (math.ceil(length) for length in sheet.size)
    return "".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" class="evonas-drawing" role="img" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="{FAMILY}" font-size="{_number(FONT)}">',
            f"<title>{_escaped(name)}</title><style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *(_line(line) for line in sorted(sheet.lines, key=lambda line: not line.faint)),
            *(_shape(shape) for shape in sheet.shapes),
            *(_title(*title) for title in sheet.titles),
            "</svg>",
        ]
    )


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:var(--evonas-{name},{colour});" for name, colour in colours.items())


STYLE = (
    f".evonas-drawing{{{_variables(LIGHT)}max-width:100%;height:auto}}"
    f"@media(prefers-color-scheme:dark){{.evonas-drawing{{{_variables(DARK)}}}}}"
    ".evonas-drawing text{fill:var(--ink);text-anchor:middle}"
    f".evonas-drawing .text text{{text-anchor:start;font-family:{MONOSPACED};white-space:pre}}"
    ".evonas-drawing .paper{fill:var(--paper)}"
    ".evonas-drawing .line{fill:none;stroke:var(--line);stroke-width:1.3}"
    ".evonas-drawing .head{fill:var(--line)}"
    ".evonas-drawing .box{fill:var(--paper);stroke:var(--line);stroke-width:1.2}"
    ".evonas-drawing .input .box,.evonas-drawing .output .box{stroke:var(--ink);stroke-width:1.6}"
    ".evonas-drawing .none .box{stroke-dasharray:3 3}"
    + "".join(
        f".evonas-drawing .{kind} .box{{stroke:var(--{kind})}}"
        f".evonas-drawing .{kind} .tint{{fill:var(--{kind});fill-opacity:.15}}"
        for kind in COLOURED
    )
    + ".evonas-drawing .faint{opacity:.45}.evonas-drawing .faint.line{stroke-dasharray:4 3}"
)
"""Inside each drawing, so that it also looks right alone. All rules are about drawings only, and alike in all."""


def _title(place: Point, title: str) -> str:
    x, y = map(_number, place)
    return f'<text x="{x}" y="{y}" font-size="{_number(TITLE)}" font-weight="600">{_escaped(title)}</text>'


def _line(line: Line) -> str:
    faint = " faint" if line.faint else ""
    path = f"M{_pair(line.points[0])}C{' '.join(map(_pair, line.points[1:]))}"
    drawn = f'<path class="line{faint}" d="{path}"/>'
    if not line.arrow:
        return drawn
    return drawn + f'<path class="head{faint}" d="M{"L".join(map(_pair, arrow_head(line.points)))}Z"/>'


def _shape(shape: Shape) -> str:
    (x, y), (width, height) = shape.centre, shape.size
    radius = min(width, height) / 2 if shape.round else CORNER
    box = (
        f'x="{_number(x - width / 2)}" y="{_number(y - height / 2)}" width="{_number(width)}" '
        f'height="{_number(height)}" rx="{_number(radius)}"'
    )
    tint = f'<rect class="tint" {box}/>' if shape.kind in COLOURED else ""
    left = x - width / 2 + 12 if shape.kind == "text" else x
    # The base line of the first of the lines, which are in the middle together.
    base = y + shape.font * (0.35 - LEADING * (len(shape.lines) - 1) / 2)
    lines = "".join(
        f'<text x="{_number(left)}" y="{_number(base + number * shape.font * LEADING)}"'
        f' font-size="{_number(shape.font)}">{_escaped(line)}</text>'
        for number, line in enumerate(shape.lines)
    )
    return f'<g class="{shape.kind}{" faint" if shape.faint else ""}"><rect class="box" {box}/>{tint}{lines}</g>'


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{round(value, PRECISION) + 0.0:g}"


def _escaped(text: str) -> str:
    """As text of XML: without the characters that it can't hold."""
    return html.escape("".join(character if character.isprintable() else " " for character in text))
