"""The toy problem of regularized evolution (the notebook of Real et al. 2019): bits, of which ones are good."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.arguments import require_integers
from evonas.nn import Linear, Style, used_channels
from evonas.spaces.base import Space
from evonas.spaces.graph import Graph, Node, chain
from evonas.types import Count


@dataclasses.dataclass(frozen=True)
class BitString(Space):
    """Strings of bits. Text: the bits, as ``0110``.

    The problem of the authors' notebook is `noisy_accuracy`. As an architecture, a string is a linear classifier that
    reads the inputs whose bit is one: feature selection.

    Args:
        dim: number of bits, and of the classifier's inputs.
        classes: outputs of the classifier.
    """

    dim: int = 100
    classes: int = 2
    input_shape: tuple[int, ...] = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_integers(self, "dim", "classes")
        object.__setattr__(self, "input_shape", (self.dim,))

    @property
    def genes(self) -> Mapping[str, tuple[int, ...]]:
        """One gene a bit."""
        return {f"bit{i}": (0, 1) for i in range(self.dim)}

    def fitted(self, input_shape: tuple[int, ...], outputs: int) -> BitString:
        """The same space for other data.

        Raises:
            ValueError: if an example is not ``dim`` numbers: a bit belongs to an input.
        """
        if tuple(input_shape) != self.input_shape:
            raise ValueError(f"BitString(dim={self.dim}) expects examples of shape ({self.dim},), got {input_shape}")
        return dataclasses.replace(self, classes=outputs)

    def accuracy(self, genome: jax.Array) -> jax.Array:
        """The toy's true accuracy: the share of ones; float32 scalar."""
        return jnp.asarray(genome).mean(dtype=jnp.float32)

    def noisy_accuracy(self, key: jax.Array, genome: jax.Array, deviation: float = 0.01) -> jax.Array:
        """The toy's measured accuracy: with normal noise of the given deviation, clipped to [0, 1]."""
        return jnp.clip(self.accuracy(genome) + deviation * jax.random.normal(key), 0.0, 1.0)

    def format(self, genome: Any) -> str:
        """The bits."""
        return "".join(str(bit) for bit in self.check(genome))

    def parse(self, text: str) -> np.ndarray:
        """The genome of a text of bits.

        Raises:
            ValueError: if it is not ``dim`` times 0 or 1.
        """
        if len(text) != self.dim or set(text) - {"0", "1"}:
            raise ValueError(f"expected {self.dim} characters 0 or 1, got {text!r}")
        return np.array([int(bit) for bit in text], np.int32)

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> Classifier:
        """The classifier of the selected inputs."""
        return Classifier(self, tuple(np.flatnonzero(self.check(genome)).tolist()), rngs, Style(**style))

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> Classifier:
        """The classifier with weights for all inputs, called with a genome."""
        return Classifier(self, None, rngs, Style(**style))

    def count(self, genome: Any) -> Count:
        """Parameters and multiply-adds: the weights of the selected inputs, and the biases."""
        weights = (int(self.check(genome).sum()) + 1) * self.classes
        return Count(weights, weights)

    def layers(self, genome: Any) -> list[str]:
        """The classifier, in a line."""
        return [f"linear: {int(self.check(genome).sum())} of {self.dim} inputs to {self.classes}"]

    def graph(self, genome: Any) -> Graph:
        """The bits in lines, and what they select."""
        bits, across = self.format(genome), max(10, math.isqrt(4 * self.dim))
        lines = "\n".join(bits[start : start + across] for start in range(0, self.dim, across))
        selected = bits.count("1")
        nodes = (
            Node("input", f"{self.dim} inputs", "input"),
            Node("bits", lines, "text"),
            Node("selected", f"{selected} selected", "identity"),
            Node("linear", "linear", "dense"),
            Node("output", f"{self.classes} outputs", "output"),
        )
        return Graph(((chain("", nodes),),))


class Classifier(nnx.Module):
    """Linear map of the selected inputs. Row i of its kernel belongs to the i-th of them."""

    def __init__(self, space: BitString, selected: tuple[int, ...] | None, rngs: nnx.Rngs, style: Style):
        self.selected = selected
        self.head = Linear(space.dim if selected is None else len(selected), space.classes, rngs=rngs, style=style)

    def __call__(self, x: jax.Array, genome: jax.Array | None = None, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Logits ``[B, classes]`` of ``[B, dim]``; a shared network needs the genome."""
        del rngs  # nothing here is random; all networks are called alike
        if self.selected is not None:
            chosen = x[:, np.array(self.selected, np.int32)]
        elif genome is None:
            raise ValueError("expected a genome, got None: a shared network is called with one")
        else:
            chosen = used_channels(x[:, jnp.argsort(1 - genome, stable=True)], genome.sum())
        return self.head(chosen).astype(jnp.float32)

    def narrow(self, genome: jax.Array) -> None:
        """Scale a new shared network's weights to the variance that the genome's own network would begin with."""
        self.head.narrow(jnp.maximum(genome.sum(), 1), self.head.bias.shape[0])
