"""Smooth curves through points, and arrows at their ends."""

from __future__ import annotations

import itertools
import math

from evonas.drawing.layout import Point

ARROW, OPENING = 7.0, 0.42
"""Length of an arrow's head in pixels, and half of its angle in radians."""


def through(points: list[Point]) -> list[Point]:
    """Bezier points of a curve through points of which each is lower than the one before.

    It never swings beyond a point to the left or right: monotone cubic interpolation (Fritsch and Carlson 1980), with
    the slopes of Fritsch and Butland 1984.
    """
    secants = [(after[0] - before[0]) / (after[1] - before[1]) for before, after in itertools.pairwise(points)]
    inner = [2 * a * b / (a + b) if a * b > 0 else 0.0 for a, b in itertools.pairwise(secants)]
    slopes = [secants[0], *inner, secants[-1]]
    curve = [points[0]]
    for number, ((x, y), (end, bottom)) in enumerate(itertools.pairwise(points)):
        third = (bottom - y) / 3
        curve.append((x + slopes[number] * third, y + third))
        curve.append((end - slopes[number + 1] * third, bottom - third))
        curve.append((end, bottom))
    return curve


def arrow_head(curve: list[Point]) -> list[Point]:
    """The corners of an arrow's head at the end of a curve, its tip first."""
    tip = curve[-1]
    tail = next((point for point in reversed(curve) if math.dist(point, tip) > 0.5), (tip[0], tip[1] - 1))
    along = math.atan2(tip[1] - tail[1], tip[0] - tail[0])
    turned = (along - OPENING, along + OPENING)
    return [tip, *((tip[0] - ARROW * math.cos(angle), tip[1] - ARROW * math.sin(angle)) for angle in turned)]
