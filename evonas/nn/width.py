"""Channels in use: arrays of a shared network are as wide as any choice, and zero beyond the chosen width."""

import jax
import jax.numpy as jnp


def used_channels(x: jax.Array, width: jax.Array | int | None) -> jax.Array:
    """``x`` ``[..., C]`` with zeros from channel ``width`` on; unchanged if ``width`` is None: all are in use."""
    return x if width is None else jnp.where(jnp.arange(x.shape[-1]) < width, x, jnp.zeros((), x.dtype))


def fit_channels(x: jax.Array, channels: int) -> jax.Array:
    """``x`` ``[..., C]`` cut or padded with zeros to ``[..., channels]``."""
    missing = channels - x.shape[-1]
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)]) if missing > 0 else x[..., :channels]
