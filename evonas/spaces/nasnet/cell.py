"""A cell in a network, shared or of one genotype."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import ConvNorm, FactorizedReduction, ReluConvNorm, Style
from evonas.nn.choice import as_module
from evonas.nn.graph import Maker, make_graph
from evonas.nn.width import used_channels
from evonas.spaces.nasnet.genes import COMBINATIONS, INPUTS, STATES, Cell
from evonas.spaces.nasnet.operations import make_operation

TARGETS = tuple(INPUTS + place // 2 for place in range(2 * COMBINATIONS))


class Shape(NamedTuple):
    """What is known of an array before it is there."""

    channels: int  # at most, in a shared network
    halvings: int  # of the image so far


class Features(NamedTuple):
    """An array in a network."""

    x: jax.Array  # [B, H, W, C]
    width: Any  # channels in use: int32, or None for all


class CellNetwork(nnx.Module):
    """Five pairwise combinations on what the two layers before gave.

    Args:
        operations: to choose from.
        genes: the cell's, its operations as places in ``operations``; None for a shared network.
        filters: channels of its states.
        stride: 1, or 2 for a reduction cell: of the operations on states 0 and 1.
        current: shape of what the layer before gives.
        previous: of what the one before that gives; None in the first cell, which takes ``current`` for both.
        rngs: for the weights.
        style: for the weights.
    """

    def __init__(
        self,
        operations: tuple[str, ...],
        genes: Cell | None,
        filters: int,
        stride: int,
        current: Shape,
        previous: Shape | None,
        rngs: nnx.Rngs,
        style: Style,
    ):
        first = Shape(filters, current.halvings)
        second = current if previous is None else first
        inner = Shape(filters, current.halvings + stride - 1)
        shapes = (first, second) + (inner,) * COMBINATIONS
        different = list(dict.fromkeys([inner, first, second]))
        self.first = ReluConvNorm(current.channels, filters, 1, rngs=rngs, style=style)
        self.second = _fitting_layer(previous, first, rngs, style)

        def makers(shape: Shape) -> list[Maker]:
            step = 1 if shape.halvings == inner.halvings else 2
            build = functools.partial(make_operation, inputs=shape.channels, outputs=filters, stride=step, style=style)
            return [functools.partial(build, name) for name in operations]

        every, kinds = [makers(shape) for shape in different], [different.index(shape) for shape in shapes]
        self.graph = make_graph(every, kinds, TARGETS, genes and genes.edges, rngs)
        self.outputs = tuple(range(STATES)) if genes is None else tuple(np.flatnonzero(genes.outputs).tolist())
        self.fit = nnx.Dict({f"state{state}": _fitting(shapes[state], inner, rngs, style) for state in self.outputs})
        self.shape = Shape(len(self.outputs) * filters, inner.halvings)
        self.identity = operations.index("none") if "none" in operations else -1
        self.identities = None if genes is None else tuple((genes.operations.ravel() == self.identity).tolist())
        self.filters, self.alike = filters, previous is not None and previous.halvings == current.halvings

    def __call__(
        self,
        current: Features,
        previous: Features | None,
        genes: Cell | None = None,
        gates: jax.Array | None = None,
    ) -> Features:
        """The outputs' concatenation ``[B, H / stride, W / stride, C]``; a shared cell needs the genes."""
        inputs = [self.first(current.x), current.x if previous is None else self._second(previous)]
        states = self.graph(inputs, genes and genes.edges, gates)
        if genes is None:
            return Features(jnp.concatenate([self._fitted(states, state) for state in self.outputs], -1), None)
        fitted = jnp.stack([self._fitted(states, state) for state in self.outputs])
        chosen = genes.outputs
        packed = jnp.moveaxis(fitted[jnp.argsort(~chosen, stable=True)], 0, 3)
        width = chosen.sum() * fitted.shape[-1]
        return Features(used_channels(packed.reshape(*packed.shape[:3], -1), width), width)

    def gates(self, key: jax.Array, batch: int, rate: Any, genes: Cell | None = None) -> jax.Array:
        """What drop path multiplies each edge's output by ``[10, B]``: 0 at a rate, else more; identities stay.

        Larsson et al. 2017; the rate grows in the course of training in Zoph et al. 2018.
        """
        keep = jax.random.bernoulli(key, 1.0 - rate, (2 * COMBINATIONS, batch))
        identity = self.identities if genes is None else genes.operations.ravel() == self.identity
        return jnp.where(jnp.asarray(identity)[:, None], 1.0, keep / (1.0 - rate))

    def narrow(self, current: Any, previous: Any) -> None:
        """Scale the new weights to those of inputs of so many channels."""
        self.first.convolution.narrow(current, self.filters)
        if isinstance(self.second, ReluConvNorm):
            self.second.convolution.narrow(previous, self.filters)
        elif isinstance(self.second, FactorizedReduction):
            self.second.narrow(previous)

    def _second(self, previous: Features) -> jax.Array:
        y = self.second(previous.x)
        if previous.width is None or not self.alike:
            return y
        # A layer that happens to have as many channels is taken as it is.
        return jnp.where(previous.width == self.filters, previous.x[..., : self.filters], y)

    def _fitted(self, states: list[jax.Array], state: int) -> jax.Array:
        return self.fit[f"state{state}"](states[state])


def _fitting_layer(shape: Shape | None, wanted: Shape, rngs: nnx.Rngs, style: Style) -> nnx.Module:
    """What fits the layer before the last to the last: nothing if there is none, or it is alike."""
    if shape is None or shape == wanted:
        return as_module(lambda x: x)
    if shape.halvings != wanted.halvings:
        return FactorizedReduction(shape.channels, wanted.channels, rectified=True, rngs=rngs, style=style)
    return ReluConvNorm(shape.channels, wanted.channels, 1, rngs=rngs, style=style)


def _fitting(shape: Shape, wanted: Shape, rngs: nnx.Rngs, style: Style) -> nnx.Module:
    """What fits a state to the others that it is concatenated with."""
    if shape == wanted:
        return as_module(lambda x: x)
    if shape.halvings == wanted.halvings:
        return ConvNorm(shape.channels, wanted.channels, rngs=rngs, style=style)
    return FactorizedReduction(shape.channels, wanted.channels, rngs=rngs, style=style)
