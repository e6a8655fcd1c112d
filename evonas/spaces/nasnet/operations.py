"""The operations of the family, as Flax modules: ``[B, H, W, inputs]`` to ``[B, H / stride, W / stride, outputs]``.

Of odd kernels with a stride the windows are around even rows and columns, where TensorFlow's are around odd ones of
images of even size: parameters and costs are the same, weights of other frameworks are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import jax
from flax import nnx

from evonas.nn import (
    BatchNorm,
    Convolution,
    LineConvolution,
    ReluConvNorm,
    ReluSeparableNorm,
    Style,
    average_pool,
    max_pool,
)

Operation = Callable[[jax.Array], jax.Array]


def make_operation(name: str, rngs: nnx.Rngs, inputs: int, outputs: int, stride: int, style: Style) -> Operation:
    """An operation by its published name."""
    if name == "none" and stride == 1 and inputs == outputs:
        return lambda x: x
    if name in ("none", "1x1"):
        return ReluConvNorm(inputs, outputs, 1, stride, rngs=rngs, style=style)
    if "separable" in name:
        return ReluSeparableNorm(inputs, outputs, kernel_size(name), int(name[-1]), stride, rngs=rngs, style=style)
    if "pool" in name:
        return Pool(name[:3], kernel_size(name), inputs, outputs, stride, rngs, style)
    return Bottleneck(name, inputs, outputs, stride, rngs, style)


def kernel_size(name: str) -> int:
    """The K of an operation named KxK."""
    found = re.search(r"(\d)x\1", name)
    assert found is not None, name
    return int(found[1])


class Pool(nnx.Module):
    """A pool; where the channels differ, a 1x1 convolution and batch normalisation after it."""

    def __init__(self, kind: str, size: int, inputs: int, outputs: int, stride: int, rngs: nnx.Rngs, style: Style):
        self.kind, self.size, self.stride = kind, size, stride
        self.fits = inputs == outputs
        if not self.fits:
            self.convolution = Convolution(inputs, outputs, 1, rngs=rngs, style=style)
            self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, inputs]``."""
        x = -x if self.kind == "min" else x
        pool = average_pool if self.kind == "avg" else max_pool
        x = pool(x, self.size)[:, :: self.stride, :: self.stride]
        x = -x if self.kind == "min" else x
        return x if self.fits else self.norm(self.convolution(x))


class Bottleneck(nnx.Module):
    """ReLU, 1x1 to a part of the channels, the convolution with the stride, 1x1; each with batch normalisation.

    ``1x7_7x1`` is two convolutions. Where the part would be less than a channel, the 1x1 convolutions are left out.
    """

    def __init__(self, name: str, inputs: int, outputs: int, stride: int, rngs: nnx.Rngs, style: Style):
        inner = 3 * outputs // 8 if name == "1x3_3x1" else outputs // 4
        width = inner or outputs
        self.narrows = inner > 0
        if self.narrows:
            self.first = ReluConvNorm(inputs, inner, 1, rngs=rngs, style=style)
            self.last = ReluConvNorm(inner, outputs, 1, rngs=rngs, style=style)
        self.convolutions = nnx.List(_convolutions(name, inner or inputs, width, stride, rngs, style))
        self.norms = nnx.List(BatchNorm(width) for _ in self.convolutions)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, inputs]``."""
        x = self.first(x) if self.narrows else x
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(jax.nn.relu(x)))
        return self.last(x) if self.narrows else x


def _convolutions(
    name: str, inputs: int, outputs: int, stride: int, rngs: nnx.Rngs, style: Style
) -> list[Convolution | LineConvolution]:
    if name in ("1x7_7x1", "1x3_3x1"):
        size = int(name[2])
        return [
            LineConvolution(inputs, outputs, size, 2, stride, rngs=rngs, style=style),
            LineConvolution(outputs, outputs, size, 1, stride, rngs=rngs, style=style),
        ]
    dilation = int(name.rpartition("_")[2]) if "rate" in name else 1
    return [Convolution(inputs, outputs, 3, stride, dilation=dilation, rngs=rngs, style=style)]
