"""Weights of a specialised network, cut out of those of the shared one."""

import functools
from typing import Any

import jax
from flax import nnx

from evonas.nn.choice import Choice
from evonas.nn.graph import SharedGraph
from evonas.nn.plain import merge, split


def inherit(network: nnx.Module, supernet: nnx.Module) -> nnx.Module:
    """The network with the shared network's weights: those at the same path, their leading corner where it is smaller.

    Args:
        network: of one architecture, from `Space.network`.
        supernet: of the same space, from `Space.supernet`, with the weights.
    """
    wanted, shared = split(network), split(written_out(supernet))
    return merge(wanted.graph, _cut(wanted.parameters, shared.parameters), _cut(wanted.statistics, shared.statistics))


def written_out(supernet: nnx.Module) -> nnx.Module:
    """The shared network with a module for each operation of each edge, at the paths that own networks have."""
    supernet = nnx.clone(supernet)
    for _, module in list(nnx.iter_modules(supernet)):
        for name, child in list(nnx.iter_children(module)):
            if isinstance(child, SharedGraph):
                setattr(module, str(name), _WrittenOut(child))
    return supernet


class _WrittenOut(nnx.Module):
    """What a `Graph` has, with all operations on each edge."""

    def __init__(self, graph: SharedGraph):
        edges = (graph.edge(number) for number in range(len(graph.targets)))
        self.edges = nnx.List(Choice([functools.partial(_same, module) for module in edge]) for edge in edges)


def _same(module: nnx.Module) -> nnx.Module:
    return module


def _cut(wanted: Any, shared: Any) -> Any:
    source = dict(jax.tree.leaves_with_path(shared))
    return jax.tree.map_with_path(lambda path, leaf: source[path][tuple(slice(0, size) for size in leaf.shape)], wanted)
