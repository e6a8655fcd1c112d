"""The networks of `MacroCNN`, shared and specialised, of the same modules.

A shared network's arrays have the most channels of any choice, and are zero beyond the width in use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import (
    Activation,
    BatchNorm,
    Choice,
    Convolution,
    LayerNorm,
    SeparableConvolution,
    Style,
    average_pool,
    fit_channels,
    halve,
    max_pool,
    used_channels,
)
from evonas.spaces.macro_cnn.genes import (
    ACTIVATION,
    CONNECTION,
    CONV,
    FILTERS,
    KERNEL,
    NONE,
    NORM,
    REDUCTIONS,
    SEPARABLE,
    TYPE,
    Genes,
    canonical,
    unfold,
    weighted,
)
from evonas.spaces.macro_cnn.head import Head

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN


class Layer(nnx.Module):
    """``y = activation(norm(operation(x)))``, plus what its connection adds; built for one choice, or for all.

    Args:
        space: its choices.
        inputs: channels of the array that comes in.
        outputs: channels of the array that goes out.
        genes: ``[6]`` of the one layer to build, or None for a shared one.
        rngs: for the weights.
        style: for the weights.
    """

    def __init__(
        self, space: MacroCNN, inputs: int, outputs: int, genes: np.ndarray | None, rngs: nnx.Rngs, style: Style
    ):
        only = _indices(space, genes) if genes is not None else (None,) * 4
        self.outputs, self.connections, self.connection = outputs, space.connections, only[3]
        self.operation = Choice(_operations(space, inputs, outputs, rngs, style), only[0])
        self.norm = Choice([_NORMS[name](outputs) for name in (*space.norms, "none")], only[1])
        self.activation = Activation((*space.activations, "identity"), only[2])

    def __call__(
        self,
        x: jax.Array,
        previous: jax.Array,
        indices: tuple[Any, ...] = (None, None, None, None),
        width: jax.Array | None = None,
    ) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, inputs]``; ``previous`` came into the layer before.

        A shared layer needs the ``indices`` of its choices and the ``width`` of its output.
        """
        operation, norm, activation, connection = indices
        y = used_channels(self.operation(x, operation), width)
        y = self.activation(self.norm(y, norm, width), activation)
        return used_channels(self._connected(y, x, previous, connection), width)

    def narrow(self, inputs: Any, outputs: Any) -> None:
        """Scale the new weights to those of a layer of so many channels."""
        for operation in self.operation.operations.values():
            if isinstance(operation, Convolution | SeparableConvolution):
                operation.narrow(inputs, outputs)

    def _connected(self, y: jax.Array, x: jax.Array, previous: jax.Array, index: Any) -> jax.Array:
        sources = {"residual": x, "skip": previous}
        for number, name in enumerate(self.connections):
            if name == "plain" or self.connection not in (None, number):
                continue
            added = y + fit_channels(sources[name], self.outputs)
            y = added if self.connection == number else jnp.where(index == number, added, y)
        return y


class Network(nnx.Module):
    """Stages of layers with halvings between them, global average, dense layer if any, linear layer."""

    def __init__(self, space: MacroCNN, genes: Genes | None, rngs: nnx.Rngs, style: Style):
        self.space, self.shared, self.dtype = space, genes is None, style.dtype
        width = space.input_shape[-1]
        stages = []
        for stage in range(space.stages):
            layers = []
            for layer in _built(space, genes, stage):
                outputs = _outputs(space, layer, width)
                layers.append(Layer(space, width, outputs, layer, rngs, style))
                width = outputs
            stages.append(nnx.List(layers))
        self.stages = nnx.List(stages)
        fixed = [None] * (space.stages - 1) if genes is None else genes.reductions.tolist()
        self.reductions = nnx.List(Choice([_halve(name) for name in REDUCTIONS], only) for only in fixed)
        self.head = Head(space, width, None if genes is None else genes.head, rngs, style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome."""
        del rngs  # nothing here is random; all networks are called alike
        x = x.astype(self.dtype)
        if self.shared and genome is not None:
            return self._shared(x, unfold(self.space, canonical(self.space, jnp.asarray(genome))))
        for stage, layers in enumerate(self.stages):
            x = self.reductions[stage - 1](x) if stage else x
            previous = x
            for layer in layers:
                x, previous = layer(x, previous), x
        return self.head(_average(x)).astype(jnp.float32)

    def narrow(self, genome: jax.Array) -> None:
        """Scale a new shared network's weights to the variance that the genome's own network would begin with."""
        genes = unfold(self.space, canonical(self.space, jnp.asarray(genome)))
        inputs: Any = self.space.input_shape[-1]
        for layers, widths in zip(self.stages, _widths(self.space, genes), strict=True):
            for layer, outputs in zip(layers, widths, strict=True):
                layer.narrow(inputs, outputs)
                inputs = outputs
        self.head.narrow(inputs, genes.head)

    def _shared(self, x: jax.Array, genes: Genes) -> jax.Array:
        widths = _widths(self.space, genes)
        for stage, layers in enumerate(self.stages):
            x = self.reductions[stage - 1](x, genes.reductions[stage - 1]) if stage else x
            previous = x
            for layer, chosen, width in zip(layers, genes.layers[stage], widths[stage], strict=True):
                x, previous = layer(x, previous, _indices(self.space, chosen), width), x
        return self.head(_average(x), genes.head).astype(jnp.float32)


def _widths(space: MacroCNN, genes: Genes) -> list[list[jax.Array]]:
    """Channels in use after each layer; int32 scalars."""
    filters, width = jnp.asarray(space.filters), jnp.asarray(space.input_shape[-1])
    widths: list[list[jax.Array]] = []
    for stage in genes.layers:
        widths.append([])
        for layer in stage:
            width = jnp.where(weighted(layer[TYPE]), filters[layer[FILTERS]], width)
            widths[-1].append(width)
    return widths


def _built(space: MacroCNN, genes: Genes | None, stage: int) -> list[Any]:
    """The layers of a stage to build: the present ones, or all."""
    if genes is None:
        return [None] * space.layers_per_stage
    return [layer for layer in genes.layers[stage] if layer[TYPE] != NONE]


def _outputs(space: MacroCNN, layer: np.ndarray | None, inputs: int) -> int:
    if layer is None:
        return max(space.input_shape[-1], *space.filters)
    return space.filters[layer[FILTERS]] if weighted(layer[TYPE]) else inputs


def _operations(space: MacroCNN, inputs: int, outputs: int, rngs: nnx.Rngs, style: Style) -> list[Callable[[], Any]]:
    """In the order that `_indices` counts: none, convolutions, separable ones, the two pools."""
    sizes = space.kernels
    return [
        lambda: lambda x: fit_channels(x, outputs),
        *(lambda k=k: Convolution(inputs, outputs, k, rngs=rngs, style=style) for k in sizes),
        *(lambda k=k: SeparableConvolution(inputs, outputs, k, rngs=rngs, style=style) for k in sizes),
        lambda: lambda x: fit_channels(max_pool(x), outputs),
        lambda: lambda x: fit_channels(average_pool(x), outputs),
    ]


def _indices(space: MacroCNN, layer: Any) -> tuple[Any, Any, Any, Any]:
    """Which operation, norm, activation and connection a layer ``[6]`` runs; ints of a NumPy layer."""
    kinds, sizes = layer[TYPE], len(space.kernels)
    own, present = weighted(kinds), kinds != NONE
    pick: Any = _pick if isinstance(layer, np.ndarray) else jnp.where
    operation = pick(
        own,
        pick(kinds == CONV, 1 + layer[KERNEL], 1 + sizes + layer[KERNEL]),
        pick(present, kinds - SEPARABLE + 2 * sizes, 0),
    )
    return (
        operation,
        pick(own, layer[NORM], len(space.norms)),
        pick(own, layer[ACTIVATION], len(space.activations)),
        pick(present, layer[CONNECTION], len(space.connections)),
    )


def _pick(condition: Any, yes: Any, no: Any) -> int:
    return int(yes if condition else no)


def _halve(reduction: str) -> Callable[[], Callable[[jax.Array], jax.Array]]:
    return lambda: lambda x: halve(x, reduction)


def _average(x: jax.Array) -> jax.Array:
    return x.mean((1, 2), dtype=jnp.float32)


_NORMS: dict[str, Callable[[int], Callable[[], Any]]] = {
    "batch": lambda channels: lambda: BatchNorm(channels),
    "layer": lambda channels: lambda: LayerNorm(channels),
    "none": lambda _: lambda: lambda x, _: x,
}
