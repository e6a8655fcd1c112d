"""Dense convolutions and their derivatives in the forms that XLA:CPU is fast at.

Inside ``while``, ``scan`` and ``switch`` only convolutions in the canonical layout (NHWC input, HWIO kernel) reach a
fast kernel, and the derivatives that JAX writes are not in that layout: they run 30 to 90 times slower there (jax issue
12868). So all three are written here as canonical convolutions or matrix products. Narrow ones, of at most `NARROW`
channels, leave most of a vector register idle: they are computed for several pixels at once.
"""

import jax
import jax.numpy as jnp

from evonas.nn import winograd
from evonas.nn.lax_convolution import convolved, half_padding, plain
from evonas.nn.parts import examples_at_once, in_parts

NARROW, BUSY = 16, 32
"""Channels up to which a convolution is narrow, and outputs that keep the kernel busy."""
CACHED = 2**15
"""The numbers of a slope that are read at once."""


def convolve(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    """`evonas.nn.convolve` of one group."""
    if stride == dilation == 1:
        return winograd.convolve(x, kernel) if winograd.fits(x, kernel) else _same(x, kernel)
    return plain(x, kernel, stride, dilation)


def slopes(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, rectified: bool, slope: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The derivatives by ``x`` and by the kernel of a convolution of ``x``, or of ``max(x, 0)``.

    ``slope`` is the one by the output. The derivative of the maximum is left out.
    """
    if stride == dilation == 1 and winograd.fits(x, kernel):
        return winograd.slopes(jax.nn.relu(x) if rectified else x, kernel, slope)
    return (
        _slope_of_input(x, kernel, stride, dilation, slope),
        _slope_of_kernel(x, kernel, stride, dilation, rectified, slope),
    )


def _slope_of_input(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    if dilation > 1:
        return _slope_of_dilated_input(x, kernel, stride, dilation, slope)
    if stride == 1:
        return _same(slope, kernel[::-1, ::-1].transpose(0, 1, 3, 2))
    return _slope_of_strided_input(x, kernel, stride, slope)


def _slope_of_kernel(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, rectified: bool, slope: jax.Array
) -> jax.Array:
    """The sum over parts of the batch, each small enough to stay in the cache while it is read for every tap."""

    def of_part(x: jax.Array, slope: jax.Array) -> jax.Array:
        x = jax.nn.relu(x) if rectified else x
        if stride == 1 and max(kernel.shape[2:]) <= NARROW:
            return _products(x, kernel.shape, dilation, slope)
        return _correlation(x, kernel.shape, stride, dilation, slope)

    def step(total: jax.Array, part: list[jax.Array]) -> tuple[jax.Array, None]:
        return total + of_part(*part), None

    size = examples_at_once(slope.shape, CACHED)
    if size == len(slope):
        return of_part(x, slope)
    # Summed in float32: each of many parts would be rounded.
    total = jax.lax.scan(step, jnp.zeros(kernel.shape, jnp.float32), in_parts(size, x, slope))[0]
    return total.astype(kernel.dtype)


def _same(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Without stride and dilation. A narrow one is strided over neighbours in a row, each with outputs of its own.

    Its kernel is wider by as many columns less one, and each pixel's part of it zero in these: at 16 channels a third
    more arithmetic in 0.6 of the time. Colours are read four at a time, the last of them zero.
    """
    height, width, inputs, outputs = kernel.shape
    if inputs % 4 == 3:
        x, kernel = (jnp.pad(array, [(0, int(i == at)) for i in range(4)]) for array, at in ((x, 3), (kernel, 2)))
    pixels = _pixels_at_once(x.shape[2], inputs, outputs)
    shifted = [jnp.pad(kernel, ((0, 0), (pixel, pixels - 1 - pixel), (0, 0), (0, 0))) for pixel in range(pixels)]
    y = convolved(x, jnp.concatenate(shifted, -1), [half_padding(height), half_padding(width)], (1, pixels))
    return y.reshape(*x.shape[:3], outputs)


def _pixels_at_once(columns: int, inputs: int, outputs: int) -> int:
    if max(inputs, outputs) > NARROW:
        return 1
    return max(pixels for pixels in (1, 2, 4) if columns % pixels == 0 and pixels * outputs <= BUSY)


def _slope_of_dilated_input(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """The slope, spread out by the stride, convolved with the kernel turned by 180 degrees."""

    def padding(axis: int) -> tuple[int, int]:
        size, reach = x.shape[1 + axis], dilation * (kernel.shape[axis] - 1)
        before = reach - reach // 2
        return before, size + reach - ((slope.shape[1 + axis] - 1) * stride + 1) - before

    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    return convolved(slope, turned, [padding(0), padding(1)], 1, dilation, stride)


def _slope_of_strided_input(x: jax.Array, kernel: jax.Array, stride: int, slope: jax.Array) -> jax.Array:
    """Input place ``stride a + r`` meets a fixed set of taps for each ``r``: a small convolution, or a part of one.

    A place meets tap ``r + pad - stride d`` of output ``a + d``. Other than the slope spread out by zeros, few of them
    or none are multiplied by zero (sub-pixel convolution, Shi et al. 2016, section 3.2).
    """
    if kernel.shape[2] < NARROW:
        y = _places_at_once(kernel, stride, slope)
    else:
        rows = [[_place(kernel, stride, slope, (row, column)) for column in range(stride)] for row in range(stride)]
        y = jnp.stack([jnp.stack(columns, 3) for columns in rows], 2)
    y = y.reshape(len(x), slope.shape[1] * stride, slope.shape[2] * stride, x.shape[3])
    return y[:, : x.shape[1], : x.shape[2]]


def _place(kernel: jax.Array, stride: int, slope: jax.Array, place: tuple[int, int]) -> jax.Array:
    """The slopes of the inputs at ``place`` of each stride, ``I`` channels for each place of the slope."""
    padding = []
    for axis in range(2):
        size, shifted = kernel.shape[axis], place[axis] + (kernel.shape[axis] - 1) // 2
        taps = range(shifted % stride, size, stride)
        if not taps:
            return jnp.zeros((*slope.shape[:3], kernel.shape[2]), slope.dtype)
        kernel = jax.lax.slice_in_dim(kernel, taps[0], size, stride, axis)
        padding.append(((taps[-1] - shifted) // stride, (shifted - taps[0]) // stride))
    kernel = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    if kernel.shape[:2] == (1, 1) and padding == [(0, 0)] * 2:
        return jnp.einsum("bhwo,oi->bhwi", slope, kernel[0, 0])
    return convolved(slope, kernel, padding)


def _places_at_once(kernel: jax.Array, stride: int, slope: jax.Array) -> jax.Array:
    """One convolution, some of whose taps are zero: few channels leave a small one's registers idle."""
    inputs, outputs = kernel.shape[2:]
    pads = [(size - 1) // 2 for size in kernel.shape[:2]]
    least = [-(pad // stride) for pad in pads]
    most = [(pad + stride - 1) // stride for pad in pads]
    around = [
        (stride * last - pad, pad - stride * first + stride - size)
        for pad, first, last, size in zip(pads, least, most, kernel.shape[:2], strict=True)
    ]
    taps = jnp.pad(kernel, (*around, (0, 0), (0, 0)))
    blocks = taps.reshape(taps.shape[0] // stride, stride, taps.shape[1] // stride, stride, inputs, outputs)
    small = blocks[::-1, :, ::-1].transpose(0, 2, 5, 1, 3, 4)
    y = convolved(slope, small.reshape(*small.shape[:3], -1), [(-a, b) for a, b in zip(least, most, strict=True)])
    return y.reshape(*slope.shape[:3], stride, stride, inputs).transpose(0, 1, 3, 2, 4, 5)


def _products(x: jax.Array, shape: tuple[int, ...], dilation: int, slope: jax.Array) -> jax.Array:
    """One product of the input, once for each column of the kernel, and the slope, once for each row of it."""
    height, width, inputs, outputs = shape
    left = _neighbours(x, 2, width, dilation).reshape(-1, width * inputs)
    right = _neighbours(slope, 1, height, -dilation).reshape(-1, height * outputs)
    left, right = jax.lax.optimization_barrier((left, right))
    return (left.T @ right).reshape(width, inputs, height, outputs).transpose(2, 0, 1, 3)


def _neighbours(x: jax.Array, axis: int, count: int, step: int) -> jax.Array:
    """``count`` neighbours of each place along an axis, ``step`` apart and itself in their midst, as channels.

    Barriers keep the two copies apart: each alone moves whole blocks of memory, both in one go by numbers.
    """
    length, pad = x.shape[axis], abs(step) * (count - 1) // 2
    border = jnp.zeros(tuple(pad if i == axis else side for i, side in enumerate(x.shape)), x.dtype)
    padded = jax.lax.optimization_barrier(jnp.concatenate([border, x, border], axis))
    starts = range(0, abs(step) * count, abs(step))[:: 1 if step > 0 else -1]
    return jnp.concatenate([jax.lax.slice_in_dim(padded, i, i + length, axis=axis) for i in starts], -1)


def _correlation(x: jax.Array, shape: tuple[int, ...], stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """The input with batch and channels exchanged, convolved with the slope as a kernel."""

    def padding(axis: int) -> tuple[int, int]:
        before = dilation * (shape[axis] - 1) // 2
        reach = (slope.shape[1 + axis] - 1) * stride + 1
        return before, (shape[axis] - 1) * dilation + reach - x.shape[1 + axis] - before

    taps = convolved(x.transpose(3, 1, 2, 0), slope.transpose(1, 2, 0, 3), [padding(0), padding(1)], dilation, stride)
    return taps.transpose(1, 2, 0, 3)
