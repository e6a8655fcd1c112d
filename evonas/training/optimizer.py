"""Optimiser and schedule, with hyperparameters that may be traced."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from evonas.training.settings import Training


class Hyperparameters(NamedTuple):
    """What a search may vary without compiling again."""

    learning_rate: jax.Array  # float32
    weight_decay: jax.Array  # float32
    epochs: jax.Array  # int32


def hyperparameters_of(training: Training) -> Hyperparameters:
    """The settings' own."""
    return Hyperparameters(
        jnp.float32(training.learning_rate), jnp.float32(training.weight_decay), jnp.int32(training.epochs)
    )


def learning_rate_at(
    step: jax.Array, peak: jax.Array, total_steps: jax.Array, warmup_steps: jax.Array | float
) -> jax.Array:
    """Linear from 0 to ``peak`` over the warm-up, then half a cosine to 0 at ``total_steps`` (SGDR, one cycle)."""
    warm = jnp.minimum((step + 1) / jnp.maximum(warmup_steps, 1.0), 1.0)
    done = (step - warmup_steps) / jnp.maximum(total_steps - warmup_steps, 1.0)
    cosine = 0.5 * (1.0 + jnp.cos(jnp.pi * jnp.clip(done, 0.0, 1.0)))
    return peak * jnp.where(step < warmup_steps, warm, cosine)


def make_optimizer(
    training: Training, hyperparameters: Hyperparameters, steps_per_epoch: int, max_gradient_norm: float = math.inf
) -> optax.GradientTransformation:
    """The optax transformation; its hyperparameters may be tracers."""
    total_steps = hyperparameters.epochs * steps_per_epoch
    warmup_steps = training.warmup_epochs * steps_per_epoch

    def schedule(step: jax.Array) -> jax.Array:
        return learning_rate_at(step, hyperparameters.learning_rate, total_steps, warmup_steps)

    clip = [] if math.isinf(max_gradient_norm) else [optax.clip_by_global_norm(max_gradient_norm)]
    if training.optimizer == "adamw":
        return optax.chain(*clip, optax.adamw(schedule, weight_decay=hyperparameters.weight_decay))
    return optax.chain(
        *clip,
        optax.add_decayed_weights(hyperparameters.weight_decay),
        optax.sgd(schedule, momentum=training.momentum, nesterov=True),
    )
