"""Layers with weights, as Flax modules."""

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.convolution import convolve
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
        dilation: int = 1,
        *,
        rngs: nnx.Rngs,
        style: Style,
    ):
        self.stride, self.groups, self.dilation, self.style = stride, groups, dilation, style
        self.kernel = nnx.Param(style.kernel(rngs, (size, size, inputs // groups, outputs)))

    def __call__(self, x: jax.Array, rectified: bool = False) -> jax.Array:
        """Convolve ``x`` ``[B, H, W, I]``, or its positive part."""
        kernel = self.kernel[...].astype(self.style.dtype)
        return convolve(x.astype(self.style.dtype), kernel, self.stride, self.dilation, self.groups, rectified)

    def narrow(self, inputs: jax.Array | int, outputs: jax.Array | int) -> None:
        """Scale the new weights to those of a layer of so many channels; the others are not in use."""
        fan = inputs if self.groups == 1 else 1
        self.kernel.set_value(self.kernel[...] * self.style.narrowing(self.kernel.shape, fan, outputs))


class LineConvolution(nnx.Module):
    """Convolution along one axis of an image alone, 1 its height or 2 its width, and so is its stride."""

    def __init__(
        self, inputs: int, outputs: int, size: int, axis: int, stride: int = 1, *, rngs: nnx.Rngs, style: Style
    ):
        self.axis, self.stride, self.style = axis, stride, style
        self.kernel = nnx.Param(style.kernel(rngs, (1, size, inputs, outputs)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve ``x`` ``[B, H, W, I]``."""
        dtype = self.style.dtype
        x = (x.swapaxes(1, 2) if self.axis == 1 else x).astype(dtype)
        lines = convolve(x.reshape(-1, 1, *x.shape[2:]), self.kernel[...].astype(dtype), self.stride)
        y = lines.reshape(*x.shape[:2], *lines.shape[2:])
        return y.swapaxes(1, 2) if self.axis == 1 else y


class Linear(nnx.Module):
    """Affine map of the last axis."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs, style: Style):
        self.style = style
        self.kernel = nnx.Param(style.kernel(rngs, (inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map ``x`` ``[..., I]``."""
        dtype = self.style.dtype
        return x.astype(dtype) @ self.kernel[...].astype(dtype) + self.bias[...].astype(dtype)

    def narrow(self, inputs: jax.Array | int, outputs: jax.Array | int) -> None:
        """Scale the new weights to those of a layer of so many channels; the others are not in use."""
        self.kernel.set_value(self.kernel[...] * self.style.narrowing(self.kernel.shape, inputs, outputs))


class SeparableConvolution(nnx.Module):
    """Depthwise convolution, then a pointwise one; without bias, and nothing between them."""

    def __init__(self, inputs: int, outputs: int, size: int, *, rngs: nnx.Rngs, style: Style):
        self.depthwise = Convolution(inputs, inputs, size, groups=inputs, rngs=rngs, style=style)
        self.pointwise = Convolution(inputs, outputs, 1, rngs=rngs, style=style)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve ``x`` ``[B, H, W, I]``."""
        return self.pointwise(self.depthwise(x))

    def narrow(self, inputs: jax.Array | int, outputs: jax.Array | int) -> None:
        """Scale the new weights to those of a layer of so many channels; the others are not in use."""
        self.depthwise.narrow(inputs, inputs)
        self.pointwise.narrow(inputs, outputs)


class Dropout(nnx.Module):
    """Dropout (Srivastava et al. 2014) whose rate is given at each call, so that a genome may choose it.

    Args:
        channels: how many are drawn for, at least those of the input: networks of other widths, given the same key,
            so drop the same units.
    """

    def __init__(self, channels: int | None = None) -> None:
        self.channels = channels
        self.deterministic = False

    def __call__(self, x: jax.Array, rate: jax.Array | float, rngs: nnx.Rngs | None) -> jax.Array:
        """Zero a share ``rate`` of ``x`` in training and scale the rest; ``rngs`` has a stream ``dropout``."""
        if self.deterministic or rngs is None:
            return x
        shape = (*x.shape[:-1], self.channels or x.shape[-1])
        keep = jax.random.bernoulli(rngs.dropout(), 1.0 - rate, shape)[..., : x.shape[-1]]
        # Times the reciprocal: XLA turns some divisions by a scalar into that, and for one device others than for two.
        return jnp.where(keep, x * (1.0 / (1.0 - rate)), 0.0).astype(x.dtype)
