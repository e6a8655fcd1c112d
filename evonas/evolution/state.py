"""The state of an evolution: arrays, no objects."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from evonas.types import FAILED, NOBODY


class Members(struct.PyTreeNode):
    """Evaluated candidates. Places are filled from the front; the rest hold ids of `NOBODY`."""

    ids: jax.Array  # [P] int32
    genomes: jax.Array  # [P, L] int32
    traits: jax.Array  # [P, F] what distances are measured on
    fitness: jax.Array  # [P, M] float32, maximised; -inf: failed

    @property
    def filled(self) -> jax.Array:
        """Which places hold a candidate: [P] bool."""
        return self.ids != NOBODY

    @property
    def alive(self) -> jax.Array:
        """Which places hold a candidate that did not fail: [P] bool."""
        return self.filled & (self.fitness > FAILED).all(-1)

    def take(self, rows: jax.Array) -> Members:
        """The members at ``rows``."""
        return jax.tree.map(lambda column: column[rows], self)

    def put(self, row: jax.Array, member: Members, where: jax.Array) -> Members:
        """With one member, whose arrays have no leading axis, put at ``row`` if ``where`` is true."""

        def write(column: jax.Array, value: jax.Array) -> jax.Array:
            return column.at[row].set(jnp.where(where, value, column[row]))

        return jax.tree.map(write, self, member)


class State(struct.PyTreeNode):
    """Population, the children that wait for the end of their generation, and two counters."""

    members: Members  # [P]
    brood: Members  # [B]; B is 0 where each child enters the population by itself
    asked: jax.Array  # int32: the next candidate's id
    told: jax.Array  # int32


def no_members(size: int, length: int, traits: jax.ShapeDtypeStruct, objectives: int) -> Members:
    """Empty places."""
    return Members(
        ids=jnp.full(size, NOBODY, jnp.int32),
        genomes=jnp.zeros((size, length), jnp.int32),
        traits=jnp.zeros((size, *traits.shape), traits.dtype),
        fitness=jnp.full((size, objectives), FAILED, jnp.float32),
    )
