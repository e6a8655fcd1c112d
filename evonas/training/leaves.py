"""Trees as flat dictionaries of plain arrays: what checkpoints hold.

The form does not depend on how Flax nests a module's state, nor on how Optax nests its own; random keys, which
dropout keeps in a module, are stored as their data.
"""

from typing import Any

import jax
import jax.numpy as jnp


def leaves_of(tree: Any) -> dict[str, jax.Array]:
    """The leaves by number."""
    return {
        f"{i:05d}": jax.random.key_data(leaf) if _is_key(leaf) else leaf for i, leaf in enumerate(jax.tree.leaves(tree))
    }


def tree_of(leaves: dict[str, jax.Array], like: Any) -> Any:
    """The tree of the leaves; ``like`` has its structure, and may be abstract."""
    arrays = (leaves[name] for name in sorted(leaves))
    wanted, structure = jax.tree.flatten(like)
    restored = [
        jax.random.wrap_key_data(array) if _is_key(leaf) else array for array, leaf in zip(arrays, wanted, strict=True)
    ]
    return jax.tree.unflatten(structure, restored)


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
