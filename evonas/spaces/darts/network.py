"""The network of DARTS: a stem and cells, two of which halve the image."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import BatchNorm, Convolution, Linear, ReluConvNorm, Style, average_pool, max_pool
from evonas.nn.graph import Graph, Maker, SharedGraph
from evonas.spaces.darts.genes import INPUTS, NODES, PRIMITIVES, Genes, unfold
from evonas.spaces.nasnet.cell import FactorizedReduction
from evonas.spaces.nasnet.operations import Separable

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
            FactorizedReduction(before, channels, rngs, style, rectified=True)
            if reduced
            else ReluConvNorm(before, channels, 1, rngs=rngs, style=style)
        )
        self.second = ReluConvNorm(last, channels, 1, rngs=rngs, style=style)
        kinds = [int(stride == 2)] * INPUTS + [0] * NODES

        def makers(step: int) -> list[Maker]:
            settings = {"channels": channels, "stride": step, "style": style}
            return [functools.partial(_operation, name, **settings) for name in PRIMITIVES]

        every = [makers(step) for step in range(1, stride + 1)]
        if genes is None:
            self.graph: Graph | SharedGraph = SharedGraph(every, kinds, TARGETS, rngs)
        else:
            chosen = np.stack([genes.sources.ravel(), genes.operations.ravel()], 1)
            self.graph = Graph(every, kinds, TARGETS, chosen, rngs)

    def __call__(self, before: jax.Array, last: jax.Array, genes: Genes | None = None) -> jax.Array:
        """The nodes' concatenation ``[B, H / stride, W / stride, 4 channels]``; a shared cell needs the genes."""
        inputs = [self.first(before), self.second(last)]
        if isinstance(self.graph, Graph):
            states = self.graph(inputs)
        else:
            states = self.graph(inputs, genes and (genes.sources.ravel(), genes.operations.ravel()))
        return jnp.concatenate(states[INPUTS:], -1)


class Network(nnx.Module):
    """Stem, cells, global average, linear layer."""

    def __init__(self, space: DARTS, genome: np.ndarray | None, rngs: nnx.Rngs, style: Style):
        genes = (None, None) if genome is None else unfold(genome)
        width, channels, reduced = 3 * space.channels, space.channels, False
        self.stem = Convolution(space.input_shape[-1], width, 3, rngs=rngs, style=style)
        self.stem_norm = BatchNorm(width)
        inputs, cells = (width, width), []
        for number in range(space.cells):
            reduces = number in reductions(space)
            channels *= 1 + reduces
            cells.append(Cell(genes[reduces], channels, 1 + reduces, inputs, reduced, rngs, style))
            inputs, reduced = (inputs[1], NODES * channels), reduces
        self.cells, self.reductions = nnx.List(cells), reductions(space)
        self.head = Linear(inputs[1], space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome."""
        del rngs
        genes = (None, None) if genome is None else unfold(genome)
        before = last = self.stem_norm(self.stem(x))
        for number, cell in enumerate(self.cells):
            before, last = last, cell(before, last, genes[number in self.reductions])
        return self.head(last.mean((1, 2), dtype=jnp.float32)).astype(jnp.float32)


def reductions(space: DARTS) -> tuple[int, int]:
    """Which cells halve the image."""
    return space.cells // 3, 2 * space.cells // 3


def _operation(name: str, rngs: nnx.Rngs, channels: int, stride: int, style: Style) -> Any:
    if name == "none":
        return lambda x: jnp.zeros_like(x[:, ::stride, ::stride])
    if name == "skip_connect":
        if stride == 1:
            return lambda x: x
        return FactorizedReduction(channels, channels, rngs, style, rectified=True)
    if "pool" in name:
        pool = max_pool if name.startswith("max") else average_pool
        return lambda x: pool(x)[:, ::stride, ::stride]
    layers, dilation = (2, 1) if name.startswith("sep") else (1, 2)
    return Separable(channels, channels, int(name[-1]), layers, stride, rngs, style, dilation)
