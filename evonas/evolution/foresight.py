"""Which proposals can be made before the results that precede them are known.

With the oldest leaving, it is known which members the next results take the places of. A tournament that draws none of
them has the same winner whatever those results are; one that draws some does if its winner stays and they are worse.
So one candidate at a time need not be one call of a compiled program at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from evonas.evolution.reproduction import Reproduction
from evonas.evolution.scores import Fitness
from evonas.evolution.state import State
from evonas.evolution.survival import Oldest

if TYPE_CHECKING:
    from evonas.evolution.algorithm import Algorithm


def foreseeable(algorithm: Algorithm) -> bool:
    """Whether children depend on the population through one tournament by fitness, and the oldest leaves."""
    if not algorithm.evolves:
        return False
    reproduce = algorithm.reproduce
    by_fitness = reproduce is None or (
        type(reproduce) is Reproduction
        and type(reproduce.score) is Fitness
        and reproduce.crossover is None
        and reproduce.reaction is None
    )
    return by_fitness and type(algorithm.survive) is Oldest


def limits(state: State, founders: jax.Array, samples: jax.Array) -> jax.Array:
    """Below what results proposals made from one state, one after the other, stay what they are: ``[N, N]`` float32.

    Proposal ``i`` is what would be proposed after any ``i`` results or fewer, if each is a fitness and result ``j`` is
    below ``[i, j]``, where only ``j < i`` matter: infinity where the tournament does not see it, the best of the
    tournament where it does, and minus infinity where the best may leave or not all members live.

    Args:
        state: of a foreseeable algorithm.
        founders: ``[N]``, which proposals are random genomes.
        samples: ``[N, S]`` rows of the members that their tournaments drew.
    """
    members, size, n = state.members, state.members.ids.shape[0], len(samples)
    results = jnp.arange(n)
    leaves_at = (samples - state.told) % size  # [N, S] the result that takes a drawn member's place
    fitness = members.fitness[samples, 0]
    best = jnp.argmax(fitness, 1, keepdims=True)
    full = (state.told >= size) & members.alive.all()
    stays = full & (jnp.take_along_axis(leaves_at, best, 1) >= results[:, None])  # [N, 1]
    seen = (leaves_at[:, :, None] == results).any(1)  # [N, N]
    decided = jnp.where(stays, jnp.where(seen, jnp.take_along_axis(fitness, best, 1), jnp.inf), -jnp.inf)
    return jnp.where(founders[:, None], jnp.inf, decided)
