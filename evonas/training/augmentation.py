"""Random changes of training images, on the device."""

import jax
import jax.numpy as jnp


def flip(key: jax.Array, images: jax.Array) -> jax.Array:
    """Mirror each image of ``[B, H, W, C]`` left to right with probability 1/2."""
    mirrored = jax.random.bernoulli(key, 0.5, (images.shape[0], 1, 1, 1))
    return jnp.where(mirrored, images[:, :, ::-1], images)


def crop(key: jax.Array, images: jax.Array, margin: int) -> jax.Array:
    """Pad each image of ``[B, H, W, C]`` with ``margin`` zeros a side, and cut its old size out at a random place."""
    shape = images.shape[1:]
    padded = jnp.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    corners = jax.random.randint(key, (images.shape[0], 2), 0, 2 * margin + 1)
    return jax.vmap(lambda image, corner: jax.lax.dynamic_slice(image, (*corner, 0), shape))(padded, corners)
