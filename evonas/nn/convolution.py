"""The convolution that all of evonas's layers use, with derivatives of its own.

Candidate training lives inside loops, where XLA:CPU is fast at few forms only: for a CPU all is written in these
(`evonas.nn.cpu_convolution`, `evonas.nn.cpu_depthwise`); other platforms have JAX's own.
"""

import functools

import jax
import jax.numpy as jnp

from evonas.nn import cpu_convolution, cpu_depthwise
from evonas.nn.lax_convolution import plain

COUNTED = "_evonas_dense", "_evonas_depthwise"
"""What convolutions are called in a traced program, where nothing else is."""


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
        return _evonas_depthwise(x, kernel, stride, dilation)
    return _evonas_dense(x, kernel, stride, dilation)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _evonas_dense(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    return jax.lax.platform_dependent(
        *(x, kernel),
        cpu=lambda x, kernel: cpu_convolution.convolve(x, kernel, stride, dilation),
        default=lambda x, kernel: plain(x, kernel, stride, dilation),
    )


@functools.partial(jax.jit, static_argnums=(2, 3))
def _evonas_depthwise(x: jax.Array, kernel: jax.Array, stride: int, dilation: int) -> jax.Array:
    return jax.lax.platform_dependent(
        *(x, kernel),
        cpu=lambda x, kernel: cpu_depthwise.convolve(x, kernel, stride, dilation),
        default=lambda x, kernel: plain(x, kernel, stride, dilation, x.shape[3]),
    )


def _forward(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, groups: int, rectified: bool
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return convolve(x, kernel, stride, dilation, groups, rectified), (x, kernel)


def _backward(
    stride: int, dilation: int, groups: int, rectified: bool, saved: tuple[jax.Array, jax.Array], slope: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    if kernel.shape[:2] == (1, 1) and groups == 1:
        to_input, to_kernel = _backward_pointwise(jax.nn.relu(x) if rectified else x, kernel, stride, slope)
    else:
        to_input, to_kernel = _backward_windows(x, kernel, stride, dilation, groups, rectified, slope)
    return jnp.where(x > 0, to_input, jnp.zeros((), x.dtype)) if rectified else to_input, to_kernel


def _backward_windows(
    x: jax.Array, kernel: jax.Array, stride: int, dilation: int, groups: int, rectified: bool, slope: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def on_cpu(x: jax.Array, kernel: jax.Array, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
        if groups > 1:
            return cpu_depthwise.slopes(jax.nn.relu(x) if rectified else x, kernel, stride, dilation, slope)
        return cpu_convolution.slopes(x, kernel, stride, dilation, rectified, slope)

    def elsewhere(x: jax.Array, kernel: jax.Array, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
        positive = jax.nn.relu(x) if rectified else x
        return jax.vjp(lambda a, b: plain(a, b, stride, dilation, groups), positive, kernel)[1](slope)

    return jax.lax.platform_dependent(x, kernel, slope, cpu=on_cpu, default=elsewhere)


def _backward_pointwise(x: jax.Array, kernel: jax.Array, stride: int, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    strided = x[:, ::stride, ::stride]
    # As a product of two matrices XLA:CPU needs no copy of an image with its channels in front.
    to_kernel = (strided.reshape(-1, x.shape[3]).T @ slope.reshape(-1, slope.shape[3]))[None, None]
    to_strided = jnp.einsum("bhwo,io->bhwi", slope, kernel[0, 0])
    if stride == 1:
        return to_strided, to_kernel
    return jnp.zeros_like(x).at[:, ::stride, ::stride].set(to_strided), to_kernel


convolve.defvjp(_forward, _backward)
