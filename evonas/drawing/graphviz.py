"""A layout by graphviz's program ``dot`` (Gansner et al. 1993)."""

from __future__ import annotations

import shutil
import subprocess

from evonas.drawing.layout import GAP, RANK_GAP, Diagram, Layout, Point

PIXELS = 72.0
"""In an inch, which ``dot`` measures in: its points."""

PATIENCE = 60
"""Seconds that ``dot`` may take."""


def is_installed() -> bool:
    """Whether the program is on the path."""
    return shutil.which("dot") is not None


def by_dot(diagram: Diagram) -> Layout:
    """Places for a diagram; the same for the same diagram and version of graphviz.

    Raises:
        RuntimeError: if ``dot`` is missing or fails.
    """
    try:
        done = subprocess.run(
            ["dot", "-Tplain"], input=_written(diagram), capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise RuntimeError(f"graphviz's program dot failed ({said}): mend it, or draw with layout='layered'") from error
    return _read(done.stdout, diagram)


def _written(diagram: Diagram) -> str:
    lines = [
        f"graph [nodesep={GAP / PIXELS:.3f}, ranksep={RANK_GAP / PIXELS:.3f}, splines=true]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowhead=none]",
    ]
    for box, (width, height) in enumerate(diagram.sizes):
        lines.append(f"{box} [width={width / PIXELS:.4f}, height={height / PIXELS:.4f}]")
    for rank, boxes in (("source", diagram.first), ("sink", diagram.last)):
        if boxes:
            lines.append(f"{{rank={rank}; {'; '.join(map(str, sorted(boxes)))}}}")
    for (start, end), weight in zip(diagram.links, diagram.weights, strict=True):
        lines.append(f"{start} -> {end} [weight={weight}]")
    return "digraph {\n" + ";\n".join(lines) + "\n}\n"


def _read(plain: str, diagram: Diagram) -> Layout:
    """Of the lines ``graph scale width height``, ``node name x y ...`` and ``edge tail head n x1 y1 ...``."""
    lines = [line.split() for line in plain.splitlines()]
    width, height = (float(number) for number in lines[0][2:4])

    def point(x: str, y: str) -> Point:
        return float(x) * PIXELS, (height - float(y)) * PIXELS

    centres = {int(words[1]): point(*words[2:4]) for words in lines if words[0] == "node"}
    curves: dict[tuple[int, int], list[list[Point]]] = {}
    for words in lines:
        if words[0] == "edge":
            numbers = words[4 : 4 + 2 * int(words[3])]
            curve = [point(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            curves.setdefault((int(words[1]), int(words[2])), []).append(curve)
    return Layout(
        [centres[box] for box in range(len(diagram.sizes))],
        [curves[link].pop(0) for link in diagram.links],
        (width * PIXELS, height * PIXELS),
    )
