"""What the papers call a mutation, each under a name of its own, for one genome.

"Regularized evolution" means different mutations in different codes: exactly one gene takes *another* value
(NAS-Bench-201, Real et al.'s notebook), one gene is drawn anew and may keep its value (PyGlove), or every gene
changes with a probability (NNI, NAS-Bench-101).
"""

import jax
import jax.numpy as jnp

from evonas.genome.encoding import Cardinalities, random_index


def change_one(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities) -> jax.Array:
    """Exactly one gene, uniform over the genes that have another value, takes another value, uniform over those."""
    gene_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    free = sizes > 1
    rank = random_index(gene_key, (), jnp.maximum(free.sum(), 1))
    gene = jnp.argmax(jnp.cumsum(free) > rank)
    size = sizes[gene]
    return genome.at[gene].set(_moved(genome[gene], 1 + random_index(value_key, (), jnp.maximum(size - 1, 1)), size))


def redraw_one(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities) -> jax.Array:
    """One gene, uniform over all, is drawn anew; it may keep its value."""
    gene_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    gene = random_index(gene_key, (), sizes.shape[0])
    return genome.at[gene].set(random_index(value_key, (), sizes[gene]))


def change_each(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities, probability: float) -> jax.Array:
    """Each gene by itself takes another value with the given probability."""
    which_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    step = 1 + random_index(value_key, sizes.shape, jnp.maximum(sizes - 1, 1))
    changes = jax.random.bernoulli(which_key, probability, sizes.shape)
    return jnp.where(changes, _moved(genome, step, sizes), genome)


def _moved(value: jax.Array, step: jax.Array, size: jax.Array) -> jax.Array:
    """``(value + step) % size`` for a step up to the size, without a division."""
    moved = value + step
    return jnp.where(moved < size, moved, moved - size)
