"""Networks of `MacroCNN` as graphs: a column a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.graph import Graph, Node, Part
from evonas.spaces.macro_cnn.genes import (
    ACTIVATION,
    CONNECTION,
    FILTERS,
    KERNEL,
    NONE,
    NORM,
    REDUCTIONS,
    TYPE,
    TYPES,
    Genes,
    weighted,
)
from evonas.spaces.outline import Column

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN

_NAMES = {"conv": "conv", "separable": "sep", "max_pool": "max pool 3x3", "avg_pool": "avg pool 3x3"}
_KINDS = {"conv": "convolution", "separable": "separable", "max_pool": "pool", "avg_pool": "pool"}


def picture(space: MacroCNN, genes: Genes) -> Graph:
    """The layers that are there, of genes in canonical form."""
    stages = [_stage(space, genes, stage) for stage in range(space.stages)]
    return Graph((tuple(stages),))


def _stage(space: MacroCNN, genes: Genes, stage: int) -> Part:
    height, width = (-(-side // 2**stage) for side in space.input_shape[:2])
    entry = f"image, {space.input_shape[-1]} channels" if not stage else f"from stage {stage}"
    column = Column(f"stage {stage + 1}: {height}x{width}", Node("input", entry, "input"))
    if stage:
        column.add({"max": "max", "average": "avg"}[REDUCTIONS[genes.reductions[stage - 1]]] + " pool 2x2 /2", "pool")
    previous = column.end
    for layer in genes.layers[stage]:
        if layer[TYPE] == NONE:
            continue
        entered = column.end
        column.add(_label(space, layer), _KINDS[TYPES[layer[TYPE]]])
        connection = space.connections[layer[CONNECTION]]
        if connection != "plain":
            column.sum_with({"residual": entered, "skip": previous}[connection])
        previous = entered
    if stage + 1 < space.stages:
        column.add(f"to stage {stage + 2}", "output")
    else:
        _head(space, genes, column)
    return column.part()


def _head(space: MacroCNN, genes: Genes, column: Column) -> None:
    column.add("average over the image", "operation")
    if units := space.dense[genes.head[0]]:
        column.add(f"dense {units}, {space.activations[genes.head[1]]}", "dense")
    column.add("linear", "dense")
    column.add(f"{space.classes} outputs", "output")


def _label(space: MacroCNN, layer: np.ndarray) -> str:
    name = _NAMES[TYPES[layer[TYPE]]]
    if not weighted(layer[TYPE]):
        return name
    size, filters = space.kernels[layer[KERNEL]], space.filters[layer[FILTERS]]
    norm = {"batch": "batch norm, ", "layer": "layer norm, ", "none": ""}[space.norms[layer[NORM]]]
    return f"{name} {size}x{size}, {filters}\n{norm}{space.activations[layer[ACTIVATION]]}"
