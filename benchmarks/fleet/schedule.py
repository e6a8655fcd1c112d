"""A fleet of devices on a simulated clock: when each training ends, and what the devices' time was spent on.

Everything is in seconds. A process drives a few devices and fails now and then: it is gone for a while, and what its
devices were training goes on from its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What trainings take, and what goes wrong: log-normal seconds, rare slow trainings, failures at a constant rate.

    Attributes:
        median: seconds of a training.
        sigma: deviation of its logarithm.
        slow_share: probability that a training is slow.
        slow_factor: how many times as long it takes then.
        devices_a_process: of all processes, but where the fleet is smaller.
        between_failures: mean seconds from a process's return, or its start, to its failure.
        outage: seconds that it is gone.
        checkpoint: seconds of training between two checkpoints.
        seed: of trainings and failures.
    """

    median: float = 60.0
    sigma: float = 0.4
    slow_share: float = 0.01
    slow_factor: float = 4.0
    devices_a_process: int = 4
    between_failures: float = 6 * 3600.0
    outage: float = 300.0
    checkpoint: float = 60.0
    seed: int = 0


class Outages:
    """When a process is gone.

    Args:
        uptimes: seconds from its start, or its return, to each failure.
        length: seconds that it is gone.
    """

    def __init__(self, uptimes: Iterator[float], length: float):
        self._uptimes, self._length = uptimes, length
        self._ends: list[float] = []

    def after(self, time: float) -> tuple[float, float]:
        """Start and end of the first outage that is not over."""
        while not self._ends or self._ends[-1] <= time:
            self._ends.append((self._ends[-1] if self._ends else 0.0) + next(self._uptimes) + self._length)
        end = self._ends[bisect_right(self._ends, time)]
        return end - self._length, end


@dataclasses.dataclass(frozen=True)
class Process:
    """A process of a fleet: its devices, and when it is gone."""

    devices: int
    outages: Outages

    def end(self, start: float, seconds: float, checkpoint: float) -> float:
        """When a training ends that starts now, or on the process's return."""
        time, done = start, 0.0
        while True:
            failure, back = self.outages.after(time)
            if failure > time:
                end = time + seconds - done
                if end <= failure:
                    return end
                done = (done + failure - time) // checkpoint * checkpoint
            time = back


@dataclasses.dataclass
class Usage:
    """How the time of all devices was spent, in device seconds, but for the makespan.

    Attributes:
        devices: of the fleet.
        makespan: seconds from the start until all is told.
        training: that counts, slow ones included.
        outages: a process was gone while one of its devices had a candidate, or repeated what it had lost.
        host: devices waited for Python: to ask, tell and write.
    """

    devices: int
    makespan: float = 0.0
    training: float = 0.0
    outages: float = 0.0
    host: float = 0.0

    @property
    def waiting(self) -> float:
        """Devices waited for other trainings to end."""
        return self.devices * self.makespan - self.training - self.outages - self.host

    def share(self, part: str) -> float:
        """Of all device time."""
        return getattr(self, part) / (self.devices * self.makespan)


def training_seconds(conditions: Conditions, n: int) -> list[float]:
    """What ``n`` trainings take on a device that nothing interrupts."""
    random = np.random.default_rng([conditions.seed, 0])
    seconds = random.lognormal(np.log(conditions.median), conditions.sigma, n)
    slow = random.random(n) < conditions.slow_share
    return np.where(slow, conditions.slow_factor * seconds, seconds).tolist()


def fleet(conditions: Conditions, devices: int) -> list[Process]:
    """Processes that fail by themselves."""
    each = min(conditions.devices_a_process, devices)
    numbers = range(devices // each)
    return [Process(each, Outages(_uptimes(conditions, number, 1), conditions.outage)) for number in numbers]


def fleet_that_fails_together(conditions: Conditions, devices: int) -> list[Process]:
    """The same where each failure ends all processes, and all are started again together."""
    alone = fleet(conditions, devices)
    together = Outages(_uptimes(conditions, 0, len(alone)), conditions.outage)
    return [Process(process.devices, together) for process in alone]


def in_rounds(
    seconds: Sequence[float], processes: Sequence[Process], batch: int, checkpoint: float, host_seconds: float
) -> Usage:
    """Batches, one after another: a device takes the next candidate of its process's share as soon as it is free.

    A batch of as many candidates as devices is the synchronous form.

    Args:
        seconds: of each training.
        processes: of the fleet. They get equal shares of a batch, but for its remainder.
        batch: candidates asked for, and told, at once; all devices wait meanwhile.
        checkpoint: seconds of training between two checkpoints.
        host_seconds: of an evaluation.
    """
    usage = Usage(sum(process.devices for process in processes), training=sum(seconds))
    for first in range(0, len(seconds), batch):
        share = seconds[first : first + batch]
        start = usage.makespan + host_seconds * len(share)
        usage.host += usage.devices * host_seconds * len(share)
        for number, process in enumerate(processes):
            free = [start] * process.devices
            for training in share[number :: len(processes)]:
                end = process.end(free[0], training, checkpoint)
                usage.outages += end - free[0] - training
                heapq.heapreplace(free, end)
            usage.makespan = max(usage.makespan, *free)
    return usage


def asynchronous(
    seconds: Sequence[float], processes: Sequence[Process], checkpoint: float, host_seconds: float
) -> tuple[Usage, list[int]]:
    """A device that is free is told of and gets its next candidate, one device at a time.

    Args:
        seconds: of each training, in the order of asking.
        processes: of the fleet.
        checkpoint: seconds of training between two checkpoints.
        host_seconds: of an evaluation.

    Returns:
        The usage, and the trainings in the order of telling.
    """
    of_device = [process for process in processes for _ in range(process.devices)]
    usage = Usage(len(of_device), training=sum(seconds))
    free = [(0.0, -1, device) for device in range(usage.devices)]  # (time, training that ended, device), a heap
    asked, order, served = 0, [], 0.0
    while free:
        time, ended, device = heapq.heappop(free)
        if ended >= 0:
            order.append(ended)
        served = max(time, served) + host_seconds
        if asked < len(seconds):
            end = of_device[device].end(served, seconds[asked], checkpoint)
            usage.host += served - time
            usage.outages += end - served - seconds[asked]
            heapq.heappush(free, (end, asked, device))
            asked += 1
    usage.makespan = served
    return usage, order


def _uptimes(conditions: Conditions, number: int, processes: int) -> Iterator[float]:
    """Of one process, or of several that fail together: the first of their failures ends them all."""
    random = np.random.default_rng([conditions.seed, 1, number])
    return (float(random.exponential(conditions.between_failures / processes)) for _ in itertools.count())
