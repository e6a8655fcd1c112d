"""How much of its training each device does at once, so that none waits long for another."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence

import numpy as np

SLICE_SECONDS = 5.0
"""Of a slice, at most: within it nothing is heard, and nothing saved."""

SEEN = 64
"""Slices that expectations rest on, the last ones."""


@dataclasses.dataclass
class Lane:
    """A device's candidate."""

    row: int  # of the work
    cost: float  # multiply-adds
    left: int  # blocks of its training
    begin: bool = True  # whether it has no state yet
    seconds: float = 0.0  # in training, this time
    saved: float = 0.0  # seconds at its last checkpoint
    started: float = math.nan  # seconds since 1970 at its first slice, this time; NaN until then
    block_seconds: float = math.nan  # of a block; NaN until one was measured


class Pace:
    """Seconds of a block: as measured on the same candidate, else a line through those of others by their cost."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=SEEN)  # cost, and seconds of a block

    def measured(self, lane: Lane, seconds: float, blocks: int) -> None:
        """So many blocks took so many seconds."""
        lane.block_seconds = max(seconds, 1e-9) / blocks
        self._seen.append((lane.cost, lane.block_seconds))

    def blocks(self, lanes: Sequence[Lane]) -> list[int]:
        """Blocks of each lane in the next slice: until the first of them is done, if that is soon.

        One, before anything was measured.
        """
        seconds = [self._expected(lane) for lane in lanes]
        if any(math.isnan(each) for each in seconds):
            return [1] * len(lanes)
        until = min(SLICE_SECONDS, *(lane.left * each for lane, each in zip(lanes, seconds, strict=True)))
        return [max(1, min(lane.left, round(until / each))) for lane, each in zip(lanes, seconds, strict=True)]

    def _expected(self, lane: Lane) -> float:
        if not math.isnan(lane.block_seconds) or not self._seen:
            return lane.block_seconds
        costs, seconds = np.array(self._seen).T
        spread = costs - costs.mean()
        slope = spread @ seconds / max(spread @ spread, 1e-9)
        return float(max(seconds.mean() + slope * (lane.cost - costs.mean()), seconds.min() / 2))
