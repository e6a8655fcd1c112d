"""Crossover of two genomes ``[L]`` into one."""

import jax
import jax.numpy as jnp

from evonas.genome.encoding import random_index


def uniform_crossover(key: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """Each gene from either parent with equal probability (Syswerda 1989)."""
    return jnp.where(jax.random.bernoulli(key, 0.5, first.shape), first, second)


def one_point_crossover(key: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """Genes before a random cut from the first parent, the rest from the second; neither part is empty."""
    length = first.shape[0]
    cut = 1 + random_index(key, (), max(length - 1, 1))
    return jnp.where(jnp.arange(length) < cut, first, second)


def two_point_crossover(key: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """A random segment, neither empty nor the whole, from the second parent and the rest from the first."""
    length = first.shape[0]
    start_key, size_key = jax.random.split(key)
    start = random_index(start_key, (), length)
    size = 1 + random_index(size_key, (), max(length - 1, 1))
    inside = (jnp.arange(length) - start) % length < size
    return jnp.where(inside, second, first)
