"""Smooth curves through points."""

from __future__ import annotations

import itertools

from evonas.drawing.layout import Point


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
