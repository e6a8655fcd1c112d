"""The end of a network of `MacroCNN`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import Activation, Linear, Style, fit_channels, used_channels

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN


class Head(nnx.Module):
    """The dense layer, if any, and the linear one."""

    def __init__(self, space: MacroCNN, inputs: int, genes: np.ndarray | None, rngs: nnx.Rngs, style: Style):
        self.units = space.dense
        largest = max(space.dense) if genes is None else space.dense[genes[0]]
        if largest:
            only = None if genes is None else int(genes[1])
            self.dense = Linear(inputs, largest, rngs=rngs, style=style)
            self.activation = Activation(space.activations, only)
        self.hidden, self.widest = largest, max(inputs, largest) if genes is None else largest or inputs
        self.linear = Linear(self.widest, space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genes: jax.Array | None = None) -> jax.Array:
        """Logits of ``x`` ``[B, inputs]``; a shared head needs its two genes."""
        if not self.hidden:
            return self.linear(x)
        if genes is None:
            return self.linear(self.activation(self.dense(x)))
        units = jnp.asarray(self.units)[genes[0]]
        hidden = used_channels(self.activation(self.dense(x), genes[1]), units)
        direct = fit_channels(x.astype(hidden.dtype), self.widest)
        return self.linear(jnp.where(units > 0, fit_channels(hidden, self.widest), direct))

    def narrow(self, inputs: Any, genes: jax.Array) -> None:
        """Scale the new weights to those of the chosen dense layer, or none, after so many channels."""
        units = jnp.asarray(self.units)[genes[0]]
        if self.hidden:
            self.dense.narrow(inputs, jnp.maximum(units, 1))
        self.linear.narrow(jnp.where(units > 0, units, inputs), self.linear.bias.shape[0])
