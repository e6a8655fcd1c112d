"""Equal modules one after the other as one loop: compiled once, however many they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.plain import merge, split


def repeated(
    call: Callable[[tuple[nnx.Module, ...], Any, Any], Any],
    modules: Sequence[Sequence[nnx.Module]],
    carry: Any,
    inputs: Any = None,
) -> Any:
    """What ``call(modules of a step, carry, inputs of a step) -> carry`` gives after all steps.

    Args:
        call: a step, which may change its modules' statistics.
        modules: for each step its modules, each equal in structure and shapes to those in its place in other steps.
        carry: of the first step; a pytree of arrays whose shapes stay.
        inputs: a pytree of arrays with a leading axis of steps.
    """
    parts = [[split(module) for module in step] for step in modules]
    graphs = [part.graph for part in parts[0]]
    stacked = [
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *([part[field] for part in step] for step in parts))
        for field in (1, 2)
    ]

    def step(carry: Any, given: Any) -> tuple[Any, Any]:
        parameters, statistics, inputs = given
        built = tuple(merge(*part) for part in zip(graphs, parameters, statistics, strict=True))
        carry = call(built, carry, inputs)
        return carry, [split(module).statistics for module in built]

    carry, changed = jax.lax.scan(step, carry, (*stacked, inputs))
    for number, of_step in enumerate(modules):
        for module, statistics in zip(of_step, changed, strict=True):
            nnx.update(module, jax.tree.map(lambda leaf, number=number: leaf[number], statistics))
    return carry


def runs(kinds: Sequence[Any], shared: bool) -> tuple[tuple[int, int], ...]:
    """First and last of each series of equal modules, which are `repeated`; of a network that is not shared, each."""
    firsts = [i for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind or not shared]
    return tuple(zip(firsts, [*(i - 1 for i in firsts[1:]), len(kinds) - 1], strict=True))
