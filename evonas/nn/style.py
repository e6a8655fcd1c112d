"""What all layers of one network share: number formats and initialisation."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx

Initializer = Literal["he", "glorot", "lecun"]

_INITIALIZERS = {
    "he": nnx.initializers.he_normal,
    "glorot": nnx.initializers.glorot_normal,
    "lecun": nnx.initializers.lecun_normal,
}


@dataclasses.dataclass(frozen=True)
class Style:
    """Number formats and initialisation of a network.

    Attributes:
        dtype: of the computation. Parameters, statistics and normalisation stay float32.
        initializer: of kernels: He et al. 2015, Glorot and Bengio 2010, or LeCun et al. 1998, as normals.
    """

    dtype: Any = jnp.float32
    initializer: Initializer = "he"

    def kernel(self, rngs: nnx.Rngs, shape: tuple[int, ...], batch_axis: tuple[int, ...] = ()) -> jax.Array:
        """A float32 kernel of ``shape``, the last axis its outputs; ``batch_axis`` names axes apart from the fan."""
        if 0 in shape:
            return jnp.zeros(shape)
        return _INITIALIZERS[self.initializer](batch_axis=batch_axis)(rngs.params(), shape, jnp.float32)

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
