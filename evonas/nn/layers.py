"""Layers with weights, as Flax modules."""

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.convolution import convolve
from evonas.nn.normalization import BatchNorm
from evonas.nn.style import Style


class Convolution(nnx.Module):
    """Convolution without bias, zero-padded; ``groups`` is 1 or the number of inputs."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        stride: int = 1,
        groups: int = 1,
        *,
        rngs: nnx.Rngs,
        style: Style,
    ):
        self.stride, self.groups, self.dtype = stride, groups, style.dtype
        self.kernel = nnx.Param(style.kernel(rngs, (size, size, inputs // groups, outputs)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve ``x`` ``[B, H, W, I]``."""
        return convolve(x.astype(self.dtype), self.kernel[...].astype(self.dtype), self.stride, 1, self.groups)


class Linear(nnx.Module):
    """Affine map of the last axis."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs, style: Style):
        self.dtype = style.dtype
        self.kernel = nnx.Param(style.kernel(rngs, (inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map ``x`` ``[..., I]``."""
        return x.astype(self.dtype) @ self.kernel[...].astype(self.dtype) + self.bias[...].astype(self.dtype)


class ReluConvNorm(nnx.Module):
    """ReLU, convolution, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, *, rngs: nnx.Rngs, style: Style):
        self.convolution = Convolution(inputs, outputs, size, stride, rngs=rngs, style=style)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, I]``."""
        return self.norm(self.convolution(jax.nn.relu(x)))


class Dropout(nnx.Module):
    """Dropout (Srivastava et al. 2014) whose rate is given at each call, so that a genome may choose it."""

    def __init__(self) -> None:
        self.deterministic = False

    def __call__(self, x: jax.Array, rate: jax.Array | float, rngs: nnx.Rngs | None) -> jax.Array:
        """Zero a share ``rate`` of ``x`` in training and scale the rest; ``rngs`` has a stream ``dropout``."""
        if self.deterministic or rngs is None:
            return x
        keep = jax.random.bernoulli(rngs.dropout(), 1.0 - rate, x.shape)
        return jnp.where(keep, x / (1.0 - rate), 0.0).astype(x.dtype)
