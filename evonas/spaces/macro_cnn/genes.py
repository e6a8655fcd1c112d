"""How a genome of `MacroCNN` is laid out, and which of its genes matter.

The functions take NumPy and JAX arrays alike: the namespace is the array's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN

TYPES = ("none", "conv", "separable", "max_pool", "avg_pool")
CONNECTIONS = ("plain", "skip", "residual")
NORMS = ("batch", "layer", "none")
REDUCTIONS = ("max", "average")

NONE, CONV, SEPARABLE, MAX_POOL, AVG_POOL = range(5)
TYPE, KERNEL, FILTERS, ACTIVATION, NORM, CONNECTION = range(6)
LAYER = ("type", "kernel", "filters", "activation", "norm", "connection")


class Genes(NamedTuple):
    """A genome unfolded; integers, the numbers of the choices."""

    layers: Any  # [stages, layers_per_stage, 6], columns as in LAYER
    reductions: Any  # [stages - 1]
    head: Any  # [2]: units of the dense layer, its activation


def unfold(space: MacroCNN, genome: Any) -> Genes:
    """The genes of a genome ``[L]``."""
    end = space.stages * space.layers_per_stage * len(LAYER)
    layers = genome[:end].reshape(space.stages, space.layers_per_stage, len(LAYER))
    return Genes(layers, genome[end:-2], genome[-2:])


def fold(genes: Genes) -> Any:
    """The genome ``[L]`` of its genes."""
    namespace = genes.layers.__array_namespace__()
    return namespace.concat([genes.layers.reshape(-1), genes.reductions, genes.head])


def weighted(types: Any) -> Any:
    """Whether layers of these types have weights, and with them kernel, filters, activation and norm."""
    return (types == CONV) | (types == SEPARABLE)


def canonical(space: MacroCNN, genome: Any) -> Any:
    """Genes that do not matter are 0, absent layers stand last in their stage, a stage's first skip is residual."""
    namespace = genome.__array_namespace__()
    layers, reductions, head = unfold(space, genome)
    present, own = layers[..., TYPE] != NONE, weighted(layers[..., TYPE])
    layers = namespace.where(namespace.stack([present, own, own, own, own, present], axis=-1), layers, 0)
    order = namespace.argsort(~present, axis=1, stable=True)
    layers = namespace.take_along_axis(layers, order[..., None], axis=1)
    layers = _first_skip_as_residual(space, namespace, layers)
    dense = namespace.asarray(space.dense)[head[0]]
    head = namespace.where(namespace.stack([dense == dense, dense > 0]), head, 0)
    return fold(Genes(layers, reductions, head))


def _first_skip_as_residual(space: MacroCNN, namespace: Any, layers: Any) -> Any:
    if not {"skip", "residual"} <= set(space.connections):
        return layers
    skip, residual = space.connections.index("skip"), space.connections.index("residual")
    shape = (1, space.layers_per_stage, len(LAYER))
    place = namespace.arange(shape[1] * shape[2]).reshape(shape) == CONNECTION
    present = layers[..., TYPE, None] != NONE
    return namespace.where(place & present & (layers == skip), residual, layers)
