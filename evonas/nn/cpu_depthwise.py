"""Depthwise convolutions and their derivatives in the forms that XLA:CPU is fast at.

A sum of shifted products, one a tap, becomes one vectorised pass over memory, where a convolution of many groups takes
XLA:CPU far longer. That holds of a pass that writes its sums: into a reduction over places, whether it is a following
normalisation's mean or the derivative by one tap, XLA fuses the taps so that they run many times slower.
"""

import jax
import jax.numpy as jnp

from evonas.nn.lax_convolution import half_padding

COLUMNS = 32
"""The most columns of a slope that are one pass: each is a term of the program."""


def convolve(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    """`evonas.nn.convolve` of as many groups as channels."""
    padded = _padded(x, kernel, dilation)
    rows, columns = -(-x.shape[1] // stride), -(-x.shape[2] // stride)
    total = jnp.zeros((len(x), rows, columns, x.shape[3]), jnp.float32)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            down, right = i * dilation, j * dilation
            window = padded[
                :,
                down : down + (rows - 1) * stride + 1 : stride,
                right : right + (columns - 1) * stride + 1 : stride,
            ]
            total = total + window.astype(jnp.float32) * kernel[i, j, 0].astype(jnp.float32)
    return jax.lax.optimization_barrier(total.astype(x.dtype))


def slopes(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The derivatives by ``x`` and by the kernel, of the ``slope`` by the output."""
    spread = jax.lax.optimization_barrier(_spread(slope, x.shape, stride))
    return convolve(spread, kernel[::-1, ::-1], 1, dilation), _slope_of_kernel(x, kernel, stride, dilation, slope)


def _padded(x: jax.Array, kernel: jax.Array, dilation: int) -> jax.Array:
    return jnp.pad(x, ((0, 0), *(half_padding(size, dilation) for size in kernel.shape[:2]), (0, 0)))


def _spread(slope: jax.Array, shape: tuple[int, ...], stride: int) -> jax.Array:
    """The slope, zero at the places that a stride leaves out."""
    ends = [side - 1 - (kept - 1) * stride for side, kept in zip(shape[1:3], slope.shape[1:3], strict=True)]
    return jax.lax.pad(
        slope, jnp.zeros((), slope.dtype), ((0, 0, 0), *((0, end, stride - 1) for end in ends), (0, 0, 0))
    )


def _slope_of_kernel(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """A depthwise convolution of each example with its own slope, summed over examples; in float32."""
    (height, width), (batch, rows, columns, channels) = kernel.shape[:2], slope.shape
    at_once, passes = min(columns, COLUMNS), -(-columns // COLUMNS)
    missing = at_once * passes - columns
    slope = jnp.pad(slope, ((0, 0), (0, 0), (0, missing), (0, 0)))
    padded = jnp.pad(_padded(x, kernel, dilation), ((0, 0), (0, 0), (0, missing * stride), (0, 0)))
    padded = jax.lax.optimization_barrier(padded)
    reach = (at_once - 1) * stride + (width - 1) * dilation + 1

    def step(number: jax.Array, total: jax.Array) -> jax.Array:
        row, column = number // passes, number % passes * at_once
        start = (0, row * stride, column * stride, 0)
        window = jax.lax.dynamic_slice(padded, start, (batch, (height - 1) * dilation + 1, reach, channels))
        factors = jax.lax.dynamic_slice(slope, (0, row, column, 0), (batch, 1, at_once, channels))
        for place in range(at_once):
            first = place * stride
            taps = window[:, ::dilation, first : first + (width - 1) * dilation + 1 : dilation]
            total = total + taps.astype(jnp.float32) * factors[:, :, place : place + 1].astype(jnp.float32)
        return total

    start = jnp.zeros((batch, height, width, channels), jnp.float32)
    total = jax.lax.fori_loop(0, rows * passes, step, start)
    return total.sum(0)[:, :, None].astype(kernel.dtype)
