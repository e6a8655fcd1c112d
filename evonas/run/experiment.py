"""A search as one frozen object, and `search`, which runs it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
from etils import epath

from evonas.data import Dataset, Source, resolve
from evonas.data.resolve import as_source
from evonas.description import describe, differences, rebuild
from evonas.evolution import Algorithm, regularized_evolution
from evonas.population import Population
from evonas.preemption import noticing
from evonas.run.callback import Callback
from evonas.run.checks import check_callbacks, check_checkpoints, check_numbers, check_settings, fitted
from evonas.run.function import FitnessFunction, FunctionEvaluator
from evonas.run.log import Evaluation, RunLog
from evonas.run.loop import Evaluator, Run, search_loop
from evonas.run.processes import from_first, is_first, together
from evonas.run.timeline import Timeline
from evonas.run.workdir import (
    CHECKPOINTS,
    CONFIG,
    GENERATIONS,
    HISTORY,
    TIMELINE,
    Workdir,
    damaged,
    plain,
    read_json,
    write_json,
)
from evonas.spaces.base import Space
from evonas.storage import exists, remove_tree
from evonas.training.checkpoints import Checkpoints
from evonas.training.evaluator import TrainingEvaluator
from evonas.training.settings import Training

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that decides a search's result. The same experiment gives the same history on any devices.

    Attributes:
        space: where the architectures live; fitted to the data.
        data: what candidates are trained on: a source, or what `evonas.data.as_source` takes for one.
        algorithm: how candidates are proposed.
        training: how each candidate is trained.
        evaluations: candidates to evaluate; may be raised when a run is continued.
        batch_size: candidates asked for at once. A setting of the search, not of the machine: a multiple of the devices
            is best.
        duplicates: a known architecture is evaluated again, proposed anew, or answered from its first evaluation.
        seed: of all randomness.
        checkpoint_seconds: of a candidate's training between two checkpoints, from which it goes on.
        keep_checkpoints: how many of the best keep the checkpoint of their end.
    """

    space: Space
    data: Source
    algorithm: Algorithm
    training: Training = Training()
    evaluations: int = 100
    batch_size: int = 8
    duplicates: Literal["allow", "resample", "reuse"] = "resample"
    seed: int = 0
    checkpoint_seconds: float = 300.0
    keep_checkpoints: int = 0

    def __post_init__(self) -> None:
        check_settings(self.space, self.algorithm, self.training)
        check_numbers(self.evaluations, self.batch_size, self.seed, self.duplicates)
        check_checkpoints(self.checkpoint_seconds, self.keep_checkpoints)
        object.__setattr__(self, "data", as_source(self.data))

    @classmethod
    def of_workdir(
        cls, workdir: Any, known: Mapping[str, type] | None = None, data: Callable[[], Source] | None = None
    ) -> Experiment:
        """The experiment that a workdir's configuration describes.

        Args:
            workdir: of a run.
            known: classes outside evonas, by `evonas.description.type_name`.
            data: gives the data where the configuration does not describe them: where they are arrays.

        Raises:
            ValueError: if there is none, or it came from Python objects that can't be described.
        """
        path = epath.Path(workdir) / CONFIG
        config = read_json(path)
        if config.get("format") != FORMAT:
            raise ValueError(f"{workdir} has format {config.get('format')}; this version of evonas reads {FORMAT}")
        later = {"checkpoint_seconds", "keep_checkpoints"} - set(config)  # not in those of version 0.1
        fields = {field.name: config.get(field.name) for field in dataclasses.fields(cls) if field.name not in later}
        described = isinstance(fields["data"], dict) and "type" in fields["data"]
        if not described and data is None:
            raise ValueError(
                f"{workdir} was made by a Python program with data or a fitness of its own: run that program again, "
                "and it continues; evonas.retrain() in it trains its best for good"
            )
        try:
            settings = {name: rebuild(value, known) for name, value in fields.items()}
            return cls(**settings if described or data is None else settings | {"data": data()})
        except (AttributeError, TypeError) as error:
            raise damaged(path, error) from error


@together()
def search(
    space: Space,
    data: Any = None,
    algorithm: Algorithm | None = None,
    *,
    evaluations: int = 100,
    workdir: Any = None,
    seed: int = 0,
    training: Training | None = None,
    batch_size: int = 8,
    duplicates: Literal["allow", "resample", "reuse"] = "resample",
    fitness: FitnessFunction | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint_seconds: float = 300.0,
    keep_checkpoints: int = 0,
) -> Run:
    """Search for the best architecture of a space.

    Each candidate is trained on ``data`` and judged on its validation split, or judged by a ``fitness`` of your own.
    Fitness is maximised, so that errors and costs are negated in it: a mean absolute error of 2 is a fitness of -2.
    A workdir makes it durable: called again with the same arguments it resumes, with more evaluations it goes on. On
    SIGTERM, which clouds give before they take a machine, it keeps the trainings under way and ends with exit code 75.
    Called in every process after ``jax.distributed.initialize``, it is one search: each process measures its share,
    the first alone has the workdir and the callbacks, and all return the same run.

    Args:
        space: where the architectures live, for instance ``evonas.spaces.NASBench201(channels=16)``.
        data: what candidates are trained on: see `evonas.data.resolve`.
        algorithm: by default `evonas.regularized_evolution(population_size=20, sample_size=5)`.
        evaluations: candidates to evaluate in all; random founders are the first ``population_size`` of them, and the
            whole first batch.
        workdir: directory of the run, local or ``gs://``; None keeps it in memory.
        seed: of all randomness.
        training: how each candidate is trained.
        batch_size: candidates asked for at once.
        duplicates: a known architecture is evaluated again ("allow"), proposed anew ("resample"), or answered from
            its first evaluation ("reuse").
        fitness: in place of ``data``: a function of candidates (``.ids``, ``.genomes``) to their fitness. A workdir
            can't tell whether it is still the same function: that is yours to see to. What it raises ends the search.
        callbacks: told what happens.
        checkpoint_seconds: of a candidate's training between two checkpoints in the workdir, from which it goes on.
        keep_checkpoints: how many of the best keep the checkpoint of their end, so that their test need not train them
            again. What is kept of the others is deleted.

    Returns:
        The finished run: ``run.best``, ``run.population``, ``run.evaluations``.

    Raises:
        ValueError: if arguments are wrong or do not fit each other, or the workdir holds another run or is damaged.
        OSError: if the workdir can't be written.
        OtherProcessError: if another process of the search failed.
        NoAnswerError: if another process of the search does not answer for a day.
        Preempted: on SIGTERM; a SystemExit, so that a program that does not catch it ends with code 75.
    """
    algorithm = regularized_evolution(population_size=20, sample_size=5) if algorithm is None else algorithm
    check_settings(space, algorithm, training or Training())
    check_numbers(evaluations, batch_size, seed, duplicates)
    check_checkpoints(checkpoint_seconds, keep_checkpoints)
    check_callbacks(callbacks)
    if (data is None) == (fitness is None):
        raise ValueError("give either data to train candidates on, or a fitness of your own")
    if fitness is not None and training is not None:
        raise ValueError("training settings go with data; with a fitness of your own nothing is trained")
    training = training or Training()
    if len(training.objectives) > 1 and not algorithm.several_objectives:
        raise ValueError(
            f"this algorithm compares one objective, got {', '.join(training.objectives)}: use evonas.nsga2(), or one"
        )
    dataset = None if data is None else resolve(data)
    config = {
        "format": FORMAT,
        "space": describe(space),
        "data": _describe_data(data, dataset),
        "algorithm": describe(algorithm),
        "training": None if dataset is None else describe(training),
        "evaluations": int(evaluations),
        "batch_size": int(batch_size),
        "duplicates": duplicates,
        "seed": int(seed),
        "data_fingerprint": None if dataset is None else dataset.fingerprint(),
        "checkpoint_seconds": float(checkpoint_seconds),
        "keep_checkpoints": int(keep_checkpoints),
        "fitted": None if dataset is None else {"input_shape": dataset.input_shape, "outputs": dataset.classes},
    }
    space = space if dataset is None else fitted(space, dataset)
    repeats: Literal["allow", "resample"] = "resample" if duplicates == "resample" else "allow"
    population = Population(space, algorithm, seed=seed, duplicates=repeats)
    _check_alike(config)
    with contextlib.ExitStack() as stack:
        notice = stack.enter_context(noticing())
        place = None
        if workdir is not None and is_first():
            place = stack.enter_context(contextlib.closing(Workdir(workdir)))
            place.check(config)
            if not exists(place.path / CONFIG):
                for left in (CHECKPOINTS, TIMELINE):  # of a run that somebody deleted otherwise
                    remove_tree(place.path / left)
        log = _log_of(place)
        evaluator: Evaluator
        if dataset is None:
            evaluator = FunctionEvaluator(fitness)  # type: ignore[arg-type]
        else:
            checkpoints = None
            if workdir is not None:
                checkpoints = Checkpoints(epath.Path(workdir) / CHECKPOINTS, checkpoint_seconds, keep_checkpoints)
            evaluator = TrainingEvaluator(space, dataset, training, seed=seed, checkpoints=checkpoints, notice=notice)
        timeline = stack.enter_context(contextlib.closing(Timeline(None if place is None else place.path / TIMELINE)))
        run = Run(population, log, evaluator, evaluations, None if place is None else place.path, notice, timeline)
        if place is not None:
            place.keep(config)
        search_loop(run, batch_size=batch_size, reuse_repeats=duplicates == "reuse", callbacks=callbacks)
        if place is not None and evaluations >= len(log):
            write_json(place.path / GENERATIONS, population.generations)
        return run


def run_experiment(experiment: Experiment, workdir: Any, callbacks: Sequence[Callback] = ()) -> Run:
    """`search` with an experiment's settings."""
    settings = {field.name: getattr(experiment, field.name) for field in dataclasses.fields(experiment)}
    return search(**settings, workdir=workdir, callbacks=callbacks)


def _log_of(place: Workdir | None) -> RunLog:
    """The log of the workdir, which the first process has open; in the others a copy in memory."""
    log = RunLog(None if place is None else place.path / HISTORY)
    if jax.process_count() > 1:
        lines = from_first(lambda: [evaluation.to_json() for evaluation in log])
        log.append(Evaluation.from_json(line) for line in ([] if is_first() else lines))
    return log


def _check_alike(config: Mapping[str, Any]) -> None:
    """Refuse a search that is another one in this process than in the first."""
    first, own = from_first(lambda: plain(config)), plain(config)
    if others := [name for name in config if first[name] != own[name]]:
        raise ValueError(
            f"the first process has other settings: {differences(first, own, others, 'is {} there, {} here')}; start "
            "all of them with the same"
        )


def _describe_data(data: Any, dataset: Dataset | None) -> Any:
    """A source's settings where they say it all; else only what it is called."""
    if dataset is None:
        return None
    if isinstance(data, Dataset | tuple):
        return {"name": dataset.name}
    source = as_source(data)
    try:
        return describe(source)
    except ValueError:
        return {"name": dataset.name}
