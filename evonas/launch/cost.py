"""What a search will cost, before it is launched."""

from __future__ import annotations

import dataclasses
import math

from evonas.arguments import require_integer
from evonas.launch.accelerator import Accelerator


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of a search on one slice.

    Attributes:
        hours: that the slice trains.
        chip_hours: that are paid for.
        dollars: for them.
    """

    hours: float
    chip_hours: float
    dollars: float


def estimate(
    accelerator: Accelerator,
    candidates: int,
    batch_size: int,
    seconds_per_candidate: float,
    dollars_per_chip_hour: float,
) -> Cost:
    """The cost if every candidate takes the same time, none is trained twice, and no device is lost.

    Candidates are asked for in batches, and a device trains one at a time. Setting up (some minutes for each slice that
    is made), compiling, waiting in the queue, which is free, and the training that a preemption cut short come on top.

    Args:
        accelerator: the slice.
        candidates: of the whole search.
        batch_size: candidates that are asked for at once.
        seconds_per_candidate: of training and measuring one, on one device.
        dollars_per_chip_hour: the price, of the region and of spot or not.

    Raises:
        ValueError: if a number is not positive.
    """
    require_integer("candidates", candidates)
    require_integer("batch_size", batch_size)
    for name, value in [
        ("seconds_per_candidate", seconds_per_candidate),
        ("dollars_per_chip_hour", dollars_per_chip_hour),
    ]:
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive, got {value}")
    full, rest = divmod(candidates, batch_size)
    rounds = full * math.ceil(batch_size / accelerator.devices) + math.ceil(rest / accelerator.devices)
    hours = rounds * seconds_per_candidate / 3600
    chip_hours = hours * accelerator.chips
    return Cost(hours, chip_hours, chip_hours * dollars_per_chip_hour)
