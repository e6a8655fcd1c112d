"""Drawing, numbering and unfolding genomes."""

from collections.abc import Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

Cardinalities: TypeAlias = jax.Array | np.ndarray | Sequence[int]


def random_genome(key: jax.Array, cardinalities: Cardinalities) -> jax.Array:
    """A genome ``[L]`` int32 with every gene uniform over its choices."""
    sizes = jnp.asarray(cardinalities, jnp.int32)
    return random_index(key, sizes.shape, sizes)


def random_index(key: jax.Array, shape: tuple[int, ...], size: ArrayLike) -> jax.Array:
    """Integers of ``shape`` from 0 to ``size - 1``, int32, uniform but for ``size / 2^23`` of a value's share.

    A multiplication does it. `jax.random.randint` divides by the size, which no vector instruction does.

    Args:
        key: consumed.
        shape: of the result.
        size: positive, up to 2^23; broadcast to the shape.
    """
    return (jax.random.uniform(key, shape) * jnp.asarray(size, jnp.float32)).astype(jnp.int32)


def genome_index(genome: ArrayLike, cardinalities: tuple[int, ...]) -> jax.Array:
    """The genome's row in a table of all genomes: mixed radix, the first gene most significant; int32 scalar.

    Works for the leading axes of ``[..., L]`` as well.

    Raises:
        ValueError: if the space has 2^31 genomes or more.
    """
    sizes = [int(size) for size in cardinalities]
    weights = [1]
    for size in reversed(sizes[1:]):
        weights.insert(0, weights[0] * size)
    if weights[0] * sizes[0] >= 2**31:
        raise ValueError(f"a table needs fewer than 2^31 genomes, this space has {weights[0] * sizes[0]}")
    return (jnp.asarray(genome) * jnp.asarray(weights, jnp.int32)).sum(-1)


def enumerate_genomes(cardinalities: tuple[int, ...]) -> np.ndarray:
    """All genomes in the order of `genome_index`: ``[prod(cardinalities), L]`` int32."""
    return np.stack(np.unravel_index(np.arange(np.prod(cardinalities)), cardinalities), axis=-1).astype(np.int32)


def one_hot(genome: ArrayLike, cardinalities: tuple[int, ...]) -> jax.Array:
    """The genes unfolded: ``[sum(cardinalities)]`` float32, one 1 a gene."""
    starts = np.concatenate([[0], np.cumsum(cardinalities)[:-1]]).astype(np.int32)
    return jnp.zeros(int(np.sum(cardinalities)), jnp.float32).at[jnp.asarray(genome) + starts].set(1.0)


def first_row(rows: jax.Array, counts: jax.Array) -> jax.Array:
    """Of rows ``[K, L]`` of integers, and whether each counts ``[K]``, the place of the first in dictionary order."""
    for column in rows.T:
        counts &= column == jnp.min(jnp.where(counts, column, jnp.iinfo(rows.dtype).max))
    return jnp.argmax(counts)
