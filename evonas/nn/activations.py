"""Activations by name, and one of several chosen by an index while the program runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from flax import nnx

Elementwise = Callable[[jax.Array], jax.Array]


ACTIVATIONS: Mapping[str, Elementwise] = {
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "tanh": jax.numpy.tanh,
    "sigmoid": jax.nn.sigmoid,
}
"""``silu`` is x * sigmoid(x), also called Swish; ``gelu`` is its tanh approximation."""


class Activation(nnx.Module):
    """One of several activations, the one that each call's index names.

    Args:
        names: of `ACTIVATIONS`, or ``identity``.
        only: the one in use, whatever the index says, or None for all.
    """

    def __init__(self, names: Sequence[str], only: int | None = None):
        self.names = tuple(names) if only is None else (names[only],)
        self.only = only

    def __call__(self, x: jax.Array, index: jax.Array | None = None) -> jax.Array:
        """Apply activation ``index``, an int32 scalar; it is not read where only one is in use."""
        functions = tuple(_identity if name == "identity" else ACTIVATIONS[name] for name in self.names)
        if self.only is not None:
            return functions[0](x)
        if index is None:
            raise ValueError("expected the index of one of several activations; call the network with a genome")
        return _apply(functions, x, index)


def _identity(x: jax.Array) -> jax.Array:
    return x


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _apply(functions: tuple[Elementwise, ...], x: jax.Array, index: jax.Array) -> jax.Array:
    """``functions[index](x)``; the derivative starts from ``x`` again.

    A plain switch would keep what the derivative of each function needs, as arrays of zeros for those not chosen.
    """
    return jax.lax.switch(index, functions, x)


def _forward(functions: tuple[Elementwise, ...], x: jax.Array, index: jax.Array) -> tuple[jax.Array, Any]:
    return _apply(functions, x, index), (x, index)


def _backward(functions: tuple[Elementwise, ...], kept: tuple[jax.Array, jax.Array], dy: jax.Array) -> Any:
    x, index = kept
    branches = [lambda x, dy, function=function: jax.vjp(function, x)[1](dy)[0] for function in functions]
    return jax.lax.switch(index, branches, x, dy), None


_apply.defvjp(_forward, _backward)
