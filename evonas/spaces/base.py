"""What a search space is: genes, and their way to text, to a network, and back."""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas import genome as genomes
from evonas.nn.counting import count_module
from evonas.notebook import card
from evonas.spaces.graph import Graph, written
from evonas.types import Count


class Space(abc.ABC):
    """A search space over genomes ``[L]`` int32. Subclass it as a frozen dataclass.

    A new space states its `genes` and builds the `network` of a genome, which only training and counting need; all else
    has a default that fits. The array methods (`sample`, `mutate`, `crossover`, `is_valid`, `canonical`, `structure`)
    take one genome, are pure, and are traced by JAX: write them with `jax.numpy`.

    A space whose architectures can share one compiled training program also gives a `supernet`. Without one, each
    architecture compiles a program of its own.
    """

    input_shape: tuple[int, ...]
    """Shape of one example. A field of this name, left at its default, is fitted to the data by the search."""

    @property
    @abc.abstractmethod
    def genes(self) -> Mapping[str, Sequence[Any]]:
        """Each gene's name and its choices, in the order of the genome."""

    def network(self, genome: Any, *, rngs: nnx.Rngs, **style: Any) -> nnx.Module:
        """The Flax module of one architecture: ``[B, *input_shape]`` to ``[B, outputs]``.

        Args:
            genome: ``[L]`` integers.
            rngs: its stream ``params`` initialises the weights.
            style: the fields of `evonas.nn.Style`: ``dtype`` and ``initializer``.

        Raises:
            ValueError: if the space has none.
        """
        del genome, rngs, style
        raise ValueError(
            f"{type(self).__name__} has genes alone: to train or count its architectures, give it a method "
            "network(self, genome, *, rngs, **style) that returns a flax.nnx.Module"
        )

    def supernet(self, *, rngs: nnx.Rngs, **style: Any) -> nnx.Module | None:
        """A module ``(x, genome) -> outputs`` that holds every choice and runs those of a traced genome.

        Its weights have the paths of `network`'s, and at least their sizes, but for those that a graph keeps in one
        array: `evonas.nn.inherit` gives each network its own. Where `signature` is not always ``()``,
        this takes it as an argument of that name.
        """
        del rngs, style
        return None

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of choices of each gene."""
        return tuple(len(choices) for choices in self.genes.values())

    def sample(self, key: jax.Array) -> jax.Array:
        """A random genome; by default each gene uniform. The search draws again what is not valid."""
        return genomes.random_genome(key, self.cardinalities)

    def mutate(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """The space's own mutation; by default exactly one gene takes another value."""
        return genomes.change_one(key, genome, self.cardinalities)

    def crossover(self, key: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
        """The space's own crossover; by default uniform."""
        return genomes.uniform_crossover(key, first, second)

    def is_valid(self, genome: jax.Array) -> jax.Array | bool:
        """Whether the genome keeps the space's hard constraints; a boolean scalar."""
        del genome
        return True

    def canonical(self, genome: jax.Array) -> jax.Array:
        """One genome ``[L]`` for all that mean the same architecture."""
        return jnp.asarray(genome, jnp.int32)

    def structure(self, genome: jax.Array) -> jax.Array:
        """Features ``[F]`` float32, equal for equal architectures, whose L1 distance says how far two are apart."""
        return genomes.one_hot(self.canonical(genome), self.cardinalities)

    def signature(self, genome: Any) -> Hashable:
        """Candidates of one signature share one compiled training program of the `supernet`, if there is one."""
        shared = type(self).supernet is not Space.supernet
        return () if shared else tuple(int(gene) for gene in np.asarray(self.canonical(genome)))

    def count(self, genome: Any) -> Count:
        """Trainable parameters, and multiply-adds of one example, without running the network.

        By default its module is traced, and convolutions and matrix products are counted.

        Raises:
            ValueError: if the genome is not of this space, or the space has no ``input_shape``.
        """
        if not hasattr(self, "input_shape"):
            raise ValueError(f"{type(self).__name__} needs a field `input_shape`: the shape of one example")
        return count_module(lambda rngs: self.network(self.check(genome), rngs=rngs), self.input_shape)

    def fitted(self, input_shape: tuple[int, ...], outputs: int) -> Self:
        """The same space for other data: fields named ``input_shape`` and ``classes`` are replaced."""
        given = {"input_shape": tuple(input_shape), "classes": outputs}
        fields = {field.name for field in dataclasses.fields(self) if field.init}  # type: ignore[arg-type]
        return dataclasses.replace(self, **{name: value for name, value in given.items() if name in fields})  # type: ignore[type-var]

    def check(self, genome: Any) -> np.ndarray:
        """The genome as a ``[L]`` int32 array.

        Raises:
            ValueError: if its length, its type or one of its genes does not fit this space.
        """
        if isinstance(genome, str):
            raise ValueError(f"a genome is integers, got the text {genome[:40]!r}: give parse(text)")
        array = np.asarray(genome)
        if array.shape != (len(self.cardinalities),) or not np.issubdtype(array.dtype, np.integer):
            raise ValueError(
                f"a genome of {type(self).__name__} is {len(self.cardinalities)} integers, "
                f"got shape {array.shape} of {array.dtype}"
            )
        for name, gene, size in zip(self.genes, array, self.cardinalities, strict=True):
            if not 0 <= gene < size:
                raise ValueError(f"gene {name!r} is {gene}; {type(self).__name__} has choices 0 to {size - 1} there")
        return array.astype(np.int32)

    def decode(self, genome: Any) -> dict[str, Any]:
        """Each gene's name and chosen value."""
        return {
            name: choices[gene] for (name, choices), gene in zip(self.genes.items(), self.check(genome), strict=True)
        }

    def check_genes(self) -> None:
        """Refuse genes that a search can't handle.

        Raises:
            ValueError: if there is none, one has no choices or choices of equal text, or a name is not one word.
        """
        if not self.genes:
            raise ValueError(f"{type(self).__name__} has no genes: give it at least one name with its choices")
        for name, choices in self.genes.items():
            if not isinstance(choices, Sequence) or isinstance(choices, str):
                raise ValueError(f"the choices of gene {name!r} must be a tuple, got {choices!r}: write ({choices!r},)")
            texts = [_one_word(choice) for choice in choices]
            if not texts or len(set(texts)) < len(texts):
                raise ValueError(f"gene {name!r} needs one or more choices of different text, got {list(choices)}")
            if not isinstance(name, str) or "=" in name or name != _one_word(name):
                raise ValueError(f"the name of a gene must be a word without spaces and '=', got {name!r}")

    def format(self, genome: Any) -> str:
        """The genome as text that `parse` reads back to the same genome; by default ``name=value name=value``.

        Spaces within a value are left out, as in ``kernel=(3,3)``.
        """
        return " ".join(f"{name}={_one_word(value)}" for name, value in self.decode(genome).items())

    def parse(self, text: str) -> np.ndarray:
        """The genome ``[L]`` int32 of a text.

        Raises:
            ValueError: if the text is not one of this space.
        """
        given = dict(part.partition("=")[::2] for part in text.split())
        if set(given) != set(self.genes) or len(text.split()) != len(self.genes):
            raise ValueError(
                f"expected one name=value for each of {', '.join(self.genes)}, separated by spaces; got {text!r}"
            )
        return np.array([self._choice(name, given[name]) for name in self.genes], np.int32)

    def _choice(self, name: str, value: str) -> int:
        names = [_one_word(choice) for choice in self.genes[name]]
        if value not in names:
            raise ValueError(f"gene {name!r} has no choice {value!r}; expected one of {', '.join(names)}")
        return names.index(value)

    def layers(self, genome: Any) -> list[str]:
        """The architecture, a readable line a layer."""
        return [f"{name}: {value}" for name, value in self.decode(genome).items()]

    def _repr_html_(self) -> str:
        """The genes and their choices, for notebooks."""
        alike: dict[str, list[str]] = {}
        for name, choices in self.genes.items():
            alike.setdefault(", ".join(map(_one_word, choices)), []).append(name)
        number = math.prod(self.cardinalities)
        rows = {
            "settings": repr(self),
            "genomes": f"{number:,}" if number < 10**12 else f"{Decimal(number):.2e}",
            "genes": len(self.genes),
            **{first + (f" and {len(more)} more" if more else ""): text for text, (first, *more) in alike.items()},
        }
        return card(type(self).__name__, rows)

    def graph(self, genome: Any) -> Graph:
        """The architecture as nodes and edges, which `evonas.draw` draws; by default its `layers` as text."""
        return written(self.layers(genome))


def _one_word(choice: Any) -> str:
    return "".join(str(choice).split())
