"""Weights of a specialised network, cut out of those of the shared one."""

from typing import Any

import jax
from flax import nnx

from evonas.nn.plain import merge, split


def inherit(network: nnx.Module, parameters: Any, statistics: Any) -> nnx.Module:
    """The network with the shared network's weights: those at the same path, their leading corner where it is smaller.

    Args:
        network: of one architecture, from `Space.network`.
        parameters: of the `Space.supernet`, as `evonas.nn.split` gives them.
        statistics: likewise.
    """
    parts = split(network)
    return merge(parts.graph, _cut(parts.parameters, parameters), _cut(parts.statistics, statistics))


def _cut(wanted: Any, shared: Any) -> Any:
    source = dict(jax.tree.leaves_with_path(shared))
    return jax.tree.map_with_path(lambda path, leaf: source[path][tuple(slice(0, size) for size in leaf.shape)], wanted)
