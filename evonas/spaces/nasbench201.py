"""NAS-Bench-201, the topology space of NATS-Bench (Dong and Yang 2020; Dong et al. 2021)."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_integers, require_shape
from evonas.genome import enumerate_genomes, genome_index
from evonas.nn import BatchNorm, Choice, Convolution, Linear, ReluConvNorm, Style, average_pool, halve
from evonas.spaces.base import Space
from evonas.spaces.graph import Edge, Graph, Node, Part
from evonas.spaces.outline import kind_of, outline
from evonas.types import Count

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(from, to) of each gene: the order of the benchmark's text."""

_NONE, _SKIP, _CONV_1X1, _CONV_3X3, _POOL = range(5)
_CARDINALITIES = (len(OPERATIONS),) * len(EDGES)


@dataclasses.dataclass(frozen=True)
class NASBench201(Space):
    """Cells of 4 nodes and 6 edges, each edge one of 5 operations: 15,625 cells, 6,466 of them different.

    Text: ``|e01~0|+|e02~0|e12~1|+|e03~0|e13~1|e23~2|``, as in the benchmark. The defaults are its network.

    Args:
        channels: of the first stage; doubled at each of the two reductions.
        cells_per_stage: cells before each reduction and after the last (N in the paper).
        classes: outputs of the network.
        input_shape: height, width and channels of an image.
    """

    channels: int = 16
    cells_per_stage: int = 5
    classes: int = 10
    input_shape: tuple[int, ...] = (32, 32, 3)

    def __post_init__(self) -> None:
        require_integers(self, "channels", "cells_per_stage", "classes")
        require_shape(self, "input_shape", "height", "width", "channels")

    @property
    def genes(self) -> Mapping[str, tuple[str, ...]]:
        """One gene an edge, its choices the operations."""
        return {f"{start}->{end}": OPERATIONS for start, end in EDGES}

    def canonical(self, genome: jax.Array) -> jax.Array:
        """The first genome whose cell is structurally equal, by the benchmark's own folding (6,466 classes)."""
        return jnp.asarray(_canonical_genomes())[genome_index(genome, _CARDINALITIES)]

    def structure(self, genome: jax.Array) -> jax.Array:
        """Number of paths from input to output by their sequence of operations ``[40]``, skips left out.

        The path encoding of White et al. 2021 (BANANAS) with counts: isomorphic cells have equal features.
        """
        return _path_counts(genome)

    def format(self, genome: Any) -> str:
        """The benchmark's text."""
        names = iter(OPERATIONS[gene] for gene in self.check(genome))
        nodes = ["|".join(f"{next(names)}~{start}" for start in range(end)) for end in range(1, 4)]
        return "+".join(f"|{node}|" for node in nodes)

    def parse(self, text: str) -> np.ndarray:
        """The genome of a text in the benchmark's notation.

        Raises:
            ValueError: if the text has another form or an unknown operation.
        """
        found = re.findall(r"([^|+~\s]+)~(\d)", text)
        skeleton = re.sub(r"[^|+~\s]+~", "~", text.strip())
        if skeleton != "|~0|+|~0|~1|+|~0|~1|~2|":
            raise ValueError(f"expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, got {text!r}")
        unknown = [name for name, _ in found if name not in OPERATIONS]
        if unknown:
            raise ValueError(f"unknown operation {unknown[0]!r}; expected one of {', '.join(OPERATIONS)}")
        return np.array([OPERATIONS.index(name) for name, _ in found], np.int32)

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The benchmark's network around one cell."""
        return Network(self, tuple(int(gene) for gene in self.check(genome)), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> Network:
        """The network with all operations on each edge, called with a genome."""
        return Network(self, None, rngs, Style(**style))

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds, equal to the benchmark's records.

        Counted as there: convolutions, and the linear layer with its bias; normalisation has parameters, no cost.
        """
        operations = list(self.check(genome))
        parameters, multiply_adds = 0, 0
        height, width, image_channels = self.input_shape

        def convolution(inputs: int, outputs: int, size: int, normalised: bool = True) -> None:
            nonlocal parameters, multiply_adds
            weights = size * size * inputs * outputs
            parameters += weights + 2 * outputs * normalised
            multiply_adds += weights * height * width

        channels = self.channels
        convolution(image_channels, channels, 3)
        for stage in range(3):
            if stage:
                height, width = -(-height // 2), -(-width // 2)
                convolution(channels, 2 * channels, 3)
                convolution(2 * channels, 2 * channels, 3)
                convolution(channels, 2 * channels, 1, normalised=False)
                channels *= 2
            for _ in range(self.cells_per_stage):
                for _ in range(operations.count(_CONV_1X1)):
                    convolution(channels, channels, 1)
                for _ in range(operations.count(_CONV_3X3)):
                    convolution(channels, channels, 3)
        head = channels * self.classes + self.classes
        return Count(parameters + 2 * channels + head, multiply_adds + head)

    def layers(self, genome: Any) -> list[str]:
        """The cell, a line a node, inside the network's outline."""
        genes = self.check(genome)
        terms: dict[int, list[str]] = {1: [], 2: [], 3: []}
        for (start, end), gene in zip(EDGES, genes, strict=True):
            if gene != _NONE:
                terms[end].append(f"{OPERATIONS[gene]}(node {start})")
        outline = f"{self.cells_per_stage} x cell at {{}} channels".format
        return [
            f"stem: 3x3 convolution to {self.channels} channels",
            outline(self.channels)
            + ", halve, "
            + outline(2 * self.channels)
            + ", halve, "
            + outline(4 * self.channels),
            *(f"node {end}: {' + '.join(inputs) or 'zero'}" for end, inputs in terms.items()),
            f"head: average over the image, linear to {self.classes}",
        ]

    def graph(self, genome: Any) -> Graph:
        """The outline of the network, and the cell: nodes are sums; faint is what no path to the output has."""
        labels = ("none", "identity", "conv 1x1", "conv 3x3", "avg pool 3x3")
        nodes = (Node("0", "input", "input"), Node("1", "1", "state"), Node("2", "2", "state"))
        edges = (
            Edge(str(start), str(end), labels[gene], kind_of(OPERATIONS[gene]), faint=bool(gene == _NONE))
            for (start, end), gene in zip(EDGES, self.check(genome), strict=True)
        )
        cell = Part("cell", (*nodes, Node("3", "output", "output")), tuple(edges), "right").faded()
        stages = [f"{self.cells_per_stage} x cell\n{self.channels * 2**stage} channels" for stage in range(3)]
        return Graph(((outline(f"conv 3x3\n{self.channels} channels", stages, "halve", self.classes),), (cell,)))


class Cell(nnx.Module):
    """Nodes 0 to 3; each sums its edges' operations on the nodes before it. Node 0 is the input, 3 the output."""

    def __init__(self, channels: int, operations: tuple[int, ...] | None, rngs: nnx.Rngs, style: Style):
        makers = (
            lambda: jnp.zeros_like,
            lambda: _identity,
            lambda: ReluConvNorm(channels, channels, 1, rngs=rngs, style=style),
            lambda: ReluConvNorm(channels, channels, 3, rngs=rngs, style=style),
            lambda: average_pool,
        )
        fixed = operations or (None,) * len(EDGES)
        self.edges = nnx.List([Choice(makers, only) for only in fixed])

    def __call__(self, x: jax.Array, genome: jax.Array | None = None) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, C]``."""
        nodes: list[Any] = [x, None, None, None]
        genes = (None,) * len(EDGES) if genome is None else _without_dead_ends(*genome)
        for (start, end), edge, index in zip(EDGES, self.edges, genes, strict=True):
            nodes[end], nodes[start] = edge.onto(nodes[end], nodes[start], index, last=end == 3)
        return nodes[3]


class Reduction(nnx.Module):
    """Residual block that halves the image and doubles the channels."""

    def __init__(self, channels: int, rngs: nnx.Rngs, style: Style):
        self.first = ReluConvNorm(channels, 2 * channels, 3, 2, rngs=rngs, style=style)
        self.second = ReluConvNorm(2 * channels, 2 * channels, 3, rngs=rngs, style=style)
        self.shortcut = Convolution(channels, 2 * channels, 1, rngs=rngs, style=style)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to ``x`` ``[B, H, W, C]``."""
        return self.second(self.first(x)) + self.shortcut(halve(x))


class Network(nnx.Module):
    """Stem, three stages of cells with reductions between them, global average, linear layer."""

    def __init__(self, space: NASBench201, operations: tuple[int, ...] | None, rngs: nnx.Rngs, style: Style):
        channels = [space.channels * 2**stage for stage in range(3)]
        self.stem = Convolution(space.input_shape[-1], space.channels, 3, rngs=rngs, style=style)
        self.stem_norm = BatchNorm(space.channels)
        self.stages = nnx.List(
            nnx.List([Cell(width, operations, rngs, style) for _ in range(space.cells_per_stage)]) for width in channels
        )
        self.reductions = nnx.List(Reduction(width, rngs, style) for width in channels[:2])
        self.norm = BatchNorm(channels[2])
        self.head = Linear(channels[2], space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; a shared network needs the genome."""
        del rngs  # nothing here is random; all networks are called alike
        x = self.stem_norm(self.stem(x))
        for stage, cells in enumerate(self.stages):
            if stage:
                x = self.reductions[stage - 1](x)
            for cell in cells:
                x = cell(x, genome)
        pooled = jax.nn.relu(self.norm(x)).mean((1, 2), dtype=jnp.float32)
        return self.head(pooled).astype(jnp.float32)


def _identity(x: jax.Array) -> jax.Array:
    return x


def _without_dead_ends(first: Any, to_2: Any, from_1_to_2: Any, to_3: Any, from_1: Any, from_2: Any) -> tuple[Any, ...]:
    """``none`` on each edge to a node that nothing leads on from: what has no use is not computed."""
    to_2, from_1_to_2 = (jnp.where(from_2 == _NONE, _NONE, gene) for gene in (to_2, from_1_to_2))
    first = jnp.where((from_1_to_2 == _NONE) & (from_1 == _NONE), _NONE, first)
    return first, to_2, from_1_to_2, to_3, from_1, from_2


@functools.cache
def _canonical_genomes() -> np.ndarray:
    """For each genome, by index, the first genome with the same output expression: ``[15625, 6]`` int32."""
    genomes = enumerate_genomes(_CARDINALITIES)
    first: dict[str, int] = {}
    return genomes[[first.setdefault(_expression(genome), index) for index, genome in enumerate(genomes.tolist())]]


def _expression(operations: list[int]) -> str:
    """The output as text: each node the sorted sum of its inputs, a skip standing for the node it copies.

    As in the benchmark, a sum of zeros is not itself taken for zero.
    """
    nodes = ["0", "", "", ""]
    for end in range(1, 4):
        inputs = [
            (operation, nodes[start]) for (start, to), operation in zip(EDGES, operations, strict=True) if to == end
        ]
        nodes[end] = "+".join(sorted(_term(operation, node) for operation, node in inputs))
    return nodes[3]


def _term(operation: int, node: str) -> str:
    if operation == _NONE or node == "#":
        return "#"
    return node if operation == _SKIP else f"({node})@{OPERATIONS[operation]}"


def _path_counts(genome: jax.Array) -> jax.Array:
    """A path's code is the base-4 number of its operations, skips left out: at most three digits of 1 to 3."""
    digit = jnp.asarray([0, 0, 1, 2, 3], jnp.int32)
    edge = {pair: genome[gene] for gene, pair in enumerate(EDGES)}
    counts = jnp.zeros(64, jnp.float32)
    for nodes in ((0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3)):
        code, open_ = jnp.int32(0), jnp.bool_(True)
        for pair in itertools.pairwise(nodes):
            operation = edge[pair]
            code = jnp.where(operation == _SKIP, code, 4 * code + digit[operation])
            open_ &= operation != _NONE
        counts = counts.at[code].add(open_.astype(jnp.float32))
    return counts[jnp.asarray(_PATH_CODES)]


_PATH_CODES = tuple(code for code in range(64) if "0" not in np.base_repr(code, 4) or code == 0)
