"""The pure core behind one compiled function of few arrays.

What a call of a compiled function costs grows with the number of its arrays, and one candidate at a time is a call a
candidate. So the state travels as one array of 32-bit words and results as one array of rows, which may go in together
with the request for what is next.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evonas.evolution import Algorithm, Diversity, State, measure
from evonas.evolution.algorithm import BoundAlgorithm
from evonas.population import rows
from evonas.spaces.base import Space


class Engine:
    """The state of an evolution, and what is done with it. Candidates are `evonas.population.rows`.

    Where candidates are asked for one at a time, the next is begun as soon as one is told, in the same call, so that
    the device computes while Python keeps the books. To propose changes nothing but the count of candidates, which is
    kept here, so that a proposal nobody asks for is dropped without a trace.

    Args:
        space: where the genomes live.
        algorithm: to be run.
        key: of the run.
        objectives: numbers of a fitness.
    """

    def __init__(self, space: Space, algorithm: Algorithm, key: jax.Array, objectives: int = 1):
        bound = algorithm.bind(space)
        self._like = jax.eval_shape(lambda: bound.init(key, objectives))
        self._columns = rows.WIDTH + len(space.cardinalities) + objectives
        self._advance = functools.cache(
            lambda n: jax.jit(functools.partial(_advance, bound, space, self._like, key, self._columns, n))
        )
        self._propose = jax.jit(functools.partial(_propose, bound, space, self._like), static_argnums=3)
        self._words = jax.jit(lambda: _to_words(bound.init(key, objectives)))()
        self._measure = jax.jit(lambda words: _measure(algorithm, space, _from_words(words, self._like)))
        self._none = np.empty((0, self._columns), np.int32)
        self._waiting = self._none  # results not told to the core yet
        self._asked = np.zeros(1, np.int32)
        self._round = 0  # size of the last round
        self._next: jax.Array | None = None  # the next round, begun already

    @property
    def state(self) -> State:
        """The pure core's state, all results told."""
        self._settle()
        return _from_words(self._words, self._like).replace(asked=jnp.int32(self._asked[0]))

    @state.setter
    def state(self, state: State) -> None:
        self._words, self._waiting, self._next = _to_words(state), self._none, None
        self._asked = np.array([state.asked], np.int32)

    def measure(self) -> Diversity:
        """Diversity of the living members, all results told."""
        self._settle()
        return jax.device_get(self._measure(self._words))

    def tell(self, told: np.ndarray, fitness: np.ndarray) -> None:
        """Take rows ``[n, W + L]`` of candidates and their fitness ``[n, M]`` float32, NaN where they failed."""
        results = np.concatenate([told, fitness.view(np.int32)], 1)
        self._waiting = np.concatenate([self._waiting, results]) if len(self._waiting) else results
        self._next = None
        if len(self._waiting) == self._round == 1:
            self._begin(1)

    def ask(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows ``[n, W + L]`` of the next candidates, and the canonical forms ``[n, L]`` of their genomes."""
        if self._next is None or n != self._round:
            self._settle()
            self._begin(n)
        assert self._next is not None
        proposals, self._next = np.array(self._next), None
        self._round = n
        self._asked = self._asked + np.int32(n)
        return rows.and_forms(proposals)

    def ask_again(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Other proposals in place of the ``n`` that were asked for last, drawn with another key."""
        return rows.and_forms(np.array(self._propose(key, self._words, self._asked[0] - np.int32(n), n)))

    def _begin(self, n: int) -> None:
        told, self._waiting = self._waiting, self._none
        request = np.concatenate([self._asked, told], None)
        self._words, self._next = self._advance(n)(self._words, request)

    def _settle(self) -> None:
        if len(self._waiting):
            self._waiting = rows.padded(self._waiting)
            self._begin(0)
            self._next = None


def _advance(
    bound: BoundAlgorithm,
    space: Space,
    like: State,
    key: jax.Array,
    columns: int,
    n: int,
    words: jax.Array,
    request: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Tell results, then propose ``n`` candidates; the request is how many were asked for, and rows of ``columns``."""
    asked, told = request[0], request[1:].reshape(-1, columns)
    if len(told):
        objectives = like.members.fitness.shape[1]
        fitness = jax.lax.bitcast_convert_type(told[:, -objectives:], jnp.float32)
        words = _to_words(bound.tell(_from_words(words, like), rows.unpacked(told[:, :-objectives]), fitness))
    return words, _propose(bound, space, like, key, words, asked, n)


def _propose(
    bound: BoundAlgorithm, space: Space, like: State, key: jax.Array, words: jax.Array, asked: jax.Array, n: int
) -> jax.Array:
    candidates, _ = bound.ask(key, _from_words(words, like).replace(asked=asked), n)
    return rows.with_forms(candidates, space)


def _measure(algorithm: Algorithm, space: Space, state: State) -> Diversity:
    return measure(state.members, algorithm.distance, space.cardinalities)


def _to_words(tree: Any) -> jax.Array:
    """All leaves, of at most 32 bits an element, one after the other: ``[S]`` int32."""
    wide = [leaf.astype(_wide(leaf.dtype)) for leaf in jax.tree.leaves(tree)]
    return jnp.concatenate([jax.lax.bitcast_convert_type(leaf, jnp.int32).ravel() for leaf in wide])


def _from_words(words: jax.Array, like: Any) -> Any:
    leaves, start = [], 0
    for leaf in jax.tree.leaves(like):
        part = words[start : start + math.prod(leaf.shape)].reshape(leaf.shape)
        leaves.append(jax.lax.bitcast_convert_type(part, _wide(leaf.dtype)).astype(leaf.dtype))
        start += math.prod(leaf.shape)
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _wide(dtype: Any) -> Any:
    return jnp.float32 if jnp.issubdtype(dtype, jnp.floating) else jnp.int32
