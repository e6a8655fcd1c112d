"""What an architecture of `MacroCNN` costs, by counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evonas.spaces.macro_cnn.genes import CONV, FILTERS, KERNEL, LAYER, NORM, TYPE, unfold, weighted

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN


def cost(space: MacroCNN, genome: Any) -> tuple[Any, Any]:
    """Parameters and multiply-adds of one example; scalars of the genome's own kind, NumPy or JAX.

    Convolutions, and linear layers with their bias; normalisation has parameters, no cost.
    """
    namespace = genome.__array_namespace__()
    genes = unfold(space, genome)
    height, width, channels = space.input_shape
    parameters = multiply_adds = namespace.sum(genome[:0])
    for stage in range(space.stages):
        if stage:
            height, width = -(-height // 2), -(-width // 2)
        for layer in genes.layers[stage]:
            weights, scales, channels = _layer(space, namespace, layer, channels)
            parameters = parameters + weights + scales
            multiply_adds = multiply_adds + weights * (height * width)
    head = _head(space, namespace, genes.head, channels)
    return parameters + head, multiply_adds + head


def least_cost(space: MacroCNN) -> int:
    """Parameters of the smallest network of the space: one convolution, or a separable one, and the head."""
    taps, scales = min(space.kernels) ** 2, 0 if "none" in space.norms else 2

    def network(filters: int, units: int) -> int:
        layer = min(taps * filters, taps + filters) * space.input_shape[-1] + scales * filters
        return layer + (filters + 1) * units + ((units or filters) + 1) * space.classes

    return min(network(filters, units) for filters in space.filters for units in space.dense)


def greatest_cost(space: MacroCNN) -> int:
    """Parameters that no network of the space exceeds."""
    widest = max(*space.filters, space.input_shape[-1])
    layer = (max(space.kernels) ** 2 + 1) * widest**2 + 2 * widest
    head = max(widest, *space.dense) + 1
    return space.stages * space.layers_per_stage * layer + head * (max(space.dense) + space.classes)


def _layer(space: MacroCNN, namespace: Any, layer: Any, channels: Any) -> tuple[Any, Any, Any]:
    """Weights, parameters of the norm, and output channels of a layer ``[6]``."""
    assert layer.shape == (len(LAYER),)
    own = weighted(layer[TYPE])
    taps = namespace.asarray(space.kernels)[layer[KERNEL]] ** 2
    filters = namespace.asarray(space.filters)[layer[FILTERS]]
    norms = namespace.asarray([2 * (norm != "none") for norm in space.norms])
    convolution, separable = taps * channels * filters, (taps + filters) * channels
    weights = own * namespace.where(layer[TYPE] == CONV, convolution, separable)
    return weights, own * norms[layer[NORM]] * filters, namespace.where(own, filters, channels)


def _head(space: MacroCNN, namespace: Any, head: Any, channels: Any) -> Any:
    units = namespace.asarray(space.dense)[head[0]]
    hidden = (channels + 1) * units
    return hidden + (namespace.where(units > 0, units, channels) + 1) * space.classes
