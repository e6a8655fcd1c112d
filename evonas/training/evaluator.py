"""Fitness by training: genomes in, measurements out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evonas.data.dataset import Dataset, Split
from evonas.keys import TRAINING
from evonas.spaces.base import Space
from evonas.training.model import Model
from evonas.training.optimizer import Hyperparameters, hyperparameters_of
from evonas.training.parallel import Devices
from evonas.training.program import DeviceData, Program, device_data, examples_of
from evonas.training.settings import OBJECTIVES, Training
from evonas.types import Candidates, Count, Failure, Measurement

PROGRAMS_KEPT = 16
"""Compiled programs held at once, where a space can't share one."""


class TrainingEvaluator:
    """Trains candidates on all local devices and measures them on validation data.

    One program is compiled for each of the space's signatures, one in all for spaces with a supernet; the genome is
    an argument of it. A candidate's result depends on the seed and its id alone: not on the number of devices, nor on
    the candidates beside it.

    Args:
        space: fitted to the data: see `Space.fitted`.
        dataset: its test split is read by `test` alone.
        training: the settings.
        seed: of the run.
        devices: by default all local ones.

    Attributes:
        compilations: programs compiled so far.
        compile_seconds: what that took.
        held_seconds: of all devices, from the start of a group of candidates to the end of its slowest; without groups
            that ran out of memory, and without tests.
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
    ):
        self.space, self.dataset, self.training, self.seed = space, dataset, training, seed
        self.objectives = training.objectives or default_objectives(dataset)
        _check_measured(self.objectives, dataset)
        training.check_inputs(dataset.input_shape)
        self.compilations, self.compile_seconds = 0, 0.0
        self.held_seconds, self.trained_seconds = 0.0, 0.0
        self._devices = Devices(devices)
        self._programs: dict[Hashable, Callable] = {}
        self._costs: dict[bytes, Count] = {}
        self._judge_length = max(len(dataset.validation), len(dataset.test) if dataset.test else 0)
        self._data = self._devices.replicate(device_data(dataset, dataset.validation, self._judge_length))

    def __call__(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        """Train all candidates; yield rows of them and their measurements, as devices get done."""
        genomes = np.asarray(candidates.genomes)
        for rows in self.groups(candidates):
            if self.space.is_valid(genomes[rows[0]]):
                yield rows, self._train(genomes[rows], np.asarray(candidates.ids)[rows])
            else:
                yield rows, [Measurement((), {}, Failure.INVALID) for _ in rows]

    def groups(self, candidates: Candidates, processes: int = 1) -> list[np.ndarray]:
        """Groups of one signature, as many rows as devices; before them all those that are invalid.

        Signatures are in the order of their most expensive candidate, and so are the candidates of each: those of
        like cost train at the same time, since the devices wait for each other.
        """
        del processes
        genomes = np.asarray(candidates.genomes)
        self._costs.clear()
        valid = np.array([bool(self.space.is_valid(genome)) for genome in genomes])
        invalid = [] if valid.all() else [np.flatnonzero(~valid)]
        return [*invalid, *self._chunks(genomes, np.flatnonzero(valid))]

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
        return self._train(np.asarray(genome)[None], np.array([candidate]), data)[0]

    def _judged_by(self, split: Split) -> Any:
        return self._devices.replicate(examples_of(split, self._judge_length))

    def _chunks(self, genomes: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
        groups: dict[Hashable, list[int]] = {}
        for row in sorted(rows, key=lambda row: -self._cost(genomes[row]).multiply_adds):
            groups.setdefault(self._signature(genomes[row]), []).append(row)
        for group in groups.values():
            for start in range(0, len(group), len(self._devices)):
                yield np.array(group[start : start + len(self._devices)])

    def _signature(self, genome: np.ndarray) -> Hashable:
        """The space's; where each architecture has a program of its own, that architecture, whatever the space says."""
        return self.space.signature(genome) if _has_supernet(self.space) else Space.signature(self.space, genome)

    def _cost(self, genome: np.ndarray) -> Count:
        known = genome.tobytes()
        if known not in self._costs:
            self._costs[known] = self.space.count(genome)
        return self._costs[known]

    def _train(self, genomes: np.ndarray, ids: np.ndarray, data: Any = None) -> list[Measurement]:
        try:
            metrics, seconds = self._run(genomes, ids, self._data if data is None else data)
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            if len(genomes) == 1:
                return [Measurement((), {}, Failure.OUT_OF_MEMORY)]
            return [self._train(genomes[i : i + 1], ids[i : i + 1], data)[0] for i in range(len(genomes))]
        if data is None:
            self.held_seconds += len(self._devices) * float(seconds.max())
            self.trained_seconds += float(seconds.sum())
        columns = [{name: values[i] for name, values in metrics.items()} for i in range(len(genomes))]
        return [self._measurement(*each) for each in zip(genomes, columns, seconds.tolist(), strict=True)]

    def _run(self, genomes: np.ndarray, ids: np.ndarray, data: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Metrics and seconds of up to as many candidates as there are devices; the other devices train 0 epochs."""
        idle = len(self._devices) - len(genomes)
        arguments = (
            np.concatenate([genomes, genomes[:1].repeat(idle, 0)]).astype(np.int32),
            np.concatenate([ids, ids[:1].repeat(idle)]).astype(np.int32),
            np.full(len(self._devices), self.seed, np.uint32),
            self._hyperparameters(idle),
            data,
        )
        metrics, seconds = self._devices.run(self._program(genomes[0], arguments), *arguments)
        return metrics, seconds[: len(genomes)]

    def _hyperparameters(self, idle: int) -> Hyperparameters:
        each = jax.tree.map(lambda value: np.full(len(self._devices), value), hyperparameters_of(self.training))
        each.epochs[len(self._devices) - idle :] = 0
        return each

    def _program(self, genome: np.ndarray, arguments: tuple) -> Callable:
        signature = self._signature(genome)
        if signature not in self._programs:
            if len(self._programs) >= PROGRAMS_KEPT:
                del self._programs[next(iter(self._programs))]
            train = training_function(self.space, genome, self.dataset, self.training)
            self._programs[signature], seconds = self._devices.compile(train, *arguments)
            self.compilations += 1
            self.compile_seconds += seconds
        return self._programs[signature]

    def _measurement(self, genome: np.ndarray, column: dict[str, np.ndarray], seconds: float) -> Measurement:
        metrics: dict[str, Any] = {name: float(value) for name, value in column.items()}
        if not all(np.isfinite(value) for value in metrics.values()):
            return Measurement((), {"epochs": metrics["epochs"]}, Failure.DIVERGED, seconds)
        metrics |= self._cost(genome)._asdict()
        fitness = tuple(OBJECTIVES[name] * metrics[name] for name in self.objectives)
        return Measurement(fitness, metrics, Failure.NONE, seconds)


def default_objectives(dataset: Dataset) -> tuple[str, ...]:
    """Accuracy, or mean absolute error for regression."""
    return ("accuracy",) if dataset.task == "classification" else ("mean_absolute_error",)


def candidate_key(seed: Any, candidate: Any) -> jax.Array:
    """The key of a candidate's training, by its place in the run.

    Of JAX's own kind, whose draws are loops: a training draws little, and `evonas.threefry` takes long to compile.
    """
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), TRAINING), candidate)


def training_function(space: Space, genome: np.ndarray, dataset: Dataset, training: Training) -> Callable:
    """The traceable ``(genome, candidate, seed, hyperparameters, data) -> metrics`` of a genome's signature."""
    style = {"dtype": jnp.dtype(training.precision), "initializer": training.initializer}
    shared = _has_supernet(space)
    signature = space.signature(genome) if shared else ()
    parts: dict[str, Any] = {"signature": signature} if signature else {}  # of one signature for all, nothing is said
    model = Model(
        (lambda rngs: space.supernet(rngs=rngs, **parts, **style))  # type: ignore[arg-type, return-value]
        if shared
        else (lambda rngs: space.network(genome, rngs=rngs, **style))
    )
    program = Program(model, training, dataset.task, dataset.classes)

    def train(
        genome: jax.Array, candidate: jax.Array, seed: jax.Array, hyperparameters: Hyperparameters, data: DeviceData
    ) -> dict[str, jax.Array]:
        context = (genome,) if shared else ()
        return program.train(candidate_key(seed, candidate), hyperparameters, data, *context)

    return train


def _has_supernet(space: Space) -> bool:
    return type(space).supernet is not Space.supernet


def _check_measured(objectives: Sequence[str], dataset: Dataset) -> None:
    measured = {"loss", "parameters", "multiply_adds"} | (
        {"accuracy", "macro_f1"} if dataset.task == "classification" else {"mean_absolute_error"}
    )
    for objective in objectives:
        if objective not in measured:
            raise ValueError(
                f"objective {objective!r} is not measured in {dataset.task}; expected some of {sorted(measured)}"
            )
