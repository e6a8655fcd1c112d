"""A search in TensorBoard, written by tensorboardX, which needs no TensorFlow."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evonas.description import describe
from evonas.drawing import draw
from evonas.report.progress import Facts, Progress
from evonas.run import Callback, Evaluation, Run
from evonas.run.workdir import CONFIG, read_config
from evonas.storage import exists, read_whole
from evonas.training.retraining import CURVE

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

RETRAINED = "retrain"
"""The directory of a workdir in which its best is trained for good, and the name of that run in TensorBoard."""

BY_EVALUATION, BY_DEVICE_SECOND = "by_evaluation", "by_device_second"
"""Groups of scalars: those of one have the number of evaluations as their step, those of the other their seconds."""

BEST = f"{BY_EVALUATION}/best_fitness"

PICTURE_SECONDS = 30.0
"""Between two drawings of the best, each of which takes some tenths of a second."""

FLUSH_SECONDS = 10
"""What a process may lose that is killed."""


class TensorBoard(Callback):
    """Writes a search's scalars, its settings and its best architectures as TensorBoard reads them.

    A search that is continued goes on where it was, in another file of the same directory; in a directory without
    files it begins with all evaluations that are there.

    Args:
        directory: of this search alone; made if it does not exist.

    Raises:
        ImportError: if tensorboardX is not installed.
    """

    def __init__(self, directory: Any):
        self._directory = os.fspath(directory)
        self._drawn: Evaluation | None = None
        self._drawn_at = -math.inf
        _require_tensorboardx()

    def started(self, run: Run) -> None:
        """Write the settings, and earlier evaluations where the directory has none."""
        self._progress = Progress(run.population.space, run.population.algorithm.population_size)
        new = not _has_events(self._directory)
        self._writer = _writer(self._directory, filename_suffix=f".{len(run.log)}")
        self._settings(run)
        for evaluation in run.log:
            if new:
                self._write(run, evaluation)
            else:
                self._progress.add(evaluation)

    def evaluated(self, run: Run, evaluation: Evaluation) -> None:
        """Write what it changed."""
        self._write(run, evaluation)

    def finished(self, run: Run) -> None:
        """Write the end, and the training curve of the best where it was trained for good."""
        self._draw(run)
        self._writer.file_writer.add_summary(self._ended)
        self._writer.close()
        if run.workdir is not None and exists(path := run.workdir / RETRAINED / CURVE):
            curve = TrainingCurve(self._directory)
            for entry in json.loads(read_whole(path)):
                curve.add(entry)
            curve.close()

    def _settings(self, run: Run) -> None:
        from tensorboardX.summary import hparams

        settings = settings_of(run)
        begun, session, self._ended = hparams(dict(flat(settings)), {BEST: 0.0})
        for summary in (begun, session):
            self._writer.file_writer.add_summary(summary)
        self._writer.add_text("settings", f"```json\n{json.dumps(settings, indent=2)}\n```")

    def _write(self, run: Run, evaluation: Evaluation) -> None:
        before = self._progress.best
        self._progress.add(evaluation)
        facts = self._progress.facts()
        steps = {BY_EVALUATION: facts.evaluations, BY_DEVICE_SECOND: round(facts.train_seconds)}
        for name, value in scalars_of(facts, evaluation):
            for group, step in steps.items():
                self._writer.add_scalar(f"{group}/{name}", value, step, walltime=evaluation.finished)
        if facts.best is not None and facts.best is not before:
            lines = [f"`{facts.best.architecture}`", *run.population.space.layers(facts.best.genome)]
            self._writer.add_text("best_architecture", "\n\n".join(lines), facts.evaluations, evaluation.finished)
        if time.monotonic() - self._drawn_at > PICTURE_SECONDS:
            self._draw(run)

    def _draw(self, run: Run) -> None:
        """Write the best's picture, unless that was the last one."""
        best = self._progress.best
        if best is not None and best is not self._drawn:
            figure = draw(run.population.space, best.genome).figure()
            self._writer.add_figure("best_architecture", figure, best.id, walltime=best.finished)
            self._drawn, self._drawn_at = best, time.monotonic()


class TrainingCurve:
    """Writes the curve of a training for good, as a run beside the search.

    What an earlier process wrote of its first epoch and later ones does not count any more.

    Args:
        directory: that of the search.

    Raises:
        ImportError: if tensorboardX is not installed.
    """

    def __init__(self, directory: Any):
        _require_tensorboardx()
        self._directory = os.path.join(os.fspath(directory), RETRAINED)
        self._open: SummaryWriter | None = None

    def add(self, entry: Mapping[str, float]) -> None:
        """Write an epoch: its number as ``epoch``, and what was measured in it."""
        epoch = int(entry["epoch"])
        if self._open is None:
            self._open = _writer(self._directory, purge_step=epoch)
        for name, value in entry.items():
            if name != "epoch":
                self._open.add_scalar(f"{RETRAINED}/{name}", value, epoch)

    def close(self) -> None:
        """Write what is not written yet."""
        if self._open is not None:
            self._open.close()


def scalars_of(facts: Facts, evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Names and values after an evaluation, as far as they are known."""
    numbers = {
        "best_fitness": facts.best.fitness[0] if facts.best is not None else math.nan,
        "median_fitness": facts.median,
        "mean_distance": facts.mean_distance,
        "unique_share": facts.unique_share,
        "failed_share": sum(facts.failures.values()) / facts.evaluations,
        "seconds_of_a_candidate": evaluation.measurement.seconds,
    }
    names = ["fitness", *(f"objective_{number}" for number in range(2, len(evaluation.fitness) + 1))]
    numbers |= dict(zip(names, evaluation.fitness, strict=False))
    return ((name, value) for name, value in numbers.items() if math.isfinite(value))


def settings_of(run: Run) -> dict[str, Any]:
    """The configuration in the workdir; of a run without one, what it knows itself."""
    if run.workdir is not None:
        return read_config(run.workdir / CONFIG)
    population = run.population
    return {
        "space": describe(population.space),
        "algorithm": describe(population.algorithm),
        "evaluations": run.budget,
        "seed": population.seed,
    }


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | float | str]]:
    """Names and values without nesting: a class stands at the name of what is of it, a list is a text."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            if "type" in value:
                yield f"{prefix}{name}", str(value["type"]).rpartition(":")[2]
            yield from flat({key: each for key, each in value.items() if key != "type"}, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _has_events(directory: str) -> bool:
    return os.path.isdir(directory) and any(".tfevents." in name for name in os.listdir(directory))


def _require_tensorboardx() -> None:
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise ImportError('TensorBoard needs tensorboardX: pip install "evonas[tensorboard]"') from error


def _writer(directory: str, **options: Any) -> SummaryWriter:
    from tensorboardX import SummaryWriter

    return SummaryWriter(directory, flush_secs=FLUSH_SECONDS, **options)
