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


def learning_rates(
    epoch: jax.Array, training: Training, hyperparameters: Hyperparameters, steps_per_epoch: int
) -> jax.Array:
    """Those of an epoch's steps ``[steps_per_epoch]``.

    All at once: what is computed in a step, XLA computes again for each array of weights.
    """
    steps = epoch * steps_per_epoch + jnp.arange(steps_per_epoch)
    total_steps = hyperparameters.epochs * steps_per_epoch
    return learning_rate_at(steps, hyperparameters.learning_rate, total_steps, training.warmup_epochs * steps_per_epoch)


def make_optimizer(
    training: Training,
    weight_decay: jax.Array | float,
    learning_rate: jax.Array | float,
    max_gradient_norm: float = math.inf,
) -> optax.GradientTransformation:
    """The optax transformation of one step; its state does not depend on the numbers, which may be tracers."""
    clip = [] if math.isinf(max_gradient_norm) else [optax.clip_by_global_norm(max_gradient_norm)]
    if training.optimizer == "adamw":
        return optax.chain(*clip, optax.adamw(learning_rate, weight_decay=weight_decay))
    return optax.chain(
        *clip,
        optax.add_decayed_weights(weight_decay),
        optax.sgd(learning_rate, momentum=training.momentum, nesterov=training.nesterov),
    )
