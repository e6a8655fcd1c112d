"""Parameters and multiply-adds of the family's networks, counted from their genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.spaces.nasnet.genes import INPUTS, OPERATIONS, Cell, unfold
from evonas.spaces.nasnet.network import plan, stem_width
from evonas.spaces.nasnet.operations import kernel_size
from evonas.spaces.tally import Size, Tally
from evonas.types import Count

if TYPE_CHECKING:
    from evonas.spaces.nasnet.space import NASNet

Features = tuple[int, Size]
"""Channels and size of an array."""


def cost(space: NASNet, genome: np.ndarray) -> Count:
    """Of the network of a genome."""
    normal, reduction = unfold(genome)
    tally = Tally()
    height, width, channels = space.input_shape
    if space.stem == "imagenet":
        size = tally.convolution(channels, stem_width(space), (height - 2, width - 2), taps=9, stride=(2, 2))
    else:
        size = tally.convolution(channels, stem_width(space), (height, width), taps=9)
    previous, current = None, (stem_width(space), size)
    for stride, filters in plan(space):
        genes = reduction if stride == 2 else normal
        previous, current = current, _cell(tally, genes, filters, stride, current, previous)
    tally.linear(current[0], space.classes)
    return tally.count


def _cell(
    tally: Tally, genes: Cell, filters: int, stride: int, current: Features, previous: Features | None
) -> Features:
    """Add a cell; what it gives."""
    tally.convolution(current[0], filters, current[1])
    second = current
    if previous is not None:
        second = (filters, current[1])
        _fit(tally, previous, second)
    states: list[Features] = [(filters, current[1]), second]
    for sources, kinds in zip(genes.sources, genes.operations, strict=True):
        for source, kind in zip(sources, kinds, strict=True):
            step = stride if source < INPUTS else 1
            inputs, size = states[source]
            size = operation(tally, OPERATIONS[kind], inputs, size, filters, step)
        states.append((filters, size))
    outputs = np.flatnonzero(genes.outputs)
    for state in outputs:
        _fit(tally, states[state], states[-1])
    return len(outputs) * filters, states[-1][1]


def _fit(tally: Tally, features: Features, wanted: Features) -> None:
    """A 1x1 convolution where channels differ, two of half the outputs each where sizes do."""
    (channels, size), (outputs, smaller) = features, wanted
    if size != smaller:
        tally.factorized_reduction(channels, outputs, size)
    elif channels != outputs:
        tally.convolution(channels, outputs, size)


def operation(tally: Tally, name: str, inputs: int, size: Size, outputs: int, stride: int) -> Size:
    """Add an operation by its published name; the size of its output."""
    strides = (stride, stride)
    if name == "none" and stride == 1 and inputs == outputs:
        return size
    if name in ("none", "1x1"):
        return tally.convolution(inputs, outputs, size, stride=strides)
    if "separable" in name:
        return tally.separable(inputs, outputs, size, kernel_size(name), int(name[-1]), stride)
    if "pool" in name:
        size = (-(-size[0] // stride), -(-size[1] // stride))
        return size if inputs == outputs else tally.convolution(inputs, outputs, size)
    return _bottleneck(tally, name, inputs, size, outputs, stride)


def _bottleneck(tally: Tally, name: str, inputs: int, size: Size, outputs: int, stride: int) -> Size:
    inner = 3 * outputs // 8 if name == "1x3_3x1" else outputs // 4
    if inner:
        tally.convolution(inputs, inner, size)
    before, width = inner or inputs, inner or outputs
    if name in ("1x7_7x1", "1x3_3x1"):
        taps = int(name[2])
        size = tally.convolution(before, width, size, taps=taps, stride=(1, stride))
        size = tally.convolution(width, width, size, taps=taps, stride=(stride, 1))
    else:
        size = tally.convolution(before, width, size, taps=9, stride=(stride, stride))
    return tally.convolution(inner, outputs, size) if inner else size
