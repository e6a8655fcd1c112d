"""`draw`: an architecture as a picture."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Any, Literal

from etils import epath

from evonas.arguments import require_instance
from evonas.drawing.graphviz import by_dot, is_installed
from evonas.drawing.layered import layered
from evonas.drawing.sheet import Sheet, arranged
from evonas.drawing.svg import to_svg
from evonas.spaces.base import Space
from evonas.storage import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYOUTS = {"dot": by_dot, "layered": layered}
FORMATS = (".svg", ".png", ".pdf")


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture, which notebooks show.

    Attributes:
        architecture: the text of what it shows.
        svg: a complete ``<svg>`` element: no script, no ids, light or dark as the reader's system is. The page around
            it gives other colours by the CSS variables ``--evonas-paper``, ``--evonas-ink``, ``--evonas-line`` and
            ``--evonas-KIND`` of `evonas.spaces.graph.KINDS`.
        sheet: what is drawn where, in pixels.
    """

    architecture: str
    svg: str = dataclasses.field(repr=False)
    sheet: Sheet = dataclasses.field(repr=False, compare=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def figure(self) -> Figure:
        """The same as a matplotlib figure, light, for programs that take no SVG.

        Raises:
            ImportError: if matplotlib is not installed.
        """
        from evonas.drawing.figure import to_figure

        return to_figure(self.sheet)

    def save(self, path: Any) -> None:
        """Write it to a file, also ``gs://``: SVG, or PNG or PDF by matplotlib.

        Raises:
            ImportError: if matplotlib is needed, and not installed.
            ValueError: if the path does not end in .svg, .png or .pdf.
        """
        path = epath.Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"a drawing is saved to a path that ends in one of {', '.join(FORMATS)}; got {path}")
        if path.suffix == ".svg":
            write_whole(path, self.svg.encode())
            return
        content = io.BytesIO()
        self.figure().savefig(content, format=path.suffix[1:])
        write_whole(path, content.getvalue())


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
    sheet = arranged(space.graph(genome), LAYOUTS[layout])
    return Drawing(architecture, to_svg(sheet, architecture), sheet)
