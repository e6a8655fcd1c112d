"""Normalised convolutions, as cells are made of; they halve the image where they have a stride."""

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.layers import Convolution
from evonas.nn.normalization import BatchNorm
from evonas.nn.style import Style


class ConvNorm(nnx.Module):
    """1x1 convolution, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs, style: Style):
        self.convolution = Convolution(inputs, outputs, 1, rngs=rngs, style=style)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, I]``."""
        return self.norm(self.convolution(x))


class ReluConvNorm(nnx.Module):
    """ReLU, convolution, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, *, rngs: nnx.Rngs, style: Style):
        self.convolution = Convolution(inputs, outputs, size, stride, rngs=rngs, style=style)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, I]``."""
        return self.norm(self.convolution(x, rectified=True))


class ReluSeparableNorm(nnx.Module):
    """ReLU, depthwise and pointwise convolution, batch normalisation; ``layers`` times, the first with the stride."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        layers: int,
        stride: int = 1,
        dilation: int = 1,
        *,
        rngs: nnx.Rngs,
        style: Style,
    ):
        def convolution(*shape: int, **options: int) -> Convolution:
            return Convolution(*shape, **options, rngs=rngs, style=style)

        widths = [inputs] + [outputs] * (layers - 1)
        strides = [stride] + [1] * (layers - 1)
        self.depthwise = nnx.List(
            convolution(width, width, size, step, groups=width, dilation=dilation)
            for width, step in zip(widths, strides, strict=True)
        )
        self.pointwise = nnx.List(convolution(width, outputs, 1) for width in widths)
        self.norms = nnx.List(BatchNorm(outputs) for _ in widths)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, I]``."""
        for depthwise, pointwise, norm in zip(self.depthwise, self.pointwise, self.norms, strict=True):
            x = norm(pointwise(depthwise(x, rectified=True)))
        return x


class FactorizedReduction(nnx.Module):
    """Half the image without loss: two 1x1 convolutions, of the places of even rows and columns and of odd ones."""

    def __init__(self, inputs: int, outputs: int, rectified: bool = False, *, rngs: nnx.Rngs, style: Style):
        self.rectified = rectified
        halves = (outputs // 2, outputs - outputs // 2)
        self.paths = nnx.List(Convolution(inputs, half, 1, 2, rngs=rngs, style=style) for half in halves)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, I]``."""
        shifted = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]
        parts = (path(y, self.rectified) for path, y in zip(self.paths, (x, shifted), strict=True))
        return self.norm(jnp.concatenate(list(parts), -1))

    def narrow(self, inputs: jax.Array | int) -> None:
        """Scale the new weights to those of so many inputs."""
        for path in self.paths:
            path.narrow(inputs, path.kernel.shape[-1])
