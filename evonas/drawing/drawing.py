"""`draw`: an architecture as a picture."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from etils import epath

from evonas.arguments import require_instance
from evonas.drawing.graphviz import by_dot, is_installed
from evonas.drawing.layered import layered
from evonas.drawing.sheet import arranged
from evonas.drawing.svg import to_svg
from evonas.spaces.base import Space
from evonas.storage import write_whole

LAYOUTS = {"dot": by_dot, "layered": layered}


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture, which notebooks show.

    Attributes:
        architecture: the text of what it shows.
        svg: a complete ``<svg>`` element: no script, no ids, light or dark as the reader's system is. The page around
            it gives other colours by the CSS variables ``--evonas-paper``, ``--evonas-ink``, ``--evonas-line`` and
            ``--evonas-KIND`` of `evonas.spaces.graph.KINDS`.
    """

    architecture: str
    svg: str = dataclasses.field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Any) -> None:
        """Write it to an SVG file, also ``gs://``.

        Raises:
            ValueError: if the path does not end in .svg.
        """
        path = epath.Path(path)
        if path.suffix != ".svg":
            raise ValueError(f"a drawing is saved as SVG: expected a path that ends in .svg, got {path}")
        write_whole(path, self.svg.encode())


def draw(space: Space, genome: Any, *, layout: Literal["dot", "layered"] | None = None) -> Drawing:
    """A picture of an architecture: what its space's `graph` says, or else its layers as text.

    Args:
        space: that the genome is of.
        genome: ``[L]`` integers.
        layout: "dot", graphviz's program; "layered", evonas's own; or None for dot where it is installed.

    Raises:
        ValueError: if the genome is not of the space, or the layout is unknown.
        RuntimeError: if dot is to be used, and fails.
    """
    require_instance("space", space, Space)
    layout = layout or ("dot" if is_installed() else "layered")
    if layout not in LAYOUTS:
        raise ValueError(f"layout is one of {', '.join(LAYOUTS)}, got {layout!r}")
    genome = space.check(genome)
    architecture = space.format(genome)
    return Drawing(architecture, to_svg(arranged(space.graph(genome), LAYOUTS[layout]), architecture))
