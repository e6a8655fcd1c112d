"""The values that pass between the floors."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from flax import struct

NOBODY = -1
"""The id that stands for no candidate: a founder's parents, an empty place of a population."""

FAILED = -np.inf
"""The fitness, inside the core, of a candidate that has none."""


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


FAILURES = tuple(Failure)
"""By the number that histories keep of each."""


class Candidates(struct.PyTreeNode):
    """Architectures proposed for evaluation. ``len``, iteration, slices and index arrays work on the rows."""

    ids: jax.Array  # [N] int32, in the order of asking, from 0
    genomes: jax.Array  # [N, L] int32
    parents: jax.Array  # [N, 2] int32 ids; NOBODY where there is none
    replaces: jax.Array  # [N] int32 id of the member to leave for this one, where survival is decided by the sample

    def __len__(self) -> int:
        return self.ids.shape[0]

    def __iter__(self) -> Iterator[Self]:
        """Each candidate, as a batch of one."""
        return (self[row] for row in range(len(self)))

    def __getitem__(self, rows: Any) -> Self:
        """Some of the candidates, for a tell in part; an integer gives one."""
        if isinstance(rows, int | np.integer) and not -len(self) <= rows < len(self):
            raise IndexError(f"row {rows} of {len(self)} candidates")
        if isinstance(rows, int | np.integer | list):
            chosen = np.atleast_1d(rows)
            rows = chosen if chosen.size else chosen.astype(int)  # NumPy takes an empty list for floats
        return jax.tree.map(lambda column: column[rows], self)


class Span(NamedTuple):
    """What a device did for a while."""

    kind: str  # "compile", or "train": a candidate, from the start of its training to its end or interruption
    device: int  # its place among those of all processes
    started: float  # seconds since 1970
    seconds: float  # from start to end
    busy: float  # of those, the ones in which the device computed; in the others it waited for slower ones
    candidates: tuple[int, ...]  # ids


class Measurement(NamedTuple):
    """What an evaluator found out about one candidate."""

    fitness: tuple[float, ...]  # one number an objective, maximised; empty if the candidate failed
    metrics: dict[str, Any]  # what else was measured, by name; the same at each repetition
    failure: Failure = Failure.NONE
    seconds: float = 0.0  # from the start of its group until its device was done

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """As read from JSON; further fields are passed over.

        Raises:
            KeyError, TypeError, ValueError: if they are none of a measurement.
        """
        fitness = tuple(float(value) for value in fields["fitness"])
        return cls(fitness, dict(fields["metrics"]), Failure(fields["failure"]), float(fields["seconds"]))
