"""Devices with a candidate each under way: as one is done, the next one starts on its device."""

from __future__ import annotations

import functools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from evonas.preemption import Notice, Preempted
from evonas.training.checkpoints import Checkpoints
from evonas.training.pace import Lane, Pace
from evonas.training.parallel import Devices, is_out_of_memory
from evonas.training.slices import Outcome, Slice, SlicedTraining, State
from evonas.types import Span


class Work(NamedTuple):
    """Candidates of one signature, to be trained; they begin in this order."""

    ids: np.ndarray  # [N] int32
    genomes: np.ndarray  # [N, L] int32
    costs: np.ndarray  # [N] multiply-adds


class Ended(NamedTuple):
    """A candidate whose training is over."""

    row: int
    metrics: dict[str, float] | None  # None: it ran out of memory, alone
    blocks: int  # done in all
    seconds: float  # in training, this time
    state: Callable[[], State]  # to be called, if at all, before the next slice


class Lanes:
    """All devices, training candidates of one signature.

    Args:
        devices: to train on.
        training: of the signature.
        program: the same, compiled for the devices.
        arguments: hyperparameters and data, with a leading device axis.
        seed: of the run.
        pace: of the program, kept from one work to the next.
        spans: where each candidate's stay on a device is added, when it is over.

    Attributes:
        held_seconds: of all devices, from the start of each slice to the end of its slowest.
        trained_seconds: of those, the ones in which a device trained a candidate; in the others it waited.
    """

    def __init__(
        self,
        devices: Devices,
        training: SlicedTraining,
        program: Callable,
        arguments: tuple[Any, Any],
        seed: int,
        pace: Pace,
        spans: list[Span],
    ):
        self._devices, self._training, self._program = devices, training, program
        self._arguments, self._seed, self._pace, self._spans = arguments, seed, pace, spans
        self._places = devices.places
        self._lanes: list[Lane | None] = [None] * len(devices)
        self.held_seconds, self.trained_seconds = 0.0, 0.0

    def train(self, work: Work, checkpoints: Checkpoints | None, notice: Notice) -> Iterator[list[Ended]]:
        """Train all of the work; after each slice those that it ended.

        Raises:
            Preempted: if the notice is given; what is under way is in the checkpoints then.
        """
        waiting, alone = deque(range(len(work.ids))), set[int]()
        state = self._devices.zeros(self._training.state_shapes)
        while waiting or any(self._lanes):
            state = self._fill(state, work, waiting, alone, checkpoints)
            if notice():
                self._leave(work, time.time())
                self._save(state, work, checkpoints, after=0.0)
                raise Preempted
            advanced = self._advance_if_it_fits(state, work)
            if advanced is None:
                del state
                self._leave(work, time.time())
                ended = self._give_up(waiting, alone)
                state = self._devices.zeros(self._training.state_shapes)
            else:
                state, ended = advanced
            yield ended
            if checkpoints is not None:
                self._save(state, work, checkpoints, after=checkpoints.seconds)

    def _fill(
        self, state: Any, work: Work, waiting: deque[int], alone: set[int], checkpoints: Checkpoints | None
    ) -> Any:
        """Let candidates that wait begin on free devices, or go on from their checkpoints."""
        for device in range(len(self._devices)):
            active = {lane.row for lane in self._lanes if lane is not None}
            crowded = active and waiting and alone & {*active, waiting[0]}
            if self._lanes[device] is not None or not waiting or crowded:
                continue
            row = waiting.popleft()
            self._lanes[device] = lane = Lane(row, float(work.costs[row]), self._training.blocks)
            kept = checkpoints and checkpoints.load(int(work.ids[row]), self._training.state_shapes)
            if kept:
                blocks, values = kept
                lane.begin, lane.left = False, self._training.blocks - blocks
                state = self._devices.put(state, device, values)
        return state

    def _advance_if_it_fits(self, state: Any, work: Work) -> tuple[Any, list[Ended]] | None:
        """What `_advance` gives; None where memory ran out, of which the error would hold on to some."""
        try:
            return self._advance(state, work)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
        return None

    def _advance(self, state: Any, work: Work) -> tuple[Any, list[Ended]]:
        """A slice on all devices; the state after it, and who has ended."""
        active = {device: lane for device, lane in enumerate(self._lanes) if lane is not None}
        blocks = dict(zip(active, self._pace.blocks(list(active.values())), strict=True))
        part = self._slice(work, blocks)
        now = time.time()
        (state, outcome), seconds = self._devices.run(self._program, state, part, *self._arguments)
        outcome = Outcome(*jax.tree.map(np.asarray, tuple(outcome)))
        self.held_seconds += len(self._devices) * float(seconds.max())
        ended = []
        for device, lane in active.items():
            self.trained_seconds += float(seconds[device])
            self._pace.measured(lane, float(seconds[device]), blocks[device])
            lane.started = now if math.isnan(lane.started) else lane.started
            lane.seconds += float(seconds[device])
            lane.begin, lane.left = False, self._training.blocks - int(outcome.blocks[device])
            if outcome.ended[device]:
                metrics = {name: float(values[device]) for name, values in outcome.metrics.items()}
                take = functools.partial(self._devices.take, state, device)
                ended.append(Ended(lane.row, metrics, int(outcome.blocks[device]), lane.seconds, take))
                self._spans.append(self._span(work, device, lane, now + float(seconds[device])))
                self._lanes[device] = None
        return state, ended

    def _leave(self, work: Work, now: float) -> None:
        """The stays of those that are under way end before their trainings do."""
        under_way = [(device, lane) for device, lane in enumerate(self._lanes) if lane and not math.isnan(lane.started)]
        self._spans.extend(self._span(work, device, lane, now) for device, lane in under_way)

    def _span(self, work: Work, device: int, lane: Lane, ended: float) -> Span:
        stay = ended - lane.started
        return Span("train", self._places[device], lane.started, stay, lane.seconds, (int(work.ids[lane.row]),))

    def _slice(self, work: Work, blocks: dict[int, int]) -> Slice:
        """What each device does; those without a candidate are given the first one's, to do nothing of it."""
        rows = [0 if lane is None else lane.row for lane in self._lanes]
        return Slice(
            genome=work.genomes[rows].astype(np.int32),
            candidate=work.ids[rows].astype(np.int32),
            seed=np.full(len(rows), self._seed, np.uint32),
            begin=np.array([lane is not None and lane.begin for lane in self._lanes]),
            blocks=np.array([blocks.get(device, 0) for device in range(len(rows))], np.int32),
        )

    def _give_up(self, waiting: deque[int], alone: set[int]) -> list[Ended]:
        """Where memory ran out: who was alone has failed, several are tried again one by one."""
        rows = [lane.row for lane in self._lanes if lane is not None]
        self._lanes = [None] * len(self._devices)
        if len(rows) == 1:
            return [Ended(rows[0], None, 0, 0.0, dict)]
        waiting.extendleft(reversed(rows))
        alone.update(rows)
        return []

    def _save(self, state: Any, work: Work, checkpoints: Checkpoints | None, after: float) -> None:
        """Checkpoints of what is under way, where the last one is older than so many seconds of training."""
        for device, lane in enumerate(self._lanes):
            if checkpoints is None or lane is None or lane.begin or lane.seconds - lane.saved <= after:
                continue
            done = self._training.blocks - lane.left
            checkpoints.save(int(work.ids[lane.row]), done, self._devices.take(state, device))
            lane.saved = lane.seconds
