"""JAX's Threefry generator with its rounds written out.

An evolution step draws a handful of numbers from many keys. On a CPU `jax.random` runs the rounds of each draw as a
loop, to compile faster, and a loop's steps can't be fused with each other or with anything else: they were most of a
step's time. The numbers are those of JAX's own keys.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_ROUNDS = 20
_PARITY = 0x1BD11BDA


@jax.jit  # so that its many operations are traced and lowered once for each shape
def hash_words(key: jax.Array, high: Any, low: Any) -> tuple[jax.Array, jax.Array]:
    """Threefry-2x32 of 20 rounds (Salmon et al. 2011): the two words of a counter under a key ``[2]``, all uint32."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(_PARITY))
    x, y = high + keys[0], low + keys[1]
    for number in range(_ROUNDS):
        rotation = _ROTATIONS[number % 8]
        x = x + y
        y = ((y << jnp.uint32(rotation)) | (y >> jnp.uint32(32 - rotation))) ^ x
        if number % 4 == 3:
            injection = number // 4 + 1
            x = x + keys[injection % 3]
            y = y + keys[(injection + 1) % 3] + jnp.uint32(injection)
    # Without the barrier XLA takes the hash for cheap and computes it again in everything that reads it.
    return jax.lax.optimization_barrier((x, y))


def seeded_key(seed: Any) -> jax.Array:
    """The key of a seed from 0 to 2^32 - 1, which may be traced, for `jax.random`."""
    return jax.random.wrap_key_data(_seed(jnp.asarray(seed, jnp.uint32)), impl=_implementation())


@functools.cache
def _implementation() -> Any:
    from jax.extend.random import define_prng_impl

    return define_prng_impl(
        key_shape=(2,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in, name="threefry_unrolled"
    )


def _seed(seed: jax.Array) -> jax.Array:
    return jnp.stack([jnp.uint32(0), seed.astype(jnp.uint32)])


def _counters(shape: tuple[int, ...]) -> jax.Array:
    return jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape)


def _split(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.stack(hash_words(key, jnp.uint32(0), _counters(shape)), axis=-1)


def _fold_in(key: jax.Array, data: Any) -> jax.Array:
    return jnp.stack(hash_words(key, jnp.uint32(0), jnp.asarray(data).astype(jnp.uint32)))


def _random_bits(key: jax.Array, bit_width: int, shape: tuple[int, ...]) -> jax.Array:
    if bit_width > 32:
        raise ValueError(f"expected at most 32 random bits at once, got {bit_width}")
    high, low = hash_words(key, jnp.uint32(0), _counters(shape))
    return (high ^ low).astype(f"uint{bit_width}")
