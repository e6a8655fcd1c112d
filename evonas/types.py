"""The values that pass between the floors."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

NOBODY = -1
"""The id that stands for no candidate: a founder's parents, an empty place of a population."""


class Count(NamedTuple):
    """What a network costs, by counting."""

    parameters: int
    multiply_adds: int


class Failure(enum.StrEnum):
    """Why a candidate has no fitness."""

    NONE = ""
    DIVERGED = "diverged"
    INVALID = "invalid"
    OUT_OF_MEMORY = "out of memory"


class Measurement(NamedTuple):
    """What an evaluator found out about one candidate.

    Attributes:
        fitness: one number an objective, maximised; empty if the candidate failed.
        metrics: everything else that was measured, by name; the same at each repetition.
        failure: why there is no fitness, or ``Failure.NONE``.
        seconds: what the evaluation took on its device.
    """

    fitness: tuple[float, ...]
    metrics: dict[str, Any]
    failure: Failure = Failure.NONE
    seconds: float = 0.0
