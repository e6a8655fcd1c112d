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
        """A float32 kernel of ``shape``, whose last axis is the output; ``batch_axis`` names axes apart from the fan."""
        return _INITIALIZERS[self.initializer](batch_axis=batch_axis)(rngs.params(), shape, jnp.float32)
