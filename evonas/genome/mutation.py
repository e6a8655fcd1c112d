"""What the papers call a mutation, each under a name of its own, for one genome.

"Regularized evolution" means different mutations in different codes: exactly one gene takes *another* value
(NAS-Bench-201, Real et al.'s notebook), one gene is drawn anew and may keep its value (PyGlove), or every gene
changes with a probability (NNI, NAS-Bench-101).
"""

import jax
import jax.numpy as jnp

from evonas.genome.encoding import Cardinalities


def change_one(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities) -> jax.Array:
    """Exactly one gene, uniform over the genes that have another value, takes another value, uniform over those."""
    gene_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    free = sizes > 1
    rank = jax.random.randint(gene_key, (), 0, jnp.maximum(free.sum(), 1))
    gene = jnp.argmax(jnp.cumsum(free) > rank)
    step = jax.random.randint(value_key, (), 1, jnp.maximum(sizes[gene], 2), jnp.int32)
    return genome.at[gene].set((genome[gene] + step) % sizes[gene])


def redraw_one(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities) -> jax.Array:
    """One gene, uniform over all, is drawn anew; it may keep its value."""
    gene_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    gene = jax.random.randint(gene_key, (), 0, sizes.shape[0])
    return genome.at[gene].set(jax.random.randint(value_key, (), 0, sizes[gene], jnp.int32))


def change_each(key: jax.Array, genome: jax.Array, cardinalities: Cardinalities, probability: float) -> jax.Array:
    """Each gene by itself takes another value with the given probability."""
    which_key, value_key = jax.random.split(key)
    sizes = jnp.asarray(cardinalities, jnp.int32)
    step = jax.random.randint(value_key, sizes.shape, 1, jnp.maximum(sizes, 2), jnp.int32)
    changes = jax.random.bernoulli(which_key, probability, sizes.shape)
    return jnp.where(changes, (genome + step) % sizes, genome)
