"""The curves of an outcome as a picture."""

from __future__ import annotations

import io
import textwrap

import numpy as np

from evonas.reproductions.outcome import Outcome

MARKED = 20
"""The most points of a joined line that are marked; those of one that is not are, however many."""


def picture(outcome: Outcome) -> bytes:
    """The panels side by side as a PNG file.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("a picture needs matplotlib: pip install matplotlib") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, len(outcome.panels), figsize=(5.5 * len(outcome.panels), 4), layout="constrained", squeeze=False
    )
    for axis, panel in zip(axes[0], outcome.panels, strict=True):
        # By name, so that an algorithm looks alike in all pictures.
        for number, line in enumerate(sorted(panel.lines, key=lambda line: line.name)):
            x, y = np.asarray(line.x), np.asarray(line.y)
            # The first is dashed and on top: one that it lies on is seen through it.
            style = ("-" if number else "--") if line.joined else ""
            style += "o" if not line.joined or 2 < len(x) <= MARKED else ""
            (drawn,) = axis.plot(x, y, style, label=line.name, zorder=10 - number)
            if len(line.width):
                axis.fill_between(x, y - line.width, y + line.width, color=drawn.get_color(), alpha=0.2, linewidth=0)
        if panel.published:
            axis.plot(*zip(*panel.published, strict=True), "kx", markersize=8, label="published", zorder=20)
        axis.set(title=textwrap.fill(panel.title, 50), xlabel=panel.x, ylabel=panel.y)
        axis.grid(alpha=0.3)
        axis.legend()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150)
    pyplot.close(figure)
    return file.getvalue()
