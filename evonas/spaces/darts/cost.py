"""Parameters and multiply-adds, counted from genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.darts.genes import INPUTS, NODES, PRIMITIVES, unfold
from evonas.spaces.darts.network import reductions
from evonas.spaces.nasnet.cost import separable
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
        halved = before[1] != last[1]
        for half in (channels // 2, channels - channels // 2) if halved else (channels,):
            tally.convolution(before[0], half, before[1], stride=(1 + halved, 1 + halved))
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
        for half in (channels // 2, channels - channels // 2):
            tally.convolution(channels, half, size, stride=(2, 2))
    if "conv" in name:
        separable(tally, channels, channels, int(name[-1]), 1 + name.startswith("sep"), size, stride)
