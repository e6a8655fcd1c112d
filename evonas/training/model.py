"""A Flax module as pure functions of bare arrays, in training and in evaluation mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn import Draws, merge, split


class Model:
    """A module's initialisation and its two ways of being called.

    Args:
        make: builds the module from its random streams. It is traced, never run: initialising eagerly would compile
            dozens of small programs.
    """

    def __init__(self, make: Callable[[nnx.Rngs], nnx.Module]):
        self._make = make
        self._graphs: dict[bool, nnx.GraphDef] = {}
        self._takes_rngs, self._normals = False, 0
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

    def train(self, parameters: Any, statistics: Any, key: jax.Array, *inputs: jax.Array) -> tuple[jax.Array, Any]:
        """Outputs ``[B, K]`` float32 in training mode, and the new statistics; the key is consumed by dropout."""
        module = merge(self._graphs[True], parameters, statistics)
        streams = {"rngs": nnx.Rngs(dropout=key)} if self._takes_rngs else {}
        outputs = module(*inputs, **streams)
        return outputs.astype(jnp.float32), split(module).statistics

    def evaluate(self, parameters: Any, statistics: Any, *inputs: jax.Array) -> jax.Array:
        """Outputs ``[B, K]`` float32 in evaluation mode."""
        return merge(self._graphs[False], parameters, statistics)(*inputs).astype(jnp.float32)

    def module(self, parameters: Any, statistics: Any) -> nnx.Module:
        """The module with these arrays, in evaluation mode."""
        return merge(self._graphs[False], parameters, statistics)

    def _trace(self, key: jax.Array) -> tuple[Any, Any]:
        draws = Draws(key)
        module = self._make(draws)
        self._normals = draws.taken
        self._takes_rngs = "rngs" in inspect.signature(type(module).__call__).parameters
        module.train()
        self._graphs[True] = split(module).graph
        module.eval()
        parts = split(module)
        self._graphs[False] = parts.graph
        return parts.parameters, parts.statistics
