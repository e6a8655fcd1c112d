"""What the tests of training share: candidates, and spaces of a user's own."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.spaces.base import Space
from evonas.types import NOBODY, Candidates, Count


def candidates_of(genomes, ids=None):
    genomes = jnp.asarray(genomes, jnp.int32)
    n = len(genomes)
    nobody = jnp.full((n, 2), NOBODY)
    return Candidates(jnp.arange(n) if ids is None else jnp.asarray(ids), genomes, nobody, nobody[:, 0])


def evaluate(evaluator, genomes, ids=None):
    """Measurements in the order of the genomes, without their seconds."""
    found = {}
    for rows, measurements in evaluator(candidates_of(genomes, ids)):
        for row, measurement in zip(rows, measurements, strict=True):
            assert int(row) not in found, f"row {row} came twice"
            found[int(row)] = measurement._replace(seconds=0.0)
    assert sorted(found) == list(range(len(genomes)))
    return [found[row] for row in range(len(genomes))]


def random_genomes(space, number, seed=0):
    return np.asarray(jax.vmap(space.sample)(jax.random.split(jax.random.key(seed), number)))


@dataclasses.dataclass(frozen=True)
class OwnSpace(Space):
    """A user's: two layers of Flax's own modules, without a shared network. The gene ``unused`` means nothing."""

    widths: tuple[int, ...] = (4, 8, 12)
    classes: int = 3
    input_shape: tuple[int, ...] = (4,)
    max_width: int | None = None
    dropout: float = 0.0

    @property
    def genes(self):
        return {"width": self.widths, "unused": ("a", "b")}

    def canonical(self, genome):
        return jnp.asarray(genome, jnp.int32).at[1].set(0)

    def is_valid(self, genome):
        return self.max_width is None or jnp.asarray(self.widths)[genome[0]] <= self.max_width

    def network(self, genome, *, rngs, **style):
        del style
        return OwnNetwork(self, self.widths[int(genome[0])], rngs)

    def count(self, genome):
        width = self.widths[int(genome[0])]
        weights = width * (self.input_shape[0] + width + self.classes)
        return Count(weights + 4 * width + self.classes, weights)


class OwnNetwork(nnx.Module):
    def __init__(self, space, width, rngs):
        self.hidden = nnx.Linear(space.input_shape[0], width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.second = nnx.Linear(width, width, rngs=rngs)
        self.dropout = nnx.Dropout(space.dropout, rngs=rngs)
        self.head = nnx.Linear(width, space.classes, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.norm(self.hidden(x)))
        return self.head(self.dropout(nnx.relu(self.second(x))))


@dataclasses.dataclass(frozen=True)
class ScaledSpace(Space):
    """A linear classifier whose outputs are multiplied by the gene: it diverges where that is huge."""

    scales: tuple[float, ...] = (0.5, 1.0, 1e25)
    classes: int = 3
    input_shape: tuple[int, ...] = (4,)

    @property
    def genes(self):
        return {"scale": self.scales}

    def network(self, genome, *, rngs, **style):
        del style
        return ScaledNetwork(self, self.scales[int(genome[0])], rngs)

    def supernet(self, *, rngs, **style):
        del style
        return ScaledNetwork(self, None, rngs)


class ScaledNetwork(nnx.Module):
    def __init__(self, space, scale, rngs):
        self.scales, self.scale = space.scales, scale
        self.head = nnx.Linear(space.input_shape[0], space.classes, rngs=rngs)

    def __call__(self, x, genome=None):
        return self.head(x) * (jnp.asarray(self.scales)[genome[0]] if self.scale is None else self.scale)
