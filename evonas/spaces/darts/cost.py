"""Parameters and multiply-adds, counted from genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.darts.genes import INPUTS, NODES, PRIMITIVES, unfold
from evonas.spaces.darts.network import reductions
from evonas.spaces.tally import Size, Tally
from evonas.types import Count

if TYPE_CHECKING:
    from evonas.spaces.darts.space import DARTS


def cost(space: DARTS, genome: np.ndarray) -> Count:
    """Of the network of a genome; normalisation has parameters and no cost."""
    normal, reduction = unfold(genome)
    tally, channels = Tally(), space.channels
    height, width, inputs = space.input_shape
    before = last = (3 * channels, tally.convolution(inputs, 3 * channels, (height, width), taps=9))
    for number in range(space.cells):
        stride = 1 + (number in reductions(space))
        channels *= stride
        fit = tally.convolution if before[1] == last[1] else tally.factorized_reduction
        fit(before[0], channels, before[1])
        size = tally.convolution(last[0], channels, last[1])
        genes = reduction if stride == 2 else normal
        inner = (-(-size[0] // stride), -(-size[1] // stride))
        for source, kind in zip(genes.sources.ravel(), genes.operations.ravel(), strict=True):
            outer = source < INPUTS
            _operation_cost(tally, PRIMITIVES[kind], channels, size if outer else inner, stride if outer else 1)
        before, last = last, (NODES * channels, inner)
    tally.linear(last[0], space.classes)
    return tally.count


def _operation_cost(tally: Tally, name: str, channels: int, size: Size, stride: int) -> None:
    if name == "skip_connect" and stride == 2:
        tally.factorized_reduction(channels, channels, size)
    if "conv" in name:
        tally.separable(channels, channels, size, int(name[-1]), 1 + name.startswith("sep"), stride)
