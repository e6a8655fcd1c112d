"""Multilayer perceptrons for tables: classification and regression."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_choices, require_integers, require_shape
from evonas.nn import ACTIVATIONS, Activation, Dropout, Linear, Style, fit_channels, used_channels
from evonas.spaces.base import Space
from evonas.spaces.budget import require_budget
from evonas.spaces.graph import Graph, Node
from evonas.spaces.outline import Column
from evonas.types import Count

SKIPS = ("none", "residual")
_LAYER = ("width", "activation", "skip")
_WIDTH, _ACTIVATION, _SKIP = range(3)


@dataclasses.dataclass(frozen=True)
class MLP(Space):
    """Hidden layers ``dropout(activation(linear(x)))``, plus ``x`` if residual, and a linear layer.

    What is added is cut, or padded with zeros, to the layer's width. Layers beyond the depth are absent.

    Args:
        max_depth: hidden layers at most; at least one is there.
        widths: units of hidden layers.
        activations: out of relu, silu (also called Swish), gelu, tanh, sigmoid.
        dropout: rates, one for the whole network.
        classes: outputs of the network: classes, or numbers to predict.
        input_shape: ``(features,)``.
        max_parameters: a hard limit, or None.
    """

    max_depth: int = 4
    widths: tuple[int, ...] = (16, 32, 64, 128)
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    dropout: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5)
    classes: int = 10
    input_shape: tuple[int, ...] = (16,)
    max_parameters: int | None = None

    def __post_init__(self) -> None:
        require_integers(self, "max_depth", "classes")
        require_choices(self, "widths")
        require_choices(self, "activations", allowed=tuple(ACTIVATIONS))
        object.__setattr__(self, "dropout", tuple(float(rate) for rate in self.dropout))
        if not self.dropout or len(set(self.dropout)) < len(self.dropout) or not all(0 <= p < 1 for p in self.dropout):
            raise ValueError(f"MLP.dropout must be one or more different rates in [0, 1), got {self.dropout}")
        require_shape(self, "input_shape", "features", remedy="; flatten the examples")
        inputs, narrowest, widest = self.input_shape[0], min(self.widths), max(*self.widths, self.input_shape[0])
        least = (inputs + 1) * narrowest + (narrowest + 1) * self.classes
        require_budget(self, least, (self.max_depth * widest + self.classes) * (widest + 1))

    @property
    def genes(self) -> Mapping[str, tuple[Any, ...]]:
        """Depth, dropout, then three genes a layer."""
        genes: dict[str, tuple[Any, ...]] = {"depth": tuple(range(1, self.max_depth + 1)), "dropout": self.dropout}
        for layer in range(1, self.max_depth + 1):
            for name, values in zip(_LAYER, (self.widths, self.activations, SKIPS), strict=True):
                genes[f"layer{layer}.{name}"] = values
        return genes

    def canonical(self, genome: jax.Array) -> jax.Array:
        """Genes of absent layers are 0."""
        genome = jnp.asarray(genome, jnp.int32)
        present = jnp.arange(self.max_depth) <= genome[0]
        return jnp.concat([genome[:2], jnp.where(present[:, None], self._layers(genome), 0).reshape(-1)])

    def is_valid(self, genome: jax.Array) -> jax.Array | bool:
        """Whether the parameters are within the limit."""
        return self.max_parameters is None or self._parameters(jnp.asarray(genome, jnp.int32)) <= self.max_parameters

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds, which are the same number: weights, and biases."""
        parameters = int(self._parameters(self.check(genome).astype(np.int64)))
        return Count(parameters, parameters)

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network of one architecture."""
        return Network(self, self.check(genome), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network with all layers at their greatest width, called with a genome."""
        return Network(self, None, rngs, Style(**style))

    def layers(self, genome: Any) -> list[str]:
        """The layers that are there."""
        genome = self.check(genome)
        lines = [
            f"dense: {self.activations[activation]}{', residual' * skip}, to {self.widths[width]}"
            for width, activation, skip in self._layers(genome)[: genome[0] + 1].tolist()
        ]
        return [*lines, f"linear, to {self.classes}", f"dropout after each hidden layer: {self.dropout[genome[1]]}"]

    def graph(self, genome: Any) -> Graph:
        """The layers that are there, one below the other, and what is added to them."""
        genome = self.check(genome)
        rate = self.dropout[genome[1]]
        network = Column("", Node("input", f"{self.input_shape[0]} inputs", "input"))
        for width, activation, skip in self._layers(genome)[: genome[0] + 1].tolist():
            before = network.end
            label = f"dense {self.widths[width]}, {self.activations[activation]}"
            network.add(f"{label}\ndropout {rate}" if rate else label, "dense")
            if skip:
                network.sum_with(before)
        network.add("linear", "dense")
        network.add(f"{self.classes} outputs", "output")
        return Graph(((network.part(),),))

    def _layers(self, genome: Any) -> Any:
        """The layers' genes ``[max_depth, 3]``."""
        return genome[2:].reshape(self.max_depth, len(_LAYER))

    def _parameters(self, genome: Any) -> Any:
        """Of a NumPy or JAX genome, as a scalar of its kind."""
        namespace = genome.__array_namespace__()
        widths, inputs = namespace.asarray(self.widths), self.input_shape[0]
        total = 0
        for number, layer in enumerate(self._layers(genome)):
            present, outputs = number <= genome[0], widths[layer[_WIDTH]]
            total = total + present * (inputs + 1) * outputs
            inputs = namespace.where(present, outputs, inputs)
        return total + (inputs + 1) * self.classes


class Layer(nnx.Module):
    """``activation(linear(x))``, for one choice or for all."""

    def __init__(self, space: MLP, inputs: int, outputs: int, activation: int | None, rngs: nnx.Rngs, style: Style):
        self.linear = Linear(inputs, outputs, rngs=rngs, style=style)
        self.activation = Activation(space.activations, activation)

    def __call__(self, x: jax.Array, activation: jax.Array | None = None) -> jax.Array:
        """Apply to ``x`` ``[B, inputs]``; a shared layer needs the ``activation``'s index."""
        return self.activation(self.linear(x), activation)


class Network(nnx.Module):
    """Hidden layers and a linear one; built for one genome, or for all."""

    def __init__(self, space: MLP, genome: np.ndarray | None, rngs: nnx.Rngs, style: Style):
        self.space = space
        self.fixed = None if genome is None else tuple(int(gene) for gene in genome)
        depth = space.max_depth if genome is None else int(genome[0]) + 1
        chosen = [None] * depth if genome is None else space._layers(genome)[:depth]
        inputs, layers = space.input_shape[0], []
        for genes in chosen:
            outputs = max(space.widths) if genes is None else space.widths[genes[_WIDTH]]
            activation = None if genes is None else int(genes[_ACTIVATION])
            layers.append(Layer(space, inputs, outputs, activation, rngs, style))
            inputs = outputs
        self.hidden = nnx.List(layers)
        self.dropout = Dropout(max(space.widths))
        self.head = Linear(inputs, space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Outputs ``[B, classes]`` of ``[B, features]``; a shared network needs the genome.

        In training, ``rngs`` has the stream ``dropout``; without it nothing is dropped. Given the same key, the shared
        and the specialised network drop the same units.
        """
        x = self._shared(x, genome, rngs) if self.fixed is None else self._own(x, self.fixed, rngs)
        return self.head(x).astype(jnp.float32)

    def narrow(self, genome: jax.Array) -> None:
        """Scale a new shared network's weights to the variance that the genome's own network would begin with."""
        inputs: Any = self.space.input_shape[0]
        widths = jnp.asarray(self.space.widths)
        for number, (layer, genes) in enumerate(zip(self.hidden, self.space._layers(genome), strict=True)):
            layer.linear.narrow(inputs, widths[genes[_WIDTH]])
            inputs = jnp.where(number <= genome[0], widths[genes[_WIDTH]], inputs)
        self.head.narrow(inputs, self.space.classes)

    def _shared(self, x: jax.Array, genome: jax.Array | None, rngs: nnx.Rngs | None) -> jax.Array:
        if genome is None:
            raise ValueError("expected a genome, got None: a shared network is called with one")
        rate, widths = jnp.asarray(self.space.dropout)[genome[1]], jnp.asarray(self.space.widths)
        for number, (layer, genes) in enumerate(zip(self.hidden, self.space._layers(genome), strict=True)):
            y = self.dropout(layer(x, genes[_ACTIVATION]), rate, rngs)
            before = fit_channels(x, y.shape[-1]).astype(y.dtype)
            y = used_channels(jnp.where(genes[_SKIP] == 1, y + before, y), widths[genes[_WIDTH]])
            x = jnp.where(number <= genome[0], y, before)
        return x

    def _own(self, x: jax.Array, fixed: tuple[int, ...], rngs: nnx.Rngs | None) -> jax.Array:
        genome = np.array(fixed)
        rate = self.space.dropout[genome[1]]
        for layer, (_, _, skip) in zip(self.hidden, self.space._layers(genome), strict=False):
            y = self.dropout(layer(x), rate, rngs)
            x = y + fit_channels(x, y.shape[-1]).astype(y.dtype) if skip else y
        return x
