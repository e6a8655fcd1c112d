"""A space of genes that mean nothing, for what a search costs beside the evaluations."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.spaces import Space


@dataclasses.dataclass(frozen=True)
class Genes(Space):
    """Genes of so many choices each."""

    sizes: tuple[int, ...]
    input_shape: tuple[int, ...] = ()

    @property
    def genes(self) -> dict[str, tuple[int, ...]]:
        return {f"gene{place}": tuple(range(size)) for place, size in enumerate(self.sizes)}

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> nnx.Module:
        raise NotImplementedError("these genes are not an architecture's")


def total(key: jax.Array, genome: jax.Array) -> jax.Array:
    """The sum of the genes."""
    del key
    return genome.sum().astype(jnp.float32)
