"""The space a practitioner expects: a network's layers, one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_choices, require_integers, require_shape
from evonas.nn import ACTIVATIONS, Style
from evonas.spaces.base import Space
from evonas.spaces.budget import require_budget
from evonas.spaces.graph import Graph
from evonas.spaces.macro_cnn import text as texts
from evonas.spaces.macro_cnn.cost import cost, greatest_cost, least_cost
from evonas.spaces.macro_cnn.genes import (
    CONNECTIONS,
    FILTERS,
    LAYER,
    NONE,
    NORMS,
    REDUCTIONS,
    TYPE,
    TYPES,
    Genes,
    canonical,
    fold,
    unfold,
    weighted,
)
from evonas.spaces.macro_cnn.network import Network
from evonas.spaces.macro_cnn.picture import picture
from evonas.types import Count

_TYPE_ODDS = (1, 3, 3, 1, 1)
"""Of the types of sampled layers: with equal ones, a third of a network's layers would be pools."""


@dataclasses.dataclass(frozen=True)
class MacroCNN(Space):
    """Image classifiers: stages of layers, the image halved between stages, a head.

    A layer is absent, a convolution, a separable convolution (depthwise, then pointwise), or a 3x3 pool of stride 1.
    A convolution is followed by its norm, then its activation: call that ``f``. A pool is all of its ``f``; it keeps
    the number of channels and has no kernel size, filters, norm or activation of its own. The layer's output is, by
    its connection,

    - plain: ``f(x)``,
    - residual: ``f(x) + x``,
    - skip: ``f(x)`` plus the input of the layer before it in the stage; in a stage's first layer, the same as residual.

    What is added is cut, or padded with zeros, to the channels of ``f(x)``. The head is the average over the image, a
    dense layer with activation if any, and a linear layer.

    Text: ``conv3x3-16-relu-batch-residual | none / max / max_pool-plain | separable5x5-32-silu-layer-skip / linear``,
    with ``dense64-relu`` for the dense layer. Genes that do not matter are written likewise if they are not 0.

    Args:
        stages: parts of equal image size; a gene chooses the maximum or the average of 2x2 blocks between two.
        layers_per_stage: layers of a stage at most, so that the greatest depth is ``stages * layers_per_stage``.
        filters: output channels of convolutions.
        kernels: their odd sizes.
        activations: out of relu, silu (also called Swish), gelu, tanh, sigmoid.
        norms: out of batch, layer (over the channels of each place), none.
        connections: out of plain, skip, residual.
        dense: units of the head's dense layer; 0 for none.
        classes: outputs of the network.
        input_shape: height, width and channels of an image.
        max_parameters: a hard limit, or None.
    """

    stages: int = 3
    layers_per_stage: int = 2
    filters: tuple[int, ...] = (8, 16, 32)
    kernels: tuple[int, ...] = (1, 3, 5)
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    norms: tuple[str, ...] = NORMS
    connections: tuple[str, ...] = CONNECTIONS
    dense: tuple[int, ...] = (0, 64, 128)
    classes: int = 10
    input_shape: tuple[int, ...] = (32, 32, 3)
    max_parameters: int | None = None

    def __post_init__(self) -> None:
        require_integers(self, "stages", "layers_per_stage", "classes")
        require_choices(self, "filters")
        require_choices(self, "kernels", odd=True)
        require_choices(self, "activations", allowed=tuple(ACTIVATIONS))
        require_choices(self, "norms", allowed=NORMS)
        require_choices(self, "connections", allowed=CONNECTIONS)
        require_choices(self, "dense", least=0)
        require_shape(self, "input_shape", "height", "width", "channels")
        require_budget(self, least_cost(self), greatest_cost(self))

    @property
    def genes(self) -> Mapping[str, tuple[Any, ...]]:
        """Six genes a layer, then one a halving, then two of the head."""
        choices = (TYPES, self.kernels, self.filters, self.activations, self.norms, self.connections)
        genes: dict[str, tuple[Any, ...]] = {}
        for stage in range(1, self.stages + 1):
            for layer in range(1, self.layers_per_stage + 1):
                for name, values in zip(LAYER, choices, strict=True):
                    genes[f"stage{stage}.layer{layer}.{name}"] = values
        genes |= {f"stage{stage}.reduction": REDUCTIONS for stage in range(2, self.stages + 1)}
        return genes | {"dense": self.dense, "dense.activation": self.activations}

    def sample(self, key: jax.Array) -> jax.Array:
        """Each gene uniform, but for the layers' types: 1/9 absent, 2/3 convolutions, 2/9 pools."""
        gene_key, type_key = jax.random.split(key)
        genes = unfold(self, super().sample(gene_key))
        odds = jnp.log(jnp.asarray(_TYPE_ODDS, jnp.float32))
        types = jax.random.categorical(type_key, odds, shape=genes.layers.shape[:2]).astype(jnp.int32)
        return fold(genes._replace(layers=genes.layers.at[..., TYPE].set(types)))

    def canonical(self, genome: jax.Array) -> jax.Array:
        """Genes that do not matter are 0, absent layers stand last in their stage, a stage's first skip is residual."""
        return canonical(self, jnp.asarray(genome, jnp.int32))

    def is_valid(self, genome: jax.Array) -> jax.Array:
        """Whether there is a convolution, and the parameters are within the limit."""
        genome = jnp.asarray(genome, jnp.int32)
        valid = weighted(unfold(self, genome).layers[..., TYPE]).any()
        return valid if self.max_parameters is None else valid & (cost(self, genome)[0] <= self.max_parameters)

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds: of convolutions, and of linear layers with their bias."""
        parameters, multiply_adds = cost(self, self.check(genome).astype(np.int64))
        return Count(int(parameters), int(multiply_adds))

    def format(self, genome: Any) -> str:
        """The genome as text."""
        return texts.write(self, unfold(self, self.check(genome)))

    def parse(self, text: str) -> np.ndarray:
        """The genome ``[L]`` int32 of a text.

        Raises:
            ValueError: if the text is not one of this space.
        """
        return texts.read(self, text)

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network of one architecture."""
        return Network(self, self._canonical_genes(genome), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network with all choices in each layer, called with a genome."""
        return Network(self, None, rngs, Style(**style))

    def layers(self, genome: Any) -> list[str]:
        """The layers that are there, with the shapes of their outputs."""
        genes = self._canonical_genes(genome)
        height, width, channels = self.input_shape
        lines = []
        for stage, layers in enumerate(genes.layers):
            if stage:
                height, width = -(-height // 2), -(-width // 2)
                name = REDUCTIONS[genes.reductions[stage - 1]]
                lines.append(f"halve: {name} of 2x2 blocks, to {height}x{width}x{channels}")
            for layer in layers[layers[:, TYPE] != NONE]:
                channels = self.filters[layer[FILTERS]] if weighted(layer[TYPE]) else channels
                lines.append(f"stage {stage + 1}: {self._describe(layer)}, to {height}x{width}x{channels}")
        units = self.dense[genes.head[0]]
        dense = [f"dense: {self.activations[genes.head[1]]}, to {units}"] if units else []
        return [*lines, f"average over the image, to {channels}", *dense, f"linear, to {self.classes}"]

    def graph(self, genome: Any) -> Graph:
        """A column of layers a stage; absent layers are left out."""
        return picture(self, self._canonical_genes(genome))

    def _describe(self, layer: np.ndarray) -> str:
        kind, kernel, _, activation, norm, connection = layer.tolist()
        kind, connection = TYPES[kind], self.connections[connection]
        if not weighted(layer[TYPE]):
            return f"{'maximum' if kind == 'max_pool' else 'average'} pool 3x3, {connection}"
        name = "convolution" if kind == "conv" else "separable convolution"
        size, norm = (
            self.kernels[kernel],
            {"batch": "batch norm", "layer": "layer norm", "none": "no norm"}[self.norms[norm]],
        )
        return f"{name} {size}x{size}, {norm}, {self.activations[activation]}, {connection}"

    def _canonical_genes(self, genome: Any) -> Genes:
        return unfold(self, canonical(self, self.check(genome)))
