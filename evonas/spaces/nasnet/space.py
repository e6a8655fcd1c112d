"""The NASNet search space."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_choices, require_integers, require_one_of, require_shape, require_share
from evonas.genome import random_index
from evonas.nn import Style
from evonas.spaces.base import Space
from evonas.spaces.graph import Graph
from evonas.spaces.nasnet import text as texts
from evonas.spaces.nasnet.cost import cost
from evonas.spaces.nasnet.genes import (
    CELLS,
    COMBINATIONS,
    INPUTS,
    OPERATIONS,
    SEARCHED,
    STATES,
    Cell,
    fold,
    gene_choices,
    unfold,
)
from evonas.spaces.nasnet.network import WINDOW, Network, auxiliary_size, plan, stem_size
from evonas.spaces.nasnet.picture import picture
from evonas.spaces.nasnet.variation import canonical, mutate
from evonas.types import Count


@dataclasses.dataclass(frozen=True)
class NASNet(Space):
    """A normal cell and a reduction cell of five pairwise combinations (Zoph et al. 2018; Real et al. 2019, SP-I).

    Each combination adds two operations on earlier states; states that none takes are concatenated. Published cells
    also concatenate states that are taken, or neither: genes named ``exception`` say where. Neither `sample` nor
    `mutate` makes them, but mutations that know no space, such as `evonas.variation.ChangeOne`, do, and draw operations
    that are not searched.

    Text: ``normal ops OP OP | ... idx I I | ... used U U U U U U U reduce ...``, as published genotypes are written.

    Args:
        cells_per_stage: normal cells in each of the three stages (N).
        filters: channels of each state in the first stage; doubled at each reduction cell (F).
        stem: "cifar", a 3x3 convolution, or "imagenet", one of stride 2 and two reduction cells.
        stem_filters: channels of the stem; None for 3 F, or 32 with an ImageNet stem.
        classes: outputs of the network.
        input_shape: height, width and channels of an image.
        auxiliary_weight: of the auxiliary head's loss in training; 0 for none. `count` leaves it out.
        drop_path: rate at which paths of the last cell are dropped at the end of training; less in earlier cells, and
            before. The papers give the rate of those kept: their 0.7 is 0.3 here.
        searched: operations that searches draw, out of `OPERATIONS`; by default Real et al.'s.
    """

    cells_per_stage: int = 6
    filters: int = 32
    stem: Literal["cifar", "imagenet"] = "cifar"
    stem_filters: int | None = None
    classes: int = 10
    input_shape: tuple[int, ...] = (32, 32, 3)
    auxiliary_weight: float = 0.0
    drop_path: float = 0.0
    searched: tuple[str, ...] = SEARCHED

    def __post_init__(self) -> None:
        require_integers(self, "cells_per_stage", "filters", "classes")
        require_choices(self, "searched", allowed=OPERATIONS)
        require_shape(self, "input_shape", "height", "width", "channels")
        require_one_of(self, "stem", ("cifar", "imagenet"))
        if self.stem == "imagenet":
            require_integers(self, "filters", least=4)  # its first reduction cells have a half and a quarter of them
        if self.stem_filters is not None:
            require_integers(self, "stem_filters")
        require_share(self, "auxiliary_weight", "drop_path")
        halvings = sum(stride == 2 for stride, _ in plan(self))
        if min(stem_size(self)) <= 2 ** (halvings - 1):
            raise ValueError(
                f"images of {self.input_shape[:2]} can't be halved {halvings} times behind the stem; give larger ones"
            )
        if self.drop_path == 1:
            raise ValueError("drop_path is the rate of paths dropped, below 1: at 1 none would be left")
        if self.auxiliary_weight and min(auxiliary_size(self)) < WINDOW:
            raise ValueError(
                f"the auxiliary head averages windows of {WINDOW} x {WINDOW}, but images of {self.input_shape[:2]} are "
                f"{auxiliary_size(self)} where it reads; give larger images, or auxiliary_weight=0"
            )

    @property
    def genes(self) -> Mapping[str, tuple[Any, ...]]:
        """For each cell source and operation of ten elements, then whether each state is an exception."""
        return gene_choices()

    def sample(self, key: jax.Array) -> jax.Array:
        """Each source and each operation uniform, the latter of the searched ones; no exceptions."""

        def cell(key: jax.Array) -> Cell:
            source_key, operation_key = jax.random.split(key)
            states = INPUTS + jnp.arange(COMBINATIONS)[:, None]
            return Cell(
                random_index(source_key, (COMBINATIONS, 2), states),
                self._places[random_index(operation_key, (COMBINATIONS, 2), len(self.searched))],
                jnp.zeros(STATES, jnp.int32),
            )

        first, second = jax.random.split(key)
        return fold((cell(first), cell(second)))

    def mutate(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """Another hidden state or operation: Real et al. 2019. `evonas.variation.OrIdentity` adds their 5 % of none."""
        return mutate(key, genome, self._places)

    def is_valid(self, genome: jax.Array) -> jax.Array:
        """Whether each cell has an output."""
        return jnp.stack([cell.outputs.any() for cell in unfold(jnp.asarray(genome, jnp.int32))]).all()

    def canonical(self, genome: jax.Array) -> jax.Array:
        """The order of a sum does not matter, nor that of combinations: of all, the genome that comes first."""
        return canonical(jnp.asarray(genome, jnp.int32))

    def format(self, genome: Any) -> str:
        """The genotype as text."""
        return texts.write(self.check(genome))

    def parse(self, text: str) -> np.ndarray:
        """The genome ``[54]`` int32 of a genotype's text.

        Raises:
            ValueError: if the text has another form, or an unknown operation or a state that comes later.
        """
        return texts.read(text)

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds; normalisation has parameters and no cost.

        Raises:
            ValueError: if a cell has no output.
        """
        return cost(self, _with_outputs(self.check(genome)))

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network of two cells.

        Raises:
            ValueError: if a cell has no output.
        """
        return Network(self, _with_outputs(self.check(genome)), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, signature: Hashable = (), **style: Any) -> Network:
        """The network with all searched operations on each edge, or all there are; called with a genome."""
        space = dataclasses.replace(self, searched=OPERATIONS) if signature else self
        return Network(space, None, rngs, Style(**style))

    def signature(self, genome: Any) -> Hashable:
        """Cells of searched operations share one program, and all others one."""
        used = {OPERATIONS[kind] for cell in unfold(self.check(genome)) for kind in cell.operations.ravel()}
        return () if used <= set(self.searched) else ("every operation",)

    def layers(self, genome: Any) -> list[str]:
        """The two cells, a line a state."""
        cells = zip(CELLS, unfold(self.check(genome)), strict=True)
        return [f"{name} cell, {line}" for name, cell in cells for line in texts.describe(cell)]

    def graph(self, genome: Any) -> Graph:
        """The outline of the network, and the two cells; what does not lead to a cell's output is faint."""
        return picture(self, self.check(genome))

    @property
    def _places(self) -> jax.Array:
        return jnp.asarray([OPERATIONS.index(name) for name in self.searched], jnp.int32)


def _with_outputs(genome: np.ndarray) -> np.ndarray:
    for name, cell in zip(CELLS, unfold(genome), strict=True):
        if not cell.outputs.any():
            raise ValueError(f"the {name} cell has no output: at least one state is concatenated")
    return genome
