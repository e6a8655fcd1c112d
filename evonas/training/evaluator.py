"""Fitness by training: genomes in, measurements out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from evonas.data.dataset import Dataset, Split
from evonas.preemption import Notice, Preempted, never
from evonas.spaces.base import Space
from evonas.training.checkpoints import Checkpoints
from evonas.training.lanes import Ended, Lanes, Work
from evonas.training.optimizer import hyperparameters_of
from evonas.training.pace import Pace
from evonas.training.parallel import Devices, is_out_of_memory
from evonas.training.program import device_data, examples_of
from evonas.training.settings import OBJECTIVES, Training
from evonas.training.slices import Slice, SlicedTraining, has_supernet
from evonas.types import Candidates, Count, Failure, Measurement, Span

PROGRAMS_KEPT = 16
"""Compiled programs held at once, where a space can't share one."""


class Compiled(NamedTuple):
    """What trains the candidates of a signature."""

    training: SlicedTraining
    program: Callable  # the same, compiled
    pace: Pace


class TrainingEvaluator:
    """Trains candidates on all local devices and measures them on validation data.

    One program is compiled for each of the space's signatures, one in all for spaces with a supernet; the genome is
    an argument of it. As a device gets done with a candidate, it is given the next one. A candidate's result depends on
    the seed and its id alone: not on the number of devices, nor on the candidates beside it, nor on how often its
    training was interrupted.

    Args:
        space: fitted to the data: see `Space.fitted`.
        dataset: its test split is read by `test` alone.
        training: the settings.
        seed: of the run.
        devices: by default all local ones.
        checkpoints: of trainings under way; None: each starts over in the next process.
        notice: whether the process is to end; asked before each slice of training, which takes some seconds.

    Attributes:
        compilations: programs compiled so far.
        compile_seconds: what that took.
        held_seconds: of all devices while candidates are trained, without compiling, and without tests.
        trained_seconds: of those, the ones in which a device trained a candidate; in the others it waited.
    """

    def __init__(
        self,
        space: Space,
        dataset: Dataset,
        training: Training,
        *,
        seed: int = 0,
        devices: Sequence[jax.Device] | None = None,
        checkpoints: Checkpoints | None = None,
        notice: Notice = never,
    ):
        self.space, self.dataset, self.training, self.seed = space, dataset, training, seed
        self.checkpoints, self._notice = checkpoints, notice
        self.objectives = training.objectives or default_objectives(dataset)
        _check_measured(self.objectives, dataset)
        training.check_inputs(dataset.input_shape)
        self.compilations, self.compile_seconds = 0, 0.0
        self.held_seconds, self.trained_seconds = 0.0, 0.0
        self._spans: list[Span] = []
        self._devices = Devices(devices)
        self._programs: dict[Hashable, Compiled | None] = {}  # None: too large for the devices
        self._costs: dict[bytes, Count] = {}
        self._judge_length = max(len(dataset.validation), len(dataset.test) if dataset.test else 0)
        self._data = self._devices.replicate(device_data(dataset, dataset.validation, self._judge_length))

    def __call__(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        """Train all candidates; yield rows of them and their measurements, in the order of `groups`.

        Raises:
            Preempted: if the notice is given. All that is measured has been yielded before, in any order.
        """
        genomes, ids = np.asarray(candidates.genomes), np.asarray(candidates.ids)
        for rows in self.groups(candidates):
            if self.space.is_valid(genomes[rows[0]]):
                work = Work(ids[rows], genomes[rows], self._multiply_adds(genomes[rows]))
                for done, measurements in in_order(self._train(work)):
                    yield rows[done], measurements
            else:
                yield rows, [Measurement((), {}, Failure.INVALID) for _ in rows]

    def groups(self, candidates: Candidates, processes: int = 1) -> list[np.ndarray]:
        """The rows of each signature, dealt out to the processes; before them all those that are invalid.

        Signatures are in the order of their most expensive candidate, and so are the candidates of each, so that the
        last ones, for which devices may have to wait, are short.
        """
        genomes = np.asarray(candidates.genomes)
        self._costs.clear()
        valid = np.array([bool(self.space.is_valid(genome)) for genome in genomes], bool)
        invalid = [] if valid.all() else [np.flatnonzero(~valid), *[np.zeros(0, int)] * (processes - 1)]
        return [*invalid, *self._dealt(genomes, np.flatnonzero(valid), processes)]

    def told(self, ids: Sequence[int], fitness: Sequence[float]) -> None:
        """Delete checkpoints of candidates that are in the history, but for the best: see `Checkpoints.told`."""
        if self.checkpoints is not None:
            self.checkpoints.told(ids, fitness)

    def take_spans(self) -> list[Span]:
        """What the devices did since the last call, in the order in which it ended; tests are not in it."""
        spans = self._spans.copy()
        self._spans.clear()
        return spans

    def test(self, candidate: int, genome: np.ndarray) -> Measurement:
        """Train one candidate exactly as in the search, and measure it on the test data.

        Raises:
            ValueError: if the data has no test split.
        """
        if self.dataset.test is None:
            raise ValueError(
                f"the data {self.dataset.name!r} has no test examples: give some, as in "
                "evonas.data.Arrays(inputs, targets, test_inputs=..., test_targets=...)"
            )
        data = self._data._replace(judge=self._judged_by(self.dataset.test))
        genomes = np.asarray(genome)[None]
        work = Work(np.array([candidate]), genomes, self._multiply_adds(genomes))
        [(_, measurement)] = [pair for found in self._train(work, data) for pair in found]
        if self.checkpoints is not None:
            self.checkpoints.drop(candidate)
        return measurement

    def _judged_by(self, split: Split) -> Any:
        return self._devices.replicate(examples_of(split, self._judge_length))

    def _dealt(self, genomes: np.ndarray, rows: np.ndarray, processes: int) -> Iterator[np.ndarray]:
        groups: dict[Hashable, list[int]] = {}
        for row in sorted(rows, key=lambda row: -self._cost(genomes[row]).multiply_adds):
            groups.setdefault(self._signature(genomes[row]), []).append(row)
        for group in groups.values():
            for process in range(processes):
                yield np.array(group[process::processes], int)

    def _signature(self, genome: np.ndarray) -> Hashable:
        """The space's; where each architecture has a program of its own, that architecture, whatever the space says."""
        return self.space.signature(genome) if has_supernet(self.space) else Space.signature(self.space, genome)

    def _cost(self, genome: np.ndarray) -> Count:
        known = genome.tobytes()
        if known not in self._costs:
            self._costs[known] = self.space.count(genome)
        return self._costs[known]

    def _multiply_adds(self, genomes: np.ndarray) -> np.ndarray:
        return np.array([self._cost(genome).multiply_adds for genome in genomes], float)

    def _train(self, work: Work, data: Any = None) -> Iterator[list[tuple[int, Measurement]]]:
        """Rows of the work and their measurements, as they get done."""
        hyperparameters = self._devices.replicate(hyperparameters_of(self.training))
        arguments = (hyperparameters, self._data if data is None else data)
        if self._notice():
            raise Preempted
        spans = self._spans if data is None else []
        compiled = self._program(work, arguments, spans)
        if compiled is None:
            yield [(row, Measurement((), {}, Failure.OUT_OF_MEMORY)) for row in range(len(work.ids))]
            return
        lanes = Lanes(self._devices, compiled.training, compiled.program, arguments, self.seed, compiled.pace, spans)
        mine = data is None or jax.process_index() == 0  # of several processes, all test the same candidate
        for ended in lanes.train(work, self.checkpoints if mine else None, self._notice):
            yield [(each.row, self._measured(work, each, keep=data is None)) for each in ended]
        if data is None:
            self.held_seconds += lanes.held_seconds
            self.trained_seconds += lanes.trained_seconds

    def _program(self, work: Work, arguments: tuple, spans: list[Span]) -> Compiled | None:
        """What trains the work's signature, compiled if it is not yet; None if there is not enough memory for it."""
        signature = self._signature(work.genomes[0])
        if signature not in self._programs:
            if len(self._programs) >= PROGRAMS_KEPT:
                del self._programs[next(iter(self._programs))]
            began, started = time.time(), time.perf_counter()
            self._programs[signature] = self._compiled(work.genomes[0], arguments)
            took, first = time.perf_counter() - started, (int(work.ids[0]),)
            spans.extend(Span("compile", place, began, took, took, first) for place in self._devices.places)
        return self._programs[signature]

    def _compiled(self, genome: np.ndarray, arguments: tuple) -> Compiled | None:
        training = SlicedTraining(self.space, genome, self.dataset, self.training)
        try:
            program, seconds = self._devices.compile(training, *self._shapes(training, genome), *arguments)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None
        self.compilations += 1
        self.compile_seconds += seconds
        return Compiled(training, program, Pace()) if self._devices.has_room(program) else None

    def _shapes(self, training: SlicedTraining, genome: np.ndarray) -> tuple[Any, Slice]:
        """Of the arguments that are each device's own."""
        part = Slice(genome.astype(np.int32), np.int32(0), np.uint32(0), np.bool_(False), np.int32(0))
        return jax.tree.map(
            lambda each: jax.ShapeDtypeStruct((len(self._devices), *each.shape), each.dtype),
            (training.state_shapes, part),
        )

    def _measured(self, work: Work, ended: Ended, keep: bool) -> Measurement:
        if ended.metrics is None:
            return Measurement((), {}, Failure.OUT_OF_MEMORY)
        measurement = self._measurement(work.genomes[ended.row], ended.metrics, ended.seconds)
        if keep and measurement.fitness and self.checkpoints and self.checkpoints.is_kept(measurement.fitness[0]):
            self.checkpoints.save(int(work.ids[ended.row]), ended.blocks, ended.state())
        return measurement

    def _measurement(self, genome: np.ndarray, measured: dict[str, float], seconds: float) -> Measurement:
        metrics: dict[str, Any] = dict(measured)
        if not all(np.isfinite(value) for value in metrics.values()):
            return Measurement((), {"epochs": metrics["epochs"]}, Failure.DIVERGED, seconds)
        metrics |= self._cost(genome)._asdict()
        fitness = tuple(OBJECTIVES[name] * metrics[name] for name in self.objectives)
        return Measurement(fitness, metrics, Failure.NONE, seconds)


def default_objectives(dataset: Dataset) -> tuple[str, ...]:
    """Accuracy, or mean absolute error for regression."""
    return ("accuracy",) if dataset.task == "classification" else ("mean_absolute_error",)


def in_order(found: Iterator[list[tuple[int, Measurement]]]) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
    """Measurements by rows from 0 on: what is done before one of a lower row waits for it.

    So a history's order does not depend on how fast devices are. What waits when something ends it comes after all.
    """
    waiting: dict[int, Measurement] = {}
    first = 0
    try:
        for batch in found:
            waiting.update(batch)
            rows = list(itertools.takewhile(waiting.__contains__, itertools.count(first)))
            if rows:
                first = rows[-1] + 1
                yield np.array(rows), [waiting.pop(row) for row in rows]
    except (Exception, Preempted, KeyboardInterrupt):
        if waiting:
            yield np.array(list(waiting)), list(waiting.values())
        raise


def _check_measured(objectives: Sequence[str], dataset: Dataset) -> None:
    measured = {"loss", "parameters", "multiply_adds"} | (
        {"accuracy", "macro_f1"} if dataset.task == "classification" else {"mean_absolute_error"}
    )
    for objective in objectives:
        if objective not in measured:
            raise ValueError(
                f"objective {objective!r} is not measured in {dataset.task}; expected some of {sorted(measured)}"
            )
