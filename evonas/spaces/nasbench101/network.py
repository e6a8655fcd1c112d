"""The benchmark's network around one cell, shared or of one graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn import BatchNorm, Choice, Convolution, Linear, Style, halve, max_pool, used_channels
from evonas.spaces.nasbench101.graph import (
    INTERIOR,
    LAST,
    OPERATIONS,
    Graph,
    on_paths,
    unfold,
    vertex_channels,
    without_unused,
)

if TYPE_CHECKING:
    from evonas.spaces.nasbench101.space import NASBench101

ABSENT, PRESENT = 0, 1
"""Choices of an edge from the input; of a vertex, the operations follow ABSENT."""


class ConvNormRelu(nnx.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int, rngs: nnx.Rngs, style: Style):
        self.convolution = Convolution(inputs, outputs, size, rngs=rngs, style=style)
        self.norm = BatchNorm(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, inputs]``."""
        return jax.nn.relu(self.norm(self.convolution(x)))


class Cell(nnx.Module):
    """A vertex applies its operation to the sum of its inputs; the output concatenates them.

    The cell's input reaches a vertex through a 1x1 convolution; of a wider vertex the first channels are taken.

    Args:
        graph: without unused vertices, or None for a shared cell.
        ends: interior vertices that lead to the output, the same for all graphs of a shared cell.
        inputs: channels.
        outputs: channels.
        rngs: for the weights.
        style: for the weights.
    """

    def __init__(self, graph: Graph | None, ends: int, inputs: int, outputs: int, rngs: nnx.Rngs, style: Style):
        self.ends, self.outputs, self.adjacency = ends, outputs, None
        widest = -(-outputs // ends) if ends else 0
        widths = [widest] * (INTERIOR + 1) + [outputs]
        projected: list[Any] = [None] * (LAST + 1)
        kinds: list[Any] = [None] * INTERIOR
        if graph is not None:
            widths = [int(width) for width in vertex_channels(graph.adjacency, outputs)]
            used = on_paths(graph.adjacency)[1:LAST]
            projected = graph.adjacency[0].tolist()
            kinds = [int(kind) + 1 if there else ABSENT for kind, there in zip(graph.operations, used, strict=True)]
            self.adjacency = tuple(map(tuple, graph.adjacency.tolist()))
        self.widths = tuple(widths)
        self.interior = tuple(range(1, LAST)) if ends else ()
        self.projections = nnx.Dict(
            {
                f"vertex{vertex}": Choice(_projection(inputs, widths[vertex], rngs, style), projected[vertex])
                for vertex in (*self.interior, LAST)
            }
        )
        self.operations = nnx.Dict(
            {
                f"vertex{vertex}": Choice(_operations(widths[vertex], rngs, style), kinds[vertex - 1])
                for vertex in self.interior
            }
        )

    def __call__(self, x: jax.Array, graph: Graph | None = None) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, inputs]``; a shared cell needs the graph, without unused vertices."""
        adjacency: Any = self.adjacency if graph is None else graph.adjacency
        y = self.projections[f"vertex{LAST}"](x, adjacency[0][LAST])
        if not self.ends:
            return y
        vertices = self._vertices(x, adjacency) if graph is None else self._shared_vertices(x, graph)
        return y + self._concatenated(vertices, [adjacency[vertex][LAST] for vertex in range(1, LAST)])

    def narrow(self, inputs: int, graph: Graph) -> None:
        """Scale the new weights to those of vertices of the graph's channels; those of absent ones stay."""
        widths = vertex_channels(graph.adjacency, self.outputs)
        present = on_paths(graph.adjacency)
        for vertex in self.interior:
            width = jnp.where(present[vertex] > 0, widths[vertex], self.widths[vertex])
            for choice, fan in ((self.projections, inputs), (self.operations, width)):
                for operation in choice[f"vertex{vertex}"].in_order:
                    if isinstance(operation, ConvNormRelu):
                        operation.convolution.narrow(fan, width)

    def _vertices(self, x: jax.Array, adjacency: Any) -> list[jax.Array]:
        """What the interior vertices of one graph give."""
        vertices: list[jax.Array] = []
        for vertex in self.interior:
            total = self.projections[f"vertex{vertex}"](x)
            for earlier, y in enumerate(vertices, 1):
                if adjacency[earlier][vertex]:
                    total = total + y[..., : total.shape[-1]]
            vertices.append(self.operations[f"vertex{vertex}"](total))
        return vertices

    def _shared_vertices(self, x: jax.Array, graph: Graph) -> list[jax.Array]:
        """The same of a traced graph: zeros for absent vertices, whose projections and operations cost nothing."""
        widths, present = vertex_channels(graph.adjacency, self.outputs), on_paths(graph.adjacency)
        vertices: list[jax.Array] = []
        for vertex in self.interior:
            total = self.projections[f"vertex{vertex}"](x, graph.adjacency[0, vertex])
            for earlier, y in enumerate(vertices, 1):
                total = total + jnp.where(graph.adjacency[earlier, vertex] > 0, y, jnp.zeros((), y.dtype))
            kind = jnp.where(present[vertex] > 0, graph.operations[vertex - 1] + 1, ABSENT)
            y = self.operations[f"vertex{vertex}"](used_channels(total, widths[vertex]), kind)
            vertices.append(used_channels(y, widths[vertex]))
        return vertices

    def _concatenated(self, vertices: list[jax.Array], leads: list[Any]) -> jax.Array:
        """The outputs' channels side by side: the first vertices' one more where they can't be split evenly."""
        if self.adjacency is not None:
            return jnp.concatenate([y for y, lead in zip(vertices, leads, strict=True) if lead], -1)
        shares = [self.outputs // self.ends + (rank < self.outputs % self.ends) for rank in range(self.ends)]
        stacked = jnp.stack(vertices)[jnp.argsort(1 - jnp.asarray(leads), stable=True)]
        return jnp.concatenate([stacked[rank][..., :share] for rank, share in enumerate(shares)], -1)


class Network(nnx.Module):
    """Stem, stacks of equal cells with halvings between them, global average, linear layer."""

    def __init__(self, space: NASBench101, graph: Graph | None, ends: int, rngs: nnx.Rngs, style: Style):
        width = space.channels
        self.stem = ConvNormRelu(space.input_shape[-1], width, 3, rngs, style)
        stacks = []
        for stack in range(space.stacks):
            outputs = space.channels * 2**stack
            inputs = [width] + [outputs] * (space.cells_per_stack - 1)
            stacks.append(nnx.List(Cell(graph, ends, n, outputs, rngs, style) for n in inputs))
            width = outputs
        self.stacks = nnx.List(stacks)
        self.head = Linear(width, space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome."""
        del rngs  # nothing here is random; all networks are called alike
        graph = None if genome is None else without_unused(unfold(jnp.asarray(genome)))
        x = self.stem(x)
        for number, cells in enumerate(self.stacks):
            x = halve(x, "max") if number else x
            for cell in cells:
                x = cell(x, graph)
        return self.head(x.mean((1, 2), dtype=jnp.float32)).astype(jnp.float32)

    def narrow(self, genome: jax.Array) -> None:
        """Scale a new shared network's weights to the variance that the genome's own network would begin with."""
        graph = without_unused(unfold(jnp.asarray(genome)))
        inputs = self.stem.norm.scale.shape[0]
        for cells in self.stacks:
            for cell in cells:
                cell.narrow(inputs, graph)
                inputs = cell.outputs


def _projection(inputs: int, outputs: int, rngs: nnx.Rngs, style: Style) -> list[Callable[[], Any]]:
    return [lambda: _zeros(outputs), lambda: ConvNormRelu(inputs, outputs, 1, rngs, style)]


def _operations(channels: int, rngs: nnx.Rngs, style: Style) -> list[Callable[[], Any]]:
    sizes = {name: int(name[4]) for name in OPERATIONS if name.startswith("conv")}
    return [
        lambda: jnp.zeros_like,
        *(
            (lambda size=sizes[name]: ConvNormRelu(channels, channels, size, rngs, style))
            if name in sizes
            else lambda: max_pool
            for name in OPERATIONS
        ),
    ]


def _zeros(channels: int) -> Callable[[jax.Array], jax.Array]:
    return lambda x: jnp.zeros((*x.shape[:-1], channels), x.dtype)
