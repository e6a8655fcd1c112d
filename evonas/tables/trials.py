"""Several trainings of one architecture, of which an evaluation draws one."""

import jax
import jax.numpy as jnp

from evonas.genome import random_index


def present_first(values: jax.Array) -> jax.Array:
    """``[N, T]`` with the trials that there are before those that are NaN, in their order."""
    return jnp.take_along_axis(values, jnp.argsort(jnp.isnan(values), axis=1, stable=True), 1)


def draw_trial(key: jax.Array, trials: jax.Array) -> jax.Array:
    """One of the trials ``[T]`` that there are, a row of `present_first`; NaN if there is none."""
    if len(trials) == 1:
        return trials[0]
    return trials[random_index(key, (), jnp.maximum(jnp.isfinite(trials).sum(), 1))]
