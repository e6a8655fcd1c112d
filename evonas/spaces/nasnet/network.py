"""The networks of the family: a stem, three stages of normal cells, reduction cells between them (Zoph et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import BatchNorm, Convolution, Linear, Style, WithAuxiliary, average_pool
from evonas.nn.repeated import repeated, runs
from evonas.spaces.nasnet.cell import CellNetwork, Features, Shape
from evonas.spaces.nasnet.genes import OPERATIONS, Cell, unfold

if TYPE_CHECKING:
    from evonas.spaces.nasnet.space import NASNet


WINDOW = 5
"""Side of the windows that an auxiliary head averages."""


class Stem(nnx.Module):
    """3x3 convolution, batch normalisation; halving without padding for ImageNet."""

    def __init__(self, inputs: int, outputs: int, halving: bool, rngs: nnx.Rngs, style: Style):
        self.halving = halving
        self.convolution = Convolution(inputs, outputs, 3, 1 + halving, rngs=rngs, style=style)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to images ``[B, H, W, inputs]``."""
        if not self.halving:
            return self.norm(self.convolution(x))
        dtype = self.convolution.style.dtype
        kernel = self.convolution.kernel[...].astype(dtype)
        layout = ("NHWC", "HWIO", "NHWC")
        y = jax.lax.conv_general_dilated(x.astype(dtype), kernel, (2, 2), "VALID", dimension_numbers=layout)
        return self.norm(y)


class AuxiliaryHead(nnx.Module):
    """A second classifier, of an inner layer, that training alone has (Szegedy et al. 2015; Zoph et al. 2018).

    ReLU, 5x5 averages of stride 3, 1x1 convolution to 128, a convolution of all places to 768, linear layer.
    """

    def __init__(self, channels: int, size: Sequence[int], classes: int, rngs: nnx.Rngs, style: Style):
        places = tuple((side - WINDOW) // 3 + 1 for side in size)
        self.style = style
        self.first = Convolution(channels, 128, 1, rngs=rngs, style=style)
        self.first_norm = BatchNorm(128)
        self.second = nnx.Param(style.kernel(rngs, (*places, 128, 768)))
        self.second_norm = BatchNorm(768)
        self.head = Linear(768, classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits ``[B, classes]`` of ``x`` ``[B, H, W, C]``."""
        windows = average_pool(jax.nn.relu(x), WINDOW)[:, 2:-2:3, 2:-2:3]
        x = jax.nn.relu(self.first_norm(self.first(windows)))
        x = jnp.einsum("bhwi,hwio->bo", x, self.second[...].astype(self.style.dtype))
        return self.head(jax.nn.relu(self.second_norm(x))).astype(jnp.float32)


class Network(nnx.Module):
    """Stem, three stages of cells with reduction cells between them, global average, linear layer."""

    def __init__(self, space: NASNet, genome: np.ndarray | None, rngs: nnx.Rngs, style: Style):
        operations, cells = _chosen(space, genome)
        self.places = _places(operations)
        width = stem_width(space)
        self.stem = Stem(space.input_shape[-1], width, space.stem == "imagenet", rngs, style)
        self.stem_filters = width
        self.strides = tuple(stride for stride, _ in plan(space))
        shapes, built, kinds = [Shape(width, 0)], [], []
        for stride, filters in plan(space):
            previous = shapes[-2] if len(shapes) > 1 else None
            genes = None if cells is None else cells[stride - 1]
            built.append(CellNetwork(operations, genes, filters, stride, shapes[-1], previous, rngs, style))
            kinds.append((stride, shapes[-1], previous))
            shapes.append(built[-1].shape)
        self.cells = nnx.List(built)
        self.runs = runs(kinds, genome is None)
        self.drop_path, self.deterministic = space.drop_path, False
        self.auxiliary_weight = space.auxiliary_weight
        if self.auxiliary_weight:
            channels = shapes[_inner(self.strides) + 1].channels
            self.auxiliary = AuxiliaryHead(channels, auxiliary_size(space), space.classes, rngs, style)
        self.head = Linear(shapes[-1].channels, space.classes, rngs=rngs, style=style)

    def __call__(
        self,
        x: jax.Array,
        genome: jax.Array | None = None,
        *,
        rngs: nnx.Rngs | None = None,
        progress: jax.Array | float = 1.0,
    ) -> jax.Array | WithAuxiliary:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome.

        In training mode with those of the auxiliary head, if there is one.

        Args:
            x: images.
            genome: of a shared network.
            rngs: its stream ``dropout`` decides which paths are dropped, in training mode.
            progress: share of the training that is done: paths are dropped more and more.
        """
        genes = (None, None) if genome is None else self._placed(genome)
        previous, current = None, Features(self.stem(x), None if genome is None else jnp.int32(self.stem_filters))
        auxiliary = None
        for first, last in self.runs:
            chosen = genes[self.strides[first] - 1]
            gates = self._gates(range(first, last + 1), rngs, progress, len(x), chosen)
            if first == last:
                of_one = None if gates is None else gates[0]
                previous, current = current, self.cells[first](current, previous, chosen, of_one)
            else:
                previous, current = _repeated_cells(self.cells[first : last + 1], current, previous, chosen, gates)
            if self.auxiliary_weight and not self.deterministic and last == _inner(self.strides):
                auxiliary = self.auxiliary(current.x)
        logits = self.head(jax.nn.relu(current.x).mean((1, 2), dtype=jnp.float32)).astype(jnp.float32)
        return logits if auxiliary is None else WithAuxiliary(logits, auxiliary, self.auxiliary_weight)

    def narrow(self, genome: jax.Array) -> None:
        """Scale a new shared network's weights to the variance that the genome's own network would begin with."""
        genes = self._placed(genome)
        previous: jax.Array | int = self.stem_filters
        current: jax.Array | int = self.stem_filters
        for number, (cell, stride) in enumerate(zip(self.cells, self.strides, strict=True)):
            cell.narrow(current, previous)
            previous, current = current, genes[stride - 1].outputs.sum() * cell.filters
            if self.auxiliary_weight and number == _inner(self.strides):
                self.auxiliary.first.narrow(current, self.auxiliary.first.kernel.shape[-1])
        self.head.narrow(current, self.head.kernel.shape[-1])

    def _gates(
        self, cells: range, rngs: nnx.Rngs | None, progress: jax.Array | float, batch: int, genes: Cell | None
    ) -> jax.Array | None:
        """What drop path does in cells ``[N, 10, B]``; None where nothing is dropped."""
        if self.deterministic or rngs is None or not self.drop_path:
            return None
        rates = [self.drop_path * (number + 1) / len(self.cells) * progress for number in cells]
        return jnp.stack(
            [
                self.cells[number].gates(rngs.dropout(), batch, rate, genes)
                for number, rate in zip(cells, rates, strict=True)
            ]
        )

    def _placed(self, genome: jax.Array) -> tuple[Cell, Cell]:
        """The genes of a traced genome, operations by their place in this network."""
        places = jnp.asarray(self.places)
        normal, reduction = unfold(genome)
        return tuple(cell._replace(operations=places[cell.operations]) for cell in (normal, reduction))  # type: ignore[return-value]


def _repeated_cells(
    cells: Sequence[CellNetwork], current: Features, previous: Features | None, genes: Cell | None, gates: Any
) -> tuple[Features, Features]:
    """The last two of what equal cells of a shared network give one after the other."""

    def call(modules: Any, carry: tuple[Features, Features], gates: Any) -> tuple[Features, Features]:
        current, previous = carry
        return modules[0](current, previous, genes, gates), current

    assert previous is not None
    current, previous = repeated(call, [(cell,) for cell in cells], (current, previous), gates)
    return previous, current


def _inner(strides: tuple[int, ...]) -> int:
    """The cell before the last reduction cell: what the auxiliary head reads."""
    return len(strides) - 2 - strides[::-1].index(2)


def stem_width(space: NASNet) -> int:
    """Channels of the stem."""
    return space.stem_filters or (32 if space.stem == "imagenet" else 3 * space.filters)


def stem_size(space: NASNet) -> tuple[int, int]:
    """Height and width of what the stem gives."""
    height, width = space.input_shape[:2]
    return ((height - 1) // 2, (width - 1) // 2) if space.stem == "imagenet" else (height, width)


def auxiliary_size(space: NASNet) -> tuple[int, int]:
    """Height and width of what the auxiliary head reads: of all reductions, the last comes after it."""
    halvings = sum(stride == 2 for stride, _ in plan(space)) - 1
    height, width = (-(-side // 2**halvings) for side in stem_size(space))
    return height, width


def plan(space: NASNet) -> list[tuple[int, int]]:
    """Stride and filters of each cell."""
    cells = [(2, space.filters // 4), (2, space.filters // 2)] if space.stem == "imagenet" else []
    for stage in range(3):
        width = space.filters * 2**stage
        cells += [(2, width)] * (stage > 0) + [(1, width)] * space.cells_per_stage
    return cells


def _chosen(space: NASNet, genome: np.ndarray | None) -> tuple[tuple[str, ...], tuple[Cell, ...] | None]:
    """The operations to choose from, the searched ones if these are enough; and the cells, by their places in them."""
    if genome is None:
        return space.searched, None
    cells = unfold(genome)
    used = {OPERATIONS[kind] for cell in cells for kind in cell.operations.ravel()}
    operations = space.searched if used <= set(space.searched) else OPERATIONS
    places = np.array(_places(operations))
    return operations, tuple(cell._replace(operations=places[cell.operations]) for cell in cells)


def _places(operations: tuple[str, ...]) -> tuple[int, ...]:
    """Where each of all operations is among the given ones; 0 for those that are not."""
    return tuple(operations.index(name) if name in operations else 0 for name in OPERATIONS)
