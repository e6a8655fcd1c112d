"""The notation of published genotypes.

    normal ops avg_pool_3x3 max_pool_3x3 | ... idx 0 0 | 1 1 | ... used 1 0 1 0 0 1 0
    reduce ops ...

Ten operations in five pairs, the ten states they are applied to, and 0 for each state that is concatenated.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from evonas.spaces.nasnet.genes import CELLS, COMBINATIONS, INPUTS, OPERATIONS, STATES, Cell, unfold

_FORM = "normal ops OP OP | ... idx I I | ... used U U U U U U U reduce ops ... idx ... used ..."
_PARTS = {"ops": 2 * COMBINATIONS, "idx": 2 * COMBINATIONS, "used": STATES}
_HEADINGS = {*CELLS, *_PARTS}


def write(genome: np.ndarray) -> str:
    """The genome as text, in one line."""
    return " ".join(f"{name} {_cell_text(cell)}" for name, cell in zip(CELLS, unfold(genome), strict=True))


def read(text: str) -> np.ndarray:
    """The genome ``[54]`` int32 of a text, in any number of lines.

    Raises:
        ValueError: if the text has another form, or an unknown operation or a state that comes later.
    """
    words = text.replace("|", " ").split()
    genes: list[int] = []
    for name in CELLS:
        parts = {}
        for title, count in _PARTS.items():
            heading = [name, title] if title == "ops" else [title]
            if words[: len(heading)] != heading:
                raise ValueError(f"expected {' '.join(heading)!r}, as in {_FORM}; got {' '.join(words[:4])!r}")
            words = words[len(heading) :]
            parts[title] = list(itertools.takewhile(lambda word: word not in _HEADINGS, words))
            if len(parts[title]) != count:
                found = f"{len(parts[title])}: {' '.join(parts[title])!r}"
                raise ValueError(f"expected {count} {title} of the {name} cell, got {found}")
            words = words[count:]
        genes += _cell_genes(parts["ops"], parts["idx"], parts["used"])
    if words:
        raise ValueError(f"expected {_FORM}; got {' '.join(words)!r} behind it")
    return np.array(genes, np.int32)


def _cell_text(cell: Cell) -> str:
    operations, sources = (
        " | ".join(f"{left} {right}" for left, right in pairs)
        for pairs in (np.array(OPERATIONS)[cell.operations], cell.sources)
    )
    return f"ops {operations} idx {sources} used {' '.join(str(int(not output)) for output in cell.outputs)}"


def _cell_genes(operations: list[str], sources: list[str], used: list[str]) -> list[int]:
    pairs: list[int] = []
    for place, (operation, source) in enumerate(zip(operations, sources, strict=True)):
        states = INPUTS + place // 2
        if operation not in OPERATIONS:
            raise ValueError(f"unknown operation {operation!r}; expected one of {', '.join(OPERATIONS)}")
        if source not in map(str, range(states)):
            raise ValueError(f"state {states} is made of states 0 to {states - 1}, got {source}")
        pairs += [int(source), OPERATIONS.index(operation)]
    if not set(used) <= {"0", "1"}:
        raise ValueError(f"used is 0 for each state that is concatenated and 1 for others, got {' '.join(used)}")
    taken = {int(source) for source in sources}
    return pairs + [int((flag == "1") != (state in taken)) for state, flag in enumerate(used)]


def describe(cell: Cell) -> list[str]:
    """The cell, a line a combination, and its output."""
    names: Any = np.array(OPERATIONS)[cell.operations]
    lines = [
        f"state {INPUTS + i}: " + " + ".join(f"{names[i, side]}(state {cell.sources[i, side]})" for side in range(2))
        for i in range(COMBINATIONS)
    ]
    return [*lines, f"output: states {', '.join(map(str, np.flatnonzero(cell.outputs)))}"]
