"""The field's notation of genotypes: ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=..., reduce=...)``."""

from __future__ import annotations

import re

import numpy as np

from evonas.spaces.darts.genes import CELLS, INPUTS, NODES, PRIMITIVES, Genes, unfold

_PAIR = r"\(\s*['\"]%s['\"]\s*,\s*%s\s*\)"
_EDGE = re.compile(_PAIR % (r"(\w+)", r"(\d+)"))
_EDGES = r"\[\s*(?:" + _PAIR % (r"\w+", r"\d+") + r"\s*,?\s*)*\]"
_STATES = r"(?:\[[\d\s,]*\]|range\(\s*\d+\s*,\s*\d+\s*\))"
_CELLS = r"\s*,\s*".join(rf"{name}\s*=\s*({_EDGES})\s*,\s*{name}_concat\s*=\s*({_STATES})" for name in CELLS)
_FORM = re.compile(rf"\s*(?:\w+\s*=\s*)?Genotype\(\s*{_CELLS}\s*,?\s*\)\s*")


def write(genome: np.ndarray) -> str:
    """The genotype of a genome."""
    parts = []
    for name, cell in zip(CELLS, unfold(genome), strict=True):
        edges = zip(cell.operations.ravel(), cell.sources.ravel(), strict=True)
        listed = ", ".join(f"('{PRIMITIVES[operation]}', {source})" for operation, source in edges)
        parts.append(f"{name}=[{listed}], {name}_concat={list(range(INPUTS, INPUTS + NODES))}")
    return f"Genotype({', '.join(parts)})"


def read(text: str) -> np.ndarray:
    """The genome ``[32]`` int32 of a genotype.

    Raises:
        ValueError: if the text has another form, an unknown operation, or a source that comes later.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            "expected Genotype(normal=[('OPERATION', SOURCE), ... 8 in all], normal_concat=[2, 3, 4, 5], reduce=[...], "
            f"reduce_concat=[2, 3, 4, 5]); got {text!r}"
        )
    edges, states = found.groups()[::2], found.groups()[1::2]
    for listed in states:
        numbers = [int(number) for number in re.findall(r"\d+", listed)]
        if sorted(range(*numbers) if listed.startswith("range") else numbers) != list(range(INPUTS, INPUTS + NODES)):
            raise ValueError(f"all of states 2 to 5 are concatenated, got {listed}")
    return np.concatenate([_cell_genes(listed) for listed in edges])


def describe(cell: Genes) -> list[str]:
    """The cell, a line a state."""
    lines = []
    for node in range(NODES):
        edges = zip(cell.operations[node], cell.sources[node], strict=True)
        terms = (f"{PRIMITIVES[operation]}(state {source})" for operation, source in edges)
        lines.append(f"state {INPUTS + node}: {' + '.join(terms)}")
    return lines


def _cell_genes(listed: str) -> np.ndarray:
    edges = _EDGE.findall(listed)
    if len(edges) != 2 * NODES:
        raise ValueError(f"expected {2 * NODES} pairs ('OPERATION', SOURCE), got {listed}")
    genes: list[int] = []
    for place, (operation, source) in enumerate(edges):
        if operation not in PRIMITIVES:
            raise ValueError(f"unknown operation {operation!r}; expected one of {', '.join(PRIMITIVES)}")
        if int(source) >= INPUTS + place // 2:
            raise ValueError(f"state {INPUTS + place // 2} comes from earlier states, got {source}")
        genes += [int(source), PRIMITIVES.index(operation)]
    return np.array(genes, np.int32)
