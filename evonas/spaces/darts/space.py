"""The search space of DARTS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_integers, require_shape
from evonas.nn import Style
from evonas.spaces.base import Space
from evonas.spaces.darts import text as texts
from evonas.spaces.darts import variation
from evonas.spaces.darts.cost import cost
from evonas.spaces.darts.genes import CELLS, gene_choices, unfold
from evonas.spaces.darts.network import Network
from evonas.spaces.darts.picture import picture
from evonas.spaces.graph import Graph
from evonas.types import Count


@dataclasses.dataclass(frozen=True)
class DARTS(Space):
    """A normal and a reduction cell of four nodes, each the sum of two edges from different earlier states.

    States 0 and 1 are the outputs of the two layers before; the nodes, states 2 to 5, are concatenated.

    Text: the field's ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5], reduce=...)``.

    Args:
        cells: of the network; two of them, after a third and two thirds, are reduction cells.
        channels: of a node in the first third; doubled at each reduction.
        classes: outputs of the network.
        input_shape: height, width and channels of an image.
    """

    cells: int = 20
    channels: int = 36
    classes: int = 10
    input_shape: tuple[int, ...] = (32, 32, 3)

    def __post_init__(self) -> None:
        require_integers(self, "cells", "channels", "classes")
        require_shape(self, "input_shape", "height", "width", "channels")
        if min(self.input_shape[:2]) <= 2:
            raise ValueError(f"images are halved twice: larger ones than {self.input_shape[:2]} are needed")

    @property
    def genes(self) -> Mapping[str, tuple[Any, ...]]:
        """Source and operation of two edges a node, of two cells."""
        return gene_choices()

    def sample(self, key: jax.Array) -> jax.Array:
        """Two different states for each node, and each operation but ``none``, uniform."""
        return variation.sample(key)

    def mutate(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """Of one edge, another source, not its sibling's, or another operation but ``none``; equally likely."""
        return variation.mutate(key, jnp.asarray(genome, jnp.int32))

    def is_valid(self, genome: jax.Array) -> jax.Array:
        """Whether the two edges of each node come from different states."""
        return jnp.stack([(cell.sources[:, 0] != cell.sources[:, 1]).all() for cell in unfold(genome)]).all()

    def canonical(self, genome: jax.Array) -> jax.Array:
        """The order of a node's edges does not matter, nor that of nodes: of all, the genome that comes first.

        An edge of ``none``, which no search draws, keeps its source.
        """
        return variation.canonical(jnp.asarray(genome, jnp.int32))

    def format(self, genome: Any) -> str:
        """The genotype as text."""
        return texts.write(self.check(genome))

    def parse(self, text: str) -> np.ndarray:
        """The genome ``[32]`` int32 of a genotype's text.

        Raises:
            ValueError: if the text has another form, an unknown operation, or a source that comes later.
        """
        return texts.read(text)

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds; normalisation has parameters and no cost."""
        return cost(self, self.check(genome))

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network of two cells."""
        return Network(self, self.check(genome), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network with all operations on each edge, called with a genome."""
        return Network(self, None, rngs, Style(**style))

    def layers(self, genome: Any) -> list[str]:
        """The two cells, a line a state."""
        cells = zip(CELLS, unfold(self.check(genome)), strict=True)
        return [f"{name} cell, {line}" for name, cell in cells for line in texts.describe(cell)]

    def graph(self, genome: Any) -> Graph:
        """The outline of the network, and the two cells; edges of ``none`` are faint."""
        return picture(self, self.check(genome))
