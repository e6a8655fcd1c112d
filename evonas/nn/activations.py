"""Activations by name."""

from collections.abc import Callable, Mapping

import jax

ACTIVATIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "tanh": jax.numpy.tanh,
    "sigmoid": jax.nn.sigmoid,
}
"""``silu`` is x * sigmoid(x), also called Swish; ``gelu`` is its tanh approximation."""
