"""Pooling by shifted sums and maxima."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def average_pool(x: jax.Array, size: int = 3) -> jax.Array:
    """Mean of the ``size`` x ``size`` neighbourhood of each place of ``x`` ``[B, H, W, C]``, stride 1.

    Padding is left out of the count. The window of an even size begins at its place.
    """
    return _windows(x, size, 0.0, jnp.add) * _shares(x, size)


def _forward(x: jax.Array, size: int) -> tuple[jax.Array, None]:
    return average_pool(x, size), None


def _backward(size: int, kept: None, slope: jax.Array) -> tuple[jax.Array]:
    """The sum over all windows that a place is in: JAX's derivative makes an array a shift."""
    del kept
    return (_windows(slope * _shares(slope, size), size, 0.0, jnp.add, mirrored=True),)


average_pool.defvjp(_forward, _backward)


def max_pool(x: jax.Array, size: int = 3) -> jax.Array:
    """Maximum of the ``size`` x ``size`` neighbourhood of each place of ``x`` ``[B, H, W, C]``, stride 1.

    The window of an even size begins at its place.
    """
    return _windows(x, size, -jnp.inf, _larger)


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


def _shares(x: jax.Array, size: int) -> jax.Array:
    """One through the places of each window: ``[H, W, 1]``.

    Computed by NumPy: a ``reduce_window`` over a constant is folded by XLA as it compiles, which takes longer than
    compiling all the rest of a network.
    """
    counts = [np.convolve(np.ones(side), np.ones(size))[size // 2 :][:side] for side in x.shape[1:3]]
    return jnp.asarray(1.0 / np.multiply.outer(*counts)[:, :, None], x.dtype)


def _windows(
    x: jax.Array,
    size: int,
    fill: float,
    combine: Callable[[jax.Array, jax.Array], jax.Array],
    mirrored: bool = False,
) -> jax.Array:
    """Each place's window combined, over rows and then columns: padded once, the rest is one pass over memory."""
    borders = ((size - 1) // 2, size // 2)[:: -1 if mirrored else 1]
    padded = jnp.pad(x, ((0, 0), borders, borders, (0, 0)), constant_values=fill)
    rows = _combined(padded, 1, size, combine)
    return _combined(rows, 2, size, combine)


def _combined(
    padded: jax.Array, axis: int, size: int, combine: Callable[[jax.Array, jax.Array], jax.Array]
) -> jax.Array:
    length = padded.shape[axis] - size + 1
    shifted = (jax.lax.slice_in_dim(padded, start, start + length, axis=axis) for start in range(size))
    return functools.reduce(combine, shifted)
