"""What all layers of one network share: number formats and initialisation."""

import dataclasses
import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.draws import Draws

Initializer = Literal["he", "glorot", "lecun"]

_DEVIATION = 0.87962566103423978
"""Of a standard normal cut off at -2 and 2."""


@dataclasses.dataclass(frozen=True)
class Style:
    """Number formats and initialisation of a network.

    Attributes:
        dtype: of the computation. Parameters, statistics and normalisation stay float32.
        initializer: of kernels: He et al. 2015, Glorot and Bengio 2010, or LeCun et al. 1998, as normals.
    """

    dtype: Any = jnp.float32
    initializer: Initializer = "he"

    def kernel(self, rngs: nnx.Rngs, shape: tuple[int, ...]) -> jax.Array:
        """A float32 kernel of ``shape``, the last axis its outputs: a normal cut off at 2 standard deviations."""
        if 0 in shape:
            return jnp.zeros(shape)
        fan_in, fan_out = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]
        variance = {"he": 2 / fan_in, "glorot": 2 / (fan_in + fan_out), "lecun": 1 / fan_in}[self.initializer]
        pooled = isinstance(rngs, Draws)
        normal = rngs.normal(shape) if pooled else jax.random.truncated_normal(rngs.params(), -2, 2, shape)
        return normal * (math.sqrt(variance) / _DEVIATION)

    def narrowing(self, shape: tuple[int, ...], inputs: Any, outputs: Any) -> Any:
        """What makes a new kernel of ``shape`` one for fewer channels: the ratio of the two standard deviations.

        Args:
            shape: of the kernel, ``[..., I, O]``.
            inputs: in use, of ``I``.
            outputs: in use, of ``O``.
        """
        if self.initializer == "glorot":
            return jnp.sqrt((shape[-2] + shape[-1]) / (inputs + outputs))
        return jnp.sqrt(shape[-2] / inputs)
