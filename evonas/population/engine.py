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
from evonas.evolution.algorithm import foresee
from evonas.evolution.foresight import foreseeable
from evonas.population import rows
from evonas.population.drafts import Drafts
from evonas.spaces.base import Space

AHEAD = 16
"""Proposals made at once where candidates are asked for one at a time, as far as they are foreseeable."""


class Engine:
    """The state of an evolution, and what is done with it. Candidates are `evonas.population.rows`.

    Where candidates are asked for one at a time, some are proposed at once, and the next ones as soon as a result
    comes that they were not made for, so that the device computes while Python keeps the books. To propose changes
    nothing but the count of candidates, which is kept here, so that a proposal nobody asks for is dropped without a
    trace.

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
            lambda n, ahead: jax.jit(
                functools.partial(_advance, algorithm, space, self._like, key, self._columns, n, ahead)
            )
        )
        self._propose = jax.jit(functools.partial(_propose, algorithm, space, self._like), static_argnums=(3, 4))
        self._words = jax.jit(lambda: _to_words(bound.init(key, objectives)))()
        self._measure = jax.jit(
            lambda words: measure(_from_words(words, self._like).members, algorithm.distance, space.cardinalities)
        )
        self._waiting: list[np.ndarray] = []  # results not told to the core yet
        self._asked = 0
        self._ahead = AHEAD if foreseeable(algorithm) else 1
        self._drafts: Drafts | None = None  # while candidates are asked for one at a time

    @property
    def state(self) -> State:
        """The pure core's state, all results told."""
        self._settle()
        return _from_words(self._words, self._like).replace(asked=jnp.int32(self._asked))

    @state.setter
    def state(self, state: State) -> None:
        self._words, self._waiting, self._drafts = _to_words(state), [], None
        self._asked = int(state.asked)

    def measure(self) -> Diversity:
        """Diversity of the living members, all results told."""
        self._settle()
        return jax.device_get(self._measure(self._words))

    def tell(self, told: np.ndarray, fitness: np.ndarray) -> None:
        """Take rows ``[n, W + L]`` of candidates and their fitness ``[n, M]`` float32, NaN where they failed."""
        self._waiting.append(np.concatenate([told, fitness.view(np.int32)], 1))
        if self._drafts is not None:
            self._drafts.tell(fitness[:, 0].tolist())
            self._current_drafts()

    def ask(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows ``[n, W + L]`` of the next candidates, and the canonical forms ``[n, L]`` of their genomes."""
        if n > 1:
            self._drafts = None
            proposals = np.array(self._begin(n))
        else:
            proposals = self._current_drafts().take()
        self._asked += n
        return rows.and_forms(proposals)

    def ask_again(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Other proposals in place of the ``n`` that were asked for last, drawn with another key."""
        self._settle()
        return rows.and_forms(np.array(self._propose(key, self._words, np.int32(self._asked - n), n, False)))

    def _current_drafts(self) -> Drafts:
        """The drafts, or new ones begun where results came that they were not made for."""
        if self._drafts is None or not self._drafts.are_current():
            self._drafts = Drafts(self._begin(self._ahead, ahead=True))
        return self._drafts

    def _begin(self, n: int, ahead: bool = False) -> jax.Array:
        """Tell what waits, and propose ``n`` candidates; those made ahead have their limits behind them."""
        told = np.concatenate(self._waiting) if self._waiting else np.empty((0, self._columns), np.int32)
        if ahead or len(told) not in (0, n):
            told = rows.padded(told, self._ahead)
        request = np.concatenate([np.array([self._asked], np.int32), told], None)
        self._words, proposals = self._advance(n, ahead)(self._words, request)
        self._waiting = []
        return proposals

    def _settle(self) -> None:
        if self._waiting:
            self._begin(0)


def _advance(
    algorithm: Algorithm,
    space: Space,
    like: State,
    key: jax.Array,
    columns: int,
    n: int,
    ahead: bool,
    words: jax.Array,
    request: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Tell results, then propose ``n`` candidates; the request is how many were asked for, and rows of ``columns``."""
    asked, told = request[0], request[1:].reshape(-1, columns)
    if len(told):
        objectives = like.members.fitness.shape[1]
        fitness = jax.lax.bitcast_convert_type(told[:, -objectives:], jnp.float32)
        tell = algorithm.bind(space).tell
        words = _to_words(tell(_from_words(words, like), rows.unpacked(told[:, :-objectives]), fitness))
    return words, _propose(algorithm, space, like, key, words, asked, n, ahead)


def _propose(
    algorithm: Algorithm,
    space: Space,
    like: State,
    key: jax.Array,
    words: jax.Array,
    asked: jax.Array,
    n: int,
    ahead: bool,
) -> jax.Array:
    state = _from_words(words, like).replace(asked=asked)
    if not ahead:
        candidates, _ = algorithm.bind(space).ask(key, state, n)
        return rows.with_forms(candidates, space)
    candidates, limits = foresee(algorithm, space, key, state, n)
    bits = jax.lax.bitcast_convert_type(limits, jnp.int32)
    return jnp.concatenate([rows.with_forms(candidates, space), bits], axis=1)


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
