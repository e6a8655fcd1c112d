"""Convolution whose derivatives stay on XLA:CPU's fast path inside loops.

On the CPU backend only convolutions in the canonical layout (NHWC input, HWIO kernel) reach the fast kernel when
they stand inside ``while``, ``scan`` or ``switch``, and the derivatives that JAX writes are not in that layout: they
run 30 to 90 times slower there (jax issue 12868). So for a CPU both derivatives are written here as canonical
convolutions; other platforms have JAX's own. Candidate training lives inside loops; every convolution of evonas goes
through this file.
"""

import functools
import math

import jax
import jax.numpy as jnp

_LAYOUT = ("NHWC", "HWIO", "NHWC")
CACHED, LEAST_EXAMPLES = 2**17, 8
"""Of a slope, the numbers that are read at once, and the examples. At batch 64, 32x32, 16 channels the derivative by
the kernel takes 7 ms in parts and 18 ms or more in one; below 2^17 numbers parts gain nothing."""
DEPTHWISE = "_depthwise"
"""What the depthwise convolution is called in a traced program."""


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def convolve(
    x: jax.Array, kernel: jax.Array, stride: int = 1, dilation: int = 1, groups: int = 1, rectified: bool = False
) -> jax.Array:
    """Two-dimensional convolution, zero-padded by ``dilation * (size - 1) // 2`` on every side.

    Args:
        x: input ``[B, H, W, I]``.
        kernel: weights ``[KH, KW, I / groups, O]``, odd sizes.
        stride: step of the window in both directions.
        dilation: spacing of the kernel's taps.
        groups: 1, or ``I`` for a depthwise convolution.
        rectified: convolve ``max(x, 0)``. The derivative then keeps ``x``, which others keep too, and no second array.

    Returns:
        ``[B, ceil(H / stride), ceil(W / stride), O]``.

    Raises:
        ValueError: if a size is even, or the groups are neither 1 nor all channels, ``I = O = groups``.
    """
    height, width, inputs, outputs = kernel.shape
    if not (height % 2 and width % 2):
        raise ValueError(f"a convolution has an odd size, got {height}x{width}")
    if groups != 1 and not (inputs == 1 and outputs == groups == x.shape[-1]):
        raise ValueError(
            f"a convolution has 1 group, or as many as inputs and outputs: got {groups} groups, {x.shape[-1]} inputs "
            f"and {outputs} outputs"
        )
    x = jax.nn.relu(x) if rectified else x
    if height == width == 1 and groups == 1:
        return jnp.einsum("bhwi,io->bhwo", x[:, ::stride, ::stride], kernel[0, 0])
    if groups > 1:
        return _depthwise(x, kernel, stride, dilation)
    return _dense(x, kernel, stride, dilation)


def _dense(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, stride),
        padding=[_padding(size, dilation) for size in kernel.shape[:2]],
        rhs_dilation=(dilation, dilation),
        dimension_numbers=_LAYOUT,
    )


def _padding(size: int, dilation: int) -> tuple[int, int]:
    pad = dilation * (size - 1) // 2
    return pad, pad


@functools.partial(jax.jit, static_argnums=(2, 3))
def _depthwise(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    """One multiply-add per tap: XLA fuses the taps into one pass, and so it does with their derivatives.

    Under ``jit`` it is traced once a shape, and `count_module` knows it by its name.
    """
    height, width = kernel.shape[:2]
    (top, _), (left, _) = _padding(height, dilation), _padding(width, dilation)
    padded = jnp.pad(x, ((0, 0), (top, top), (left, left), (0, 0)))
    rows, columns = -(-x.shape[1] // stride), -(-x.shape[2] // stride)
    total = jnp.zeros((x.shape[0], rows, columns, x.shape[3]), x.dtype)
    for i in range(height):
        for j in range(width):
            down, right = i * dilation, j * dilation
            window = padded[
                :,
                down : down + (rows - 1) * stride + 1 : stride,
                right : right + (columns - 1) * stride + 1 : stride,
            ]
            total = total + window * kernel[i, j, 0]
    return total


def _forward(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, groups: int, rectified: bool
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return convolve(x, kernel, stride, dilation, groups, rectified), (x, kernel)


def _backward(
    stride: int, dilation: int, groups: int, rectified: bool, saved: tuple[jax.Array, jax.Array], slope: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    if rectified:
        to_input, to_kernel = _backward(stride, dilation, groups, False, (jax.nn.relu(x), kernel), slope)
        return jnp.where(x > 0, to_input, jnp.zeros((), x.dtype)), to_kernel
    if kernel.shape[:2] == (1, 1) and groups == 1:
        return _backward_pointwise(x, kernel, stride, slope)
    if groups > 1:
        return jax.vjp(lambda a, b: _depthwise(a, b, stride, dilation), x, kernel)[1](slope)
    return jax.lax.platform_dependent(
        *(x, kernel, slope),
        cpu=lambda x, kernel, slope: (
            _slope_of_input(x, kernel, stride, dilation, slope),
            _slope_of_kernel(x, kernel, stride, dilation, slope),
        ),
        default=lambda x, kernel, slope: jax.vjp(lambda a, b: _dense(a, b, stride, dilation), x, kernel)[1](slope),
    )


def _backward_pointwise(x: jax.Array, kernel: jax.Array, stride: int, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    strided = x[:, ::stride, ::stride]
    to_kernel = jnp.einsum("bhwi,bhwo->io", strided, slope)[None, None]
    to_strided = jnp.einsum("bhwo,io->bhwi", slope, kernel[0, 0])
    if stride == 1:
        return to_strided, to_kernel
    return jnp.zeros_like(x).at[:, ::stride, ::stride].set(to_strided), to_kernel


def _slope_of_input(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """The slope, spread out by the stride, convolved with the kernel turned by 180 degrees."""

    def padding(axis: int) -> tuple[int, int]:
        size, reach = x.shape[1 + axis], dilation * (kernel.shape[axis] - 1)
        before = reach - reach // 2
        spread = (slope.shape[1 + axis] - 1) * stride + 1
        return before, size + reach - spread - before

    return jax.lax.conv_general_dilated(
        slope,
        kernel[::-1, ::-1].transpose(0, 1, 3, 2),
        window_strides=(1, 1),
        padding=[padding(0), padding(1)],
        lhs_dilation=(stride, stride),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=_LAYOUT,
    )


def _slope_of_kernel(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """The sum over parts of the batch, each small enough to stay in the cache while it is read for every tap."""
    part = _examples_in_cache(slope.shape)
    if part == len(slope):
        return _slope_of_part(x, kernel, stride, dilation, slope)
    parts = [array.reshape(-1, part, *array.shape[1:]) for array in (x, slope)]

    def add(total: jax.Array, one: list[jax.Array]) -> tuple[jax.Array, None]:
        return total + _slope_of_part(one[0], kernel, stride, dilation, one[1]), None

    return jax.lax.scan(add, jnp.zeros_like(kernel), parts)[0]


def _examples_in_cache(shape: tuple[int, ...]) -> int:
    """The most examples that divide the batch and fit into the cache, but at least `LEAST_EXAMPLES`."""
    most = max(CACHED // math.prod(shape[1:]), LEAST_EXAMPLES)
    fitting = [part for part in range(LEAST_EXAMPLES, min(most, shape[0]) + 1) if shape[0] % part == 0]
    return max(fitting, default=shape[0])


def _slope_of_part(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, slope: jax.Array) -> jax.Array:
    """The input with batch and channels exchanged, convolved with the slope as a kernel."""

    def padding(axis: int) -> tuple[int, int]:
        before = dilation * (kernel.shape[axis] - 1) // 2
        reach = (slope.shape[1 + axis] - 1) * stride + 1
        return before, (kernel.shape[axis] - 1) * dilation + reach - x.shape[1 + axis] - before

    taps = jax.lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        slope.transpose(1, 2, 0, 3),
        window_strides=(dilation, dilation),
        padding=[padding(0), padding(1)],
        rhs_dilation=(stride, stride),
        dimension_numbers=_LAYOUT,
    )
    return taps.transpose(1, 2, 0, 3)


convolve.defvjp(_forward, _backward)
