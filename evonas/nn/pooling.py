"""Pooling by shifted sums and maxima."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np


def average_pool(x: jax.Array, size: int = 3) -> jax.Array:
    """Mean of the ``size`` x ``size`` neighbourhood of each place of ``x`` ``[B, H, W, C]``, stride 1.

    Padding is left out of the count. The divisor is computed by NumPy: as a ``reduce_window`` over a constant, XLA
    folds it at compile time, which takes longer than compiling all the rest of a network.
    """
    counts = [_neighbours(x.shape[axis], size) for axis in (1, 2)]
    total = _shifted(_shifted(x, size, 1, 0.0, jnp.add), size, 2, 0.0, jnp.add)
    return total * jnp.asarray(1.0 / np.multiply.outer(*counts)[:, :, None], x.dtype)


def max_pool(x: jax.Array, size: int = 3) -> jax.Array:
    """Maximum of the ``size`` x ``size`` neighbourhood of each place of ``x`` ``[B, H, W, C]``, stride 1."""
    return _shifted(_shifted(x, size, 1, -jnp.inf, _larger), size, 2, -jnp.inf, _larger)


def halve(x: jax.Array, reduction: str = "average") -> jax.Array:
    """Average or maximum of each 2 x 2 block of ``x`` ``[B, H, W, C]``; an odd last row or column is padded.

    Padding is left out of both.
    """
    height, width = x.shape[1:3]
    edge = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    blocks = (x.shape[0], -(-height // 2), 2, -(-width // 2), 2, x.shape[3])
    if reduction == "max":
        padded = jnp.pad(x, edge, constant_values=-jnp.inf)
        rows = _larger(padded[:, ::2], padded[:, 1::2])
        return _larger(rows[:, :, ::2], rows[:, :, 1::2])
    counts = np.pad(np.ones((height, width)), edge[1:3]).reshape(blocks[1:5]).sum((1, 3))
    return jnp.pad(x, edge).reshape(blocks).sum((2, 4)) * jnp.asarray(1.0 / counts[:, :, None], x.dtype)


def _larger(x: jax.Array, y: jax.Array) -> jax.Array:
    """The larger one, and NaN if one is; of equal ones the first has the derivative.

    The derivative of `jnp.max` looks for what equals the maximum. XLA may compute both anew, rounded differently, and
    nothing is equal: the derivative becomes 0 / 0, and that of `jnp.maximum` 0. A comparison of the
    two always takes one of them.
    """
    return jnp.where((x < y) | (y != y), y, x)


def _neighbours(length: int, size: int) -> np.ndarray:
    return np.convolve(np.ones(length), np.ones(size), mode="full")[size // 2 :][:length]


def _shifted(
    x: jax.Array, size: int, axis: int, fill: float, combine: Callable[[jax.Array, jax.Array], jax.Array]
) -> jax.Array:
    pad = [(0, 0)] * x.ndim
    pad[axis] = (size // 2, size // 2)
    padded = jnp.pad(x, pad, constant_values=fill)
    length = x.shape[axis]
    total = jax.lax.slice_in_dim(padded, 0, length, axis=axis)
    for start in range(1, size):
        total = combine(total, jax.lax.slice_in_dim(padded, start, start + length, axis=axis))
    return total
