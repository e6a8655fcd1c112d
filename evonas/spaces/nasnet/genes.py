"""How a genome describes two cells.

A cell has two inputs, hidden states 0 and 1, and five pairwise combinations that make states 2 to 6: each the sum of
two operations on earlier states. States that no combination takes are the cell's output, concatenated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

SEARCHED = (
    "none",
    "separable_3x3_2",
    "separable_5x5_2",
    "separable_7x7_2",
    "avg_pool_3x3",
    "max_pool_3x3",
    "dilated_3x3_rate_2",
    "1x7_7x1",
)
"""Real et al.'s operations (space SP-I); ``none`` is the identity."""
OPERATIONS = (
    *SEARCHED,
    "1x1",
    "3x3",
    "1x3_3x1",
    "separable_3x3_3",
    "separable_5x5_3",
    "dil_2_separable_5x5_2",
    "dilated_3x3_rate_4",
    "dilated_3x3_rate_6",
    "avg_pool_2x2",
    "avg_pool_5x5",
    "max_pool_2x2",
    "max_pool_5x5",
    "max_pool_7x7",
    "min_pool_2x2",
)
"""All that published cells of the family have (Zoph et al. 2018, section 3.1, and AmoebaNet-A to -D).

The authors' code builds ``dil_2_separable_5x5_2`` without dilation, as ``separable_5x5_2``.
"""

CELLS = ("normal", "reduce")
COMBINATIONS, INPUTS = 5, 2
STATES = INPUTS + COMBINATIONS
_LENGTH = 4 * COMBINATIONS + STATES


class Cell(NamedTuple):
    """The genes of one cell."""

    sources: Any  # [5, 2] int32: the states that each combination takes
    operations: Any  # [5, 2] int32: places in OPERATIONS
    exceptions: Any  # [7] int32: 1 where a state is output though taken, or neither taken nor output

    @property
    def edges(self) -> tuple[Any, Any]:
        """Sources and operations of the ten edges, ``[10]`` each."""
        return self.sources.ravel(), self.operations.ravel()

    @property
    def taken(self) -> Any:
        """Which states a combination takes: ``[7]`` booleans."""
        return (self.sources.reshape(-1, 1) == np.arange(STATES)).any(0)

    @property
    def outputs(self) -> Any:
        """Which states are concatenated: ``[7]`` booleans."""
        return self.taken == (self.exceptions == 1)


def unfold(genome: Any) -> tuple[Cell, Cell]:
    """The normal cell and the reduction cell of a genome ``[54]``."""

    def cell(genes: Any) -> Cell:
        pairs = genes[: 4 * COMBINATIONS].reshape(COMBINATIONS, 2, 2)
        return Cell(pairs[..., 0], pairs[..., 1], genes[4 * COMBINATIONS :])

    return cell(genome[:_LENGTH]), cell(genome[_LENGTH:])


def fold(cells: tuple[Cell, Cell]) -> jax.Array:
    """The genome of two cells."""
    parts = []
    for cell in cells:
        parts += [jnp.stack([cell.sources, cell.operations], -1).reshape(-1), cell.exceptions]
    return jnp.concatenate(parts).astype(jnp.int32)


def gene_choices() -> dict[str, tuple[Any, ...]]:
    """Each gene's name and choices, in the order of the genome."""
    genes: dict[str, tuple[Any, ...]] = {}
    for cell in CELLS:
        for combination in range(COMBINATIONS):
            for side in ("left", "right"):
                name = f"{cell}.state{INPUTS + combination}.{side}"
                genes[f"{name}.source"] = tuple(range(INPUTS + combination))
                genes[f"{name}.operation"] = OPERATIONS
        genes |= {f"{cell}.state{state}.exception": ("no", "yes") for state in range(STATES)}
    return genes
