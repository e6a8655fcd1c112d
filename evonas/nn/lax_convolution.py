"""JAX's own convolution, in the layout and with the padding of all of evonas's."""

import jax

LAYOUT = ("NHWC", "HWIO", "NHWC")


def plain(x: jax.Array, kernel: jax.Array, stride: int, dilation: int, groups: int = 1) -> jax.Array:
    """As one convolution of XLA's."""
    padding = [half_padding(size, dilation) for size in kernel.shape[:2]]
    return convolved(x, kernel, padding, stride, dilation, groups=groups)


def convolved(
    x: jax.Array,
    kernel: jax.Array,
    padding: list[tuple[int, int]],
    stride: int | tuple[int, int] = 1,
    dilation: int = 1,
    spread: int = 1,
    groups: int = 1,
) -> jax.Array:
    """The convolution in the canonical layout, of an input that is ``spread`` out by zeros."""
    strides = (stride, stride) if isinstance(stride, int) else stride
    return jax.lax.conv_general_dilated(
        *(x, kernel, strides, padding),
        lhs_dilation=(spread, spread),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=LAYOUT,
        feature_group_count=groups,
    )


def half_padding(size: int, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and behind that keep the size, by the size of a kernel."""
    pad = dilation * (size - 1) // 2
    return pad, pad
