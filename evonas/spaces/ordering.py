"""Cells whose states are sums of two operations each, in another order of the same states."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def reordered(
    sources: jax.Array, operations: jax.Array, order: jax.Array, inputs: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The states in an order, and the two operations of each sorted by their sources.

    Args:
        sources: ``[S, 2]`` int32, earlier states; those before ``inputs`` are the cell's inputs.
        operations: ``[S, 2]`` int32.
        order: ``[S]``, which state comes to each place.
        inputs: of the cell.

    Returns:
        Sources and operations ``[S, 2]``, and whether each state still takes earlier ones only.
    """
    places = jnp.concatenate([jnp.arange(inputs), inputs + jnp.argsort(order)])
    sources, operations = places[sources[order]], operations[order]
    swap = (sources[:, 0] > sources[:, 1]) | ((sources[:, 0] == sources[:, 1]) & (operations[:, 0] > operations[:, 1]))
    sources, operations = (jnp.where(swap[:, None], pair[:, ::-1], pair) for pair in (sources, operations))
    return sources, operations, (sources < inputs + jnp.arange(len(order))[:, None]).all()
