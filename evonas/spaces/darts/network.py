"""The network of DARTS: a stem and cells, two of which halve the image."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import (
    BatchNorm,
    Convolution,
    FactorizedReduction,
    Linear,
    ReluConvNorm,
    ReluSeparableNorm,
    Style,
    average_pool,
    max_pool,
)
from evonas.nn.graph import Maker, make_graph
from evonas.nn.repeated import repeated, runs
from evonas.spaces.darts.genes import INPUTS, NODES, PRIMITIVES, Genes, unfold

if TYPE_CHECKING:
    from evonas.spaces.darts.space import DARTS

TARGETS = tuple(INPUTS + edge // 2 for edge in range(2 * NODES))


class Cell(nnx.Module):
    """One cell in a network; ``reduced`` says whether the layer before the last has twice the image's size."""

    def __init__(
        self,
        genes: Genes | None,
        channels: int,
        stride: int,
        inputs: tuple[int, int],
        reduced: bool,
        rngs: nnx.Rngs,
        style: Style,
    ):
        before, last = inputs
        self.first = (
            FactorizedReduction(before, channels, rectified=True, rngs=rngs, style=style)
            if reduced
            else ReluConvNorm(before, channels, 1, rngs=rngs, style=style)
        )
        self.second = ReluConvNorm(last, channels, 1, rngs=rngs, style=style)
        kinds = [int(stride == 2)] * INPUTS + [0] * NODES

        def makers(step: int) -> list[Maker]:
            return [
                functools.partial(_operation, name, channels=channels, stride=step, style=style) for name in PRIMITIVES
            ]

        every = [makers(step) for step in range(1, stride + 1)]
        self.graph = make_graph(every, kinds, TARGETS, genes and genes.edges, rngs)

    def __call__(self, before: jax.Array, last: jax.Array, genes: Genes | None = None) -> jax.Array:
        """The nodes' concatenation ``[B, H / stride, W / stride, 4 channels]``; a shared cell needs the genes."""
        states = self.graph([self.first(before), self.second(last)], genes and genes.edges)
        return jnp.concatenate(states[INPUTS:], -1)


class Network(nnx.Module):
    """Stem, cells, global average, linear layer."""

    def __init__(self, space: DARTS, genome: np.ndarray | None, rngs: nnx.Rngs, style: Style):
        genes = (None, None) if genome is None else unfold(genome)
        width, channels, reduced = 3 * space.channels, space.channels, False
        self.stem = Convolution(space.input_shape[-1], width, 3, rngs=rngs, style=style)
        self.stem_norm = BatchNorm(width)
        inputs, cells, kinds = (width, width), [], []
        for number in range(space.cells):
            reduces = number in reductions(space)
            channels *= 1 + reduces
            cells.append(Cell(genes[reduces], channels, 1 + reduces, inputs, reduced, rngs, style))
            kinds.append((reduces, inputs, reduced))
            inputs, reduced = (inputs[1], NODES * channels), reduces
        self.cells, self.reductions, self.runs = nnx.List(cells), reductions(space), runs(kinds, genome is None)
        self.head = Linear(inputs[1], space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome."""
        del rngs
        genes = (None, None) if genome is None else unfold(genome)
        before = last = self.stem_norm(self.stem(x))
        for first, end in self.runs:
            of_run = genes[first in self.reductions]
            if first == end:
                before, last = last, self.cells[first](before, last, of_run)
            else:
                before, last = _repeated_cells(self.cells[first : end + 1], before, last, of_run)
        return self.head(last.mean((1, 2), dtype=jnp.float32)).astype(jnp.float32)


def _repeated_cells(
    cells: Sequence[Cell], before: jax.Array, last: jax.Array, genes: Genes | None
) -> tuple[jax.Array, jax.Array]:
    """The last two of what equal cells give one after the other."""

    def call(modules: Any, carry: tuple[jax.Array, jax.Array], _: None) -> tuple[jax.Array, jax.Array]:
        before, last = carry
        return last, modules[0](before, last, genes)

    return repeated(call, [(cell,) for cell in cells], (before, last))


def reductions(space: DARTS) -> tuple[int, int]:
    """Which cells halve the image."""
    return space.cells // 3, 2 * space.cells // 3


def _operation(name: str, rngs: nnx.Rngs, channels: int, stride: int, style: Style) -> Any:
    if name == "none":
        return lambda x: jnp.zeros_like(x[:, ::stride, ::stride])
    if name == "skip_connect":
        if stride == 1:
            return lambda x: x
        return FactorizedReduction(channels, channels, rectified=True, rngs=rngs, style=style)
    if "pool" in name:
        pool = max_pool if name.startswith("max") else average_pool
        return lambda x: pool(x)[:, ::stride, ::stride]
    layers, dilation = (2, 1) if name.startswith("sep") else (1, 2)
    return ReluSeparableNorm(channels, channels, int(name[-1]), layers, stride, dilation, rngs=rngs, style=style)
