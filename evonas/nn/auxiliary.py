"""Outputs of a network that has a second classifier in training."""

from typing import NamedTuple

import jax


class WithAuxiliary(NamedTuple):
    """What a network gives in training mode alone, in place of its outputs."""

    outputs: jax.Array  # [B, K]
    auxiliary: jax.Array  # [B, K], of an inner layer
    weight: float  # of the second loss, beside a first one of weight 1
