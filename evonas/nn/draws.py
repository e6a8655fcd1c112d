"""Random streams of a module that is made inside a compiled program."""

import math

import jax
from flax import nnx

PART = 1024
"""Numbers drawn at once."""


class Draws(nnx.Rngs):
    """Streams whose kernels are cut, one after another, out of one array of truncated normals.

    A draw for each kernel takes a program of its own for each: for NAS-Bench-201's shared network they were half of
    all there was to compile. Layers that draw by themselves, such as Flax's, have keys as of any `nnx.Rngs`.

    Args:
        key: consumed.
        length: of the array, at least what is asked for; or None, to find that out in ``taken``: kernels then have
            the right shapes and no meaning.
    """

    def __init__(self, key: jax.Array, length: int | None = None):
        params, normals = jax.random.split(key)
        super().__init__(params)
        self.taken = 0
        self.normals = None if length is None else _truncated_normals(normals, length)

    def normal(self, shape: tuple[int, ...]) -> jax.Array:
        """The next numbers: standard normals, cut off at 2 standard deviations."""
        start, self.taken = self.taken, self.taken + math.prod(shape)
        if self.normals is None:
            return jax.numpy.zeros(shape)
        return self.normals[start : self.taken].reshape(shape)


def _truncated_normals(key: jax.Array, length: int) -> jax.Array:
    """In a loop over parts: what is not a loop XLA computes again for each kernel that is cut out of it."""
    keys = jax.random.split(key, -(-length // PART))
    return jax.lax.map(lambda key: jax.random.truncated_normal(key, -2, 2, (PART,)), keys).reshape(-1)
