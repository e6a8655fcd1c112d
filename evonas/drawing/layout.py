"""Where boxes stand and how links between them run."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]
"""Right, down."""

Link = tuple[int, int]
"""From which box to which."""


class Diagram(NamedTuple):
    """What is to be laid out, links leading down as far as they can."""

    sizes: list[Point]  # width and height of each box, in pixels
    links: list[Link]  # without a cycle
    weights: list[int]  # of each link: how much it is to be straight
    first: frozenset[int] = frozenset()  # boxes that stand in the first rank; nothing leads to them
    last: frozenset[int] = frozenset()  # boxes that stand in the last; they lead to nothing

    def turned(self) -> Diagram:
        """The same with width and height exchanged."""
        return self._replace(sizes=[(height, width) for width, height in self.sizes])


class Layout(NamedTuple):
    """Places in a frame whose upper left corner is (0, 0), in pixels."""

    centres: list[Point]  # of each box
    curves: list[list[Point]]  # of each link: Bezier points, a start and three for each cubic piece
    size: Point  # of the frame

    def turned(self) -> Layout:
        """Mirrored at the diagonal, so that links that led down lead right."""
        return Layout(
            [(y, x) for x, y in self.centres],
            [[(y, x) for x, y in curve] for curve in self.curves],
            (self.size[1], self.size[0]),
        )


GAP = 14.0
"""Between two boxes of a rank, in pixels."""

RANK_GAP = 26.0
"""Between two ranks."""
