"""How a genome describes two cells of four nodes each."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

PRIMITIVES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduce")
NODES, INPUTS = 4, 2


class Genes(NamedTuple):
    """The genes of one cell."""

    sources: Any  # [4, 2] int32: of each node's two edges, the states that they come from
    operations: Any  # [4, 2] int32: places in PRIMITIVES

    @property
    def edges(self) -> tuple[Any, Any]:
        """Sources and operations of the eight edges, ``[8]`` each."""
        return self.sources.ravel(), self.operations.ravel()


def unfold(genome: Any) -> tuple[Genes, Genes]:
    """The normal cell and the reduction cell of a genome ``[32]``."""
    pairs = genome.reshape(len(CELLS), NODES, 2, 2)
    return Genes(pairs[0, ..., 0], pairs[0, ..., 1]), Genes(pairs[1, ..., 0], pairs[1, ..., 1])


def fold(cells: tuple[Genes, ...]) -> jax.Array:
    """The genome of two cells."""
    return jnp.stack([jnp.stack(cell, -1) for cell in cells]).reshape(-1).astype(jnp.int32)


def gene_choices() -> dict[str, tuple[Any, ...]]:
    """Each gene's name and choices, in the order of the genome."""
    genes: dict[str, tuple[Any, ...]] = {}
    for cell in CELLS:
        for state in range(INPUTS, INPUTS + NODES):
            for edge in ("first", "second"):
                genes[f"{cell}.state{state}.{edge}.source"] = tuple(range(state))
                genes[f"{cell}.state{state}.{edge}.operation"] = PRIMITIVES
    return genes
