"""Losses, and exact metrics from sums over all examples."""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

Task = Literal["classification", "regression"]


class Sums(NamedTuple):
    """What evaluation adds up, example by example."""

    loss: jax.Array  # float32 scalar
    absolute_error: jax.Array  # float32 scalar, mean over outputs
    confusion: jax.Array  # [K, K] float32: true class by predicted class

    @classmethod
    def zero(cls, outputs: int) -> Sums:
        """Nothing seen."""
        return cls(jnp.float32(0), jnp.float32(0), jnp.zeros((outputs, outputs), jnp.float32))


def example_losses(outputs: jax.Array, targets: jax.Array, task: Task, label_smoothing: float = 0.0) -> jax.Array:
    """Cross-entropy of logits ``[B, K]`` and labels ``[B]``, or squared error of ``[B, K]`` and ``[B, K]``: ``[B]``."""
    if task == "regression":
        return jnp.square(outputs - targets).mean(-1)
    labels = jax.nn.one_hot(targets, outputs.shape[-1])
    return optax.softmax_cross_entropy(outputs, optax.smooth_labels(labels, label_smoothing))


def add_batch(sums: Sums, outputs: jax.Array, targets: jax.Array, weights: jax.Array, task: Task) -> Sums:
    """Add a batch; ``weights`` ``[B]`` is 0 for padding. A padded row adds nothing, whatever is in it."""
    counted = weights > 0
    loss = jnp.where(counted, example_losses(outputs, targets, task), 0.0).sum()
    if task == "regression":
        error = jnp.where(counted, jnp.abs(outputs - targets).mean(-1), 0.0).sum()
        return sums._replace(loss=sums.loss + loss, absolute_error=sums.absolute_error + error)
    confusion = sums.confusion.at[targets, outputs.argmax(-1)].add(weights)
    return sums._replace(loss=sums.loss + loss, confusion=confusion)


def summarize(sums: Sums, examples: jax.Array, task: Task) -> dict[str, jax.Array]:
    """Metrics of all examples.

    Returns:
        loss, and accuracy and macro F1 (mean over the classes that occur or are predicted), or mean absolute error.
    """
    loss = sums.loss / examples
    if task == "regression":
        return {"loss": loss, "mean_absolute_error": sums.absolute_error / examples}
    right = jnp.diagonal(sums.confusion)
    involved = sums.confusion.sum(0) + sums.confusion.sum(1)
    f1 = jnp.where(involved > 0, 2 * right / jnp.maximum(involved, 1), 0.0)
    return {
        "loss": loss,
        "accuracy": right.sum() / examples,
        "macro_f1": f1.sum() / jnp.maximum((involved > 0).sum(), 1),
    }
