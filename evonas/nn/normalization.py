"""Normalisation of activations."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.width import used_channels

EPSILON = 1e-5
MOMENTUM = 0.9


class BatchNorm(nnx.Module):
    """Batch normalisation over all axes but the last (Ioffe and Szegedy 2015), channels last.

    The variance is E[x^2] - E[x]^2 in float32: one pass, a quarter of the two-pass form's time on a CPU. It is exact to
    about 1e-7 (mean / deviation)^2, so inputs are best near zero, as normalised data and the outputs of layers are.
    ``train()`` and ``eval()`` of the module, or of one that holds it, choose batch or running statistics.
    """

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.variance = nnx.BatchStat(jnp.ones(channels))
        self.use_running_average = False

    def __call__(self, x: jax.Array, width: jax.Array | int | None = None) -> jax.Array:
        """Normalise ``x`` ``[..., C]``; each channel by itself, so that a ``width`` changes nothing."""
        del width
        if self.use_running_average:
            return _scaled(x, self.scale[...], self.bias[...], self.mean[...], self.variance[...])
        y, mean, variance = _normalised(x, self.scale[...], self.bias[...])
        self.mean.set_value(MOMENTUM * self.mean[...] + (1 - MOMENTUM) * mean)
        self.variance.set_value(MOMENTUM * self.variance[...] + (1 - MOMENTUM) * variance)
        return y


class LayerNorm(nnx.Module):
    """Layer normalisation over the last axis (Ba et al. 2016), for layers of which only some channels are in use."""

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: jax.Array, width: jax.Array | int | None = None) -> jax.Array:
        """Normalise ``x`` ``[..., C]`` over its first ``width`` channels, or all; the others must be zero."""
        wide, share = x.astype(jnp.float32), 1.0 / (x.shape[-1] if width is None else width)
        centred = used_channels(wide - wide.sum(-1, keepdims=True) * share, width)
        variance = jnp.square(centred).sum(-1, keepdims=True) * share
        normal = centred * jax.lax.rsqrt(variance + EPSILON)
        return (normal * self.scale[...] + self.bias[...]).astype(x.dtype)


def _scaled(x: jax.Array, scale: jax.Array, bias: jax.Array, mean: jax.Array, variance: jax.Array) -> jax.Array:
    scale = scale * jax.lax.rsqrt(variance + EPSILON)
    return (x * scale + (bias - mean * scale)).astype(x.dtype)


@jax.custom_vjp
def _normalised(x: jax.Array, scale: jax.Array, bias: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """``x`` normalised by its own moments, and these. The derivative keeps ``x`` alone, and makes one pass over it."""
    axes, wide = tuple(range(x.ndim - 1)), x.astype(jnp.float32)
    mean = wide.mean(axes)
    variance = jnp.maximum(jnp.square(wide).mean(axes) - jnp.square(mean), 0.0)
    return _scaled(x, scale, bias, mean, variance), mean, variance


def _forward(x: jax.Array, scale: jax.Array, bias: jax.Array) -> tuple[Any, Any]:
    y, mean, variance = _normalised(x, scale, bias)
    return (y, mean, variance), (x, scale, mean, variance)


def _backward(kept: Any, slopes: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    (x, scale, mean, variance), (dy, d_mean, d_variance) = kept, slopes
    axes, share = tuple(range(x.ndim - 1)), x.shape[-1] / x.size
    wide = dy.astype(jnp.float32)
    deviation, x_wide = jax.lax.rsqrt(variance + EPSILON), x.astype(jnp.float32)
    # The sum of products of two arrays is one pass; of dy and the normalised x it would be two.
    d_bias = wide.sum(axes)
    d_scale = ((wide * x_wide).sum(axes) - mean * d_bias) * deviation
    # As one multiple of each of dy, x and 1: elementwise work is one pass.
    to_dy = scale * deviation
    to_x = 2 * share * d_variance - to_dy * d_scale * share * deviation
    dx = to_dy * wide + to_x * x_wide + (share * d_mean - to_dy * d_bias * share - to_x * mean)
    return dx.astype(x.dtype), d_scale, d_bias


_normalised.defvjp(_forward, _backward)
