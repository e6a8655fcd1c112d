"""A sheet as a matplotlib figure. Importing this takes matplotlib, so it is imported late."""

from __future__ import annotations

from evonas.drawing.charts import Chart  # first, as it says what to install
from evonas.drawing.curve import arrow_head
from evonas.drawing.sheet import LEADING, TITLE, Line, Shape, Sheet
from evonas.drawing.svg import COLOURED, CORNER, LIGHT

# isort: split
from matplotlib.axes import Axes
from matplotlib.patches import BoxStyle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

INCH = 100
"""Pixels of an inch."""

LETTERS = 0.88 * 72 / INCH
"""Points of a font's pixel: matplotlib's own font is wider than the one that boxes are measured for."""

FAINT = 0.45


def to_figure(sheet: Sheet) -> Chart:
    """The same picture, light, in one axis whose units are the sheet's pixels."""
    width, height = sheet.size
    chart = Chart(figsize=(width / INCH, height / INCH), dpi=INCH, facecolor=LIGHT["paper"])
    axis = chart.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.axis("off")
    for line in sheet.lines:
        _draw_line(axis, line)
    for shape in sheet.shapes:
        _draw_shape(axis, shape)
    for (x, y), title in sheet.titles:
        axis.text(x, y, title, size=TITLE * LETTERS, weight="bold", ha="center", color=LIGHT["ink"], parse_math=False)
    return chart


def _draw_line(axis: Axes, line: Line) -> None:
    alpha = FAINT if line.faint else 1.0
    path = Path(line.points, [Path.MOVETO] + [Path.CURVE4] * (len(line.points) - 1))
    style = "--" if line.faint else "-"
    axis.add_patch(PathPatch(path, fill=False, edgecolor=LIGHT["line"], linewidth=0.9, linestyle=style, alpha=alpha))
    if line.arrow:
        axis.add_patch(Polygon(arrow_head(line.points), facecolor=LIGHT["line"], linewidth=0, alpha=alpha))


def _draw_shape(axis: Axes, shape: Shape) -> None:
    (x, y), (width, height) = shape.centre, shape.size
    alpha = FAINT if shape.faint else 1.0
    colour = LIGHT[shape.kind] if shape.kind in COLOURED else LIGHT["line"]
    edge = LIGHT["ink"] if shape.kind in ("input", "output") else colour
    corner = BoxStyle("Round", pad=0, rounding_size=min(width, height) / 2 if shape.round else CORNER)
    style = ":" if shape.kind == "none" else "-"
    corners = (x - width / 2, y - height / 2), width, height
    axis.add_patch(FancyBboxPatch(*corners, corner, facecolor=LIGHT["paper"], linewidth=0))
    if shape.kind in COLOURED:
        axis.add_patch(FancyBboxPatch(*corners, corner, facecolor=colour, linewidth=0, alpha=0.15 * alpha))
    axis.add_patch(FancyBboxPatch(*corners, corner, fill=False, edgecolor=edge, linestyle=style, alpha=alpha))
    text = shape.kind == "text"
    axis.text(
        x - width / 2 + 12 if text else x,
        y,
        "\n".join(shape.lines),
        size=shape.font * LETTERS,
        family="monospace" if text else "sans-serif",
        linespacing=LEADING,
        ha="left" if text else "center",
        va="center_baseline" if len(shape.lines) == 1 else "center",
        color=LIGHT["ink"],
        alpha=alpha,
        parse_math=False,
    )
