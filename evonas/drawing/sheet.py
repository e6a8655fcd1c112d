"""The parts of a graph laid out on one sheet."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

from evonas.drawing.layout import Diagram, Layout, Link, Point
from evonas.drawing.lettering import MONOSPACED_WIDTH, text_width
from evonas.spaces.graph import Graph, Part

FONT, SMALL, TITLE = 13.0, 12.0, 14.0
"""Sizes of text in pixels: of nodes, of operations on edges and of lines of text, and of titles."""

LEADING = 1.3
"""Distance of two lines, in units of the font's size."""

MARGIN, PART_GAP, TITLE_GAP = 16.0, 44.0, 14.0
"""Around the sheet, between two parts, and between a title and its part; in pixels."""

SUM = 22.0
"""Diameter of a sum."""

MAIN = 8
"""Weight of edges that are not shortcuts, whose weight is 1."""

Layouter = Callable[[Diagram], Layout]


class Shape(NamedTuple):
    """A box to be drawn: a node, or the operation of an edge."""

    lines: tuple[str, ...]
    kind: str
    faint: bool
    font: float
    round: bool  # as the operations of edges are
    size: Point
    centre: Point = (0.0, 0.0)


class Line(NamedTuple):
    """A curve to be drawn."""

    points: list[Point]  # Bezier points
    faint: bool
    arrow: bool


class Sheet(NamedTuple):
    """All that is to be drawn, in pixels."""

    size: Point
    titles: list[tuple[Point, str]]  # middles of base lines
    shapes: list[Shape]
    lines: list[Line]


def arranged(graph: Graph, layouter: Layouter) -> Sheet:
    """The rows one below the other, each in the middle; the parts of a row side by side from the same height."""
    rows = [[_laid_out(part, layouter) for part in row] for row in graph.rows]
    widths = [sum(sheet.size[0] for sheet in row) + PART_GAP * (len(row) - 1) for row in rows]
    whole = Sheet((max(widths) + 2 * MARGIN, 0.0), [], [], [])
    y = MARGIN
    for row, width in zip(rows, widths, strict=True):
        x = (whole.size[0] - width) / 2
        for sheet in row:
            moved = _moved(sheet, x, y)
            whole.titles.extend(moved.titles)
            whole.shapes.extend(moved.shapes)
            whole.lines.extend(moved.lines)
            x += sheet.size[0] + PART_GAP
        y += max(sheet.size[1] for sheet in row) + PART_GAP
    return whole._replace(size=(whole.size[0], y - PART_GAP + MARGIN))


def _laid_out(part: Part, layouter: Layouter) -> Sheet:
    """One part, its title over it, its corner at (0, 0)."""
    shapes = [_shape(node.label, node.kind, node.faint, node.kind == "state", FONT) for node in part.nodes]
    number = {node.name: place for place, node in enumerate(part.nodes)}
    links, weights, drawn = list[Link](), list[int](), list[tuple[bool, bool]]()
    for edge in part.edges:
        way = [number[edge.start], number[edge.end]]
        if edge.label:
            # An operation stands on its edge, as a box that the edge leads through.
            way.insert(1, len(shapes))
            shapes.append(_shape(edge.label, edge.kind, edge.faint, True, SMALL))
        links += itertools.pairwise(way)
        weights += [1 if edge.shortcut else MAIN] * (len(way) - 1)
        drawn += [(edge.faint, end == way[-1]) for end in way[1:]]
    first = frozenset(number[node.name] for node in part.nodes if node.kind == "input")
    last = frozenset(number[node.name] for node in part.nodes if node.kind == "output")
    diagram = Diagram([shape.size for shape in shapes], links, weights, first, last)
    layout = layouter(diagram.turned()).turned() if part.direction == "right" else layouter(diagram)
    placed = [shape._replace(centre=centre) for shape, centre in zip(shapes, layout.centres, strict=True)]
    lines = [Line(points, *how) for points, how in zip(layout.curves, drawn, strict=True)]
    return _titled(part.title, Sheet(layout.size, [], placed, lines))


def _titled(title: str, sheet: Sheet) -> Sheet:
    if not title:
        return sheet
    width = max(sheet.size[0], text_width(title, TITLE) * 1.1)
    lower = _moved(sheet, (width - sheet.size[0]) / 2, TITLE + TITLE_GAP)
    return lower._replace(size=(width, sheet.size[1] + TITLE + TITLE_GAP), titles=[((width / 2, TITLE), title)])


def _shape(label: str, kind: str, faint: bool, is_round: bool, font: float) -> Shape:
    lines = tuple(label.split("\n"))
    if kind == "sum":
        return Shape(lines, kind, faint, FONT, True, (SUM, SUM))
    if kind == "text":
        width = max(map(len, lines)) * SMALL * MONOSPACED_WIDTH
        return Shape(lines, kind, faint, SMALL, False, (width + 24, len(lines) * SMALL * LEADING + 16))
    width, height = max(text_width(line, font) for line in lines) + 18, len(lines) * font * LEADING + 8
    return Shape(lines, kind, faint, font, is_round, (max(width, height), height))


def _moved(sheet: Sheet, right: float, down: float) -> Sheet:
    def moved(point: Point) -> Point:
        return point[0] + right, point[1] + down

    return Sheet(
        sheet.size,
        [(moved(place), title) for place, title in sheet.titles],
        [shape._replace(centre=moved(shape.centre)) for shape in sheet.shapes],
        [line._replace(points=[moved(point) for point in line.points]) for line in sheet.lines],
    )
