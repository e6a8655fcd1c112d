"""A Flax module as pure functions of bare arrays, in training and in evaluation mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn import Draws, WithAuxiliary, merge, split


class Model:
    """A module's initialisation and its two ways of being called.

    Args:
        make: builds the module from its random streams. It is traced, never run: initialising eagerly would compile
            dozens of small programs.
    """

    def __init__(self, make: Callable[[nnx.Rngs], nnx.Module]):
        self._make = make
        self._graphs: dict[bool, nnx.GraphDef] = {}
        self._takes: frozenset[str] = frozenset()
        self._normals = 0
        jax.eval_shape(self._trace, jax.random.key(0))

    def init(self, key: jax.Array, *context: jax.Array) -> tuple[Any, Any]:
        """Parameters and statistics, two pytrees of arrays; the key is consumed.

        A shared module that has a method ``narrow`` is given the genome: it scales its weights to the variance that
        the genome's own network would begin with.
        """
        module = self._make(Draws(key, self._normals))
        if context and hasattr(module, "narrow"):
            module.narrow(*context)
        parts = split(module)
        return parts.parameters, parts.statistics

    def train(
        self, parameters: Any, statistics: Any, key: jax.Array, progress: jax.Array, *inputs: jax.Array
    ) -> tuple[jax.Array | WithAuxiliary, Any]:
        """Outputs ``[B, K]`` float32 in training mode, and the new statistics.

        Args:
            parameters: of the module.
            statistics: of the module.
            key: consumed by dropout.
            progress: share of the training that is done, for modules that ask for it.
            *inputs: of the module.
        """
        module = merge(self._graphs[True], parameters, statistics)
        offered = {"rngs": nnx.Rngs(dropout=key), "progress": progress}
        outputs = module(*inputs, **{name: value for name, value in offered.items() if name in self._takes})
        changed = split(module).statistics
        return _in_float32(outputs), changed

    def evaluate(self, parameters: Any, statistics: Any, *inputs: jax.Array) -> jax.Array:
        """Outputs ``[B, K]`` float32 in evaluation mode."""
        return merge(self._graphs[False], parameters, statistics)(*inputs).astype(jnp.float32)

    def module(self, parameters: Any, statistics: Any) -> nnx.Module:
        """The module with these arrays, in evaluation mode."""
        return merge(self._graphs[False], parameters, statistics)

    def _trace(self, key: jax.Array) -> tuple[Any, Any]:
        draws = Draws(key)
        module = self._make(draws)
        if not isinstance(module, nnx.Module):
            raise ValueError(f"a space's network must return a flax.nnx.Module, got {type(module).__name__}")
        self._normals = draws.taken
        self._takes = frozenset(inspect.signature(type(module).__call__).parameters)
        module.train()
        self._graphs[True] = split(module).graph
        module.eval()
        parts = split(module)
        self._graphs[False] = parts.graph
        return parts.parameters, parts.statistics


def _in_float32(outputs: jax.Array | WithAuxiliary) -> jax.Array | WithAuxiliary:
    if not isinstance(outputs, WithAuxiliary):
        return outputs.astype(jnp.float32)
    return outputs._replace(
        outputs=outputs.outputs.astype(jnp.float32), auxiliary=outputs.auxiliary.astype(jnp.float32)
    )
