"""The commands, each a function of its settings."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Annotated

import jax
import tyro
from etils import epath
from rich.console import Console

from evonas.cli import display, stored
from evonas.cli.config_file import load_experiment, mistake_in_experiment
from evonas.cli.devices import prepare_jax, spare_accelerators
from evonas.cli.facts import pace_of, rows_of
from evonas.cli.live import LiveView
from evonas.cli.processes import printing_once
from evonas.report.tensorboard import TensorBoard, TrainingCurve
from evonas.run import Callback, Experiment, Run, run_experiment
from evonas.run.result import kept_test
from evonas.run.workdir import EXPERIMENT, is_running
from evonas.storage import exists, read_whole, write_whole
from evonas.training import TrainingEvaluator
from evonas.training import retrain as train_for_good
from evonas.types import NOBODY

Workdir = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="WORKDIR")]


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Run a search, or continue it where its workdir holds one.

    Attributes:
        experiment: the file's own settings.
        workdir: directory of the run, local or gs://.
        cpu_devices: CPU devices that train candidates at the same time, where there is no GPU or TPU; by default one a
            core.
        quiet: show the result alone, and nothing while it goes.
        tensorboard: a directory for TensorBoard to read.
    """

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    workdir: str
    cpu_devices: int | None = None
    quiet: bool = False
    tensorboard: str | None = None


def run(file: str, arguments: list[str]) -> None:
    """Run the search of an experiment file, or continue it where its workdir holds one.

    Args:
        file: a Python file whose config() returns evonas.Experiment.
        arguments: settings in place of the file's: run with --help to see them.
    """
    prepare_jax()
    defaults = RunOptions(load_experiment(file), workdir=f"runs/{Path(file).stem}")
    options = tyro.cli(
        RunOptions, default=defaults, args=arguments, prog=f"evonas run {file}", config=(tyro.conf.AvoidSubcommands,)
    )
    if options.cpu_devices is not None:
        prepare_jax(options.cpu_devices)
    command = shlex.join(["evonas", "run", file, *arguments])
    _search(options.experiment, options.workdir, command, file, options.quiet, options.tensorboard)


def resume(
    workdir: Workdir,
    evaluations: int | None = None,
    cpu_devices: int | None = None,
    quiet: bool = False,
    tensorboard: str | None = None,
) -> None:
    """Continue the search of a workdir.

    Args:
        workdir: of the run; of several processes all have to see it.
        evaluations: in all; by default as many as the run was started with.
        cpu_devices: CPU devices that train at the same time; by default one a core.
        quiet: show the result alone, and nothing while it goes.
        tensorboard: a directory for TensorBoard to read.
    """
    prepare_jax(cpu_devices)
    experiment = stored.experiment_of(workdir)
    if evaluations is not None:
        experiment = dataclasses.replace(experiment, evaluations=evaluations)
    _search(experiment, workdir, shlex.join(["evonas", "resume", workdir]), None, quiet, tensorboard)


def status(workdir: Workdir) -> None:
    """Show how a run goes, from its workdir alone: on this machine or elsewhere, running or not.

    Args:
        workdir: of the run.
    """
    spare_accelerators()
    console = Console()
    config, log = stored.history_of(workdir)
    known, budget = stored.facts_of(workdir, config, log), config["evaluations"]
    running = is_running(workdir)
    state = stored.state_of(known, budget, running)
    rows = {"evaluations": f"{known.evaluations:,} of {budget:,}"}
    if running is not False and (pace := pace_of(known, budget)):
        rows["pace"] = pace
    rows |= rows_of(known, stored.device_times(workdir), letters=console.options.ascii_only)
    display.print_facts(console, f"{workdir}: {state}", rows)
    if known.best is not None:
        display.print_best(console, known.best, [])
    if known.evaluations < budget and not running:
        resume_it = shlex.join(["evonas", "resume", workdir])
        how = resume_it if stored.stands_alone(workdir) else "the Python program that made it"
        display.print_hint(console, f"continue it with: {how}")


def best(workdir: Workdir) -> None:
    """Show the best architecture of a run.

    Args:
        workdir: of the run.
    """
    console = Console()
    _, log = stored.history_of(workdir)
    evaluation = stored.evaluation_of(workdir, log)
    metrics = evaluation.measurement.metrics
    space = stored.space_of(workdir)
    display.print_best(console, evaluation, [] if space is None else space.layers(evaluation.genome))
    facts = {"fitness": display.format_fitness(evaluation.fitness)}
    if "parameters" in metrics:
        facts["validation"] = display.format_metrics(metrics)
        facts["parameters"], facts["multiply-adds"] = f"{metrics['parameters']:,}", f"{metrics['multiply_adds']:,}"
    facts["parents"] = ", ".join(str(parent) for parent in evaluation.parents if parent != NOBODY) or "none: a founder"
    if (test := kept_test(workdir, evaluation.id)) is not None:
        facts["test"] = display.format_metrics(test)
    display.print_facts(console, "measured", facts)
    display.print_front(console, log)


def retrain(
    workdir: Workdir,
    epochs: int | None = None,
    learning_rate: float | None = None,
    candidate: int | None = None,
    flip: bool | None = None,
    crop: int | None = None,
    seed: int = 0,
    directory: str | None = None,
    tensorboard: str | None = None,
) -> None:
    """Train a run's best architecture for good: from scratch, on all training data, weights kept; again to resume.

    Args:
        workdir: of the run.
        epochs: passes over the data; by default ten times those of the search.
        learning_rate: by default that of the search.
        candidate: id of another candidate than the best.
        flip: mirror half of the images; by default as in the search.
        crop: shift images by up to this many pixels; by default as in the search.
        seed: of weights, order and augmentation.
        directory: for checkpoints and the network; by default WORKDIR/retrain.
        tensorboard: a directory for TensorBoard to read, perhaps that of the search.
    """
    prepare_jax(cpu_devices=1)
    console = Console()
    experiment = stored.experiment_of(workdir)
    searched = experiment.training
    training = dataclasses.replace(
        searched,
        epochs=10 * searched.epochs if epochs is None else epochs,
        learning_rate=searched.learning_rate if learning_rate is None else learning_rate,
        flip=searched.flip if flip is None else flip,
        crop=searched.crop if crop is None else crop,
    )
    evaluation = stored.evaluation_of(workdir, stored.history_of(workdir)[1], candidate)
    dataset = stored.dataset_of(workdir, experiment)
    space = experiment.space.fitted(dataset.input_shape, dataset.classes)
    place = epath.Path(directory or f"{workdir}/retrain")
    display.print_best(console, evaluation, space.layers(evaluation.genome))
    display.print_hint(console, f"training for {training.epochs} epochs; Ctrl-C stops, the same command resumes")

    curve = None if tensorboard is None else TrainingCurve(tensorboard)

    def on_epoch(entry: dict[str, float]) -> None:
        if curve is not None:
            curve.add(entry)
        console.print(
            f"epoch {entry['epoch']:>4}/{training.epochs}  train loss {entry['train_loss']:.4f}  "
            + (f"train accuracy {entry['train_accuracy']:.4f}  " if "train_accuracy" in entry else "")
            + f"{entry['seconds']:.1f} s",
            highlight=False,
        )

    trained = train_for_good(space, evaluation.genome, dataset, training, place, seed=seed, on_epoch=on_epoch)
    if curve is not None:
        curve.close()
    facts = {
        trained.split: display.format_metrics(trained.metrics),
        "network": f'evonas.load_network("{trained.network}")',
    }
    display.print_facts(console, "result", facts)


def _search(
    experiment: Experiment, workdir: str, command: str, file: str | None, quiet: bool, tensorboard: str | None
) -> None:
    callbacks: list[Callback] = [] if file is None else [_KeepFile(file)]
    callbacks += [] if tensorboard is None else [TensorBoard(tensorboard)]
    with printing_once():
        _search_and_print(experiment, workdir, command, callbacks, quiet)


def _search_and_print(
    experiment: Experiment, workdir: str, command: str, callbacks: list[Callback], quiet: bool
) -> None:
    console = Console()
    view = LiveView(console)
    shown = [] if quiet else [display.Opening(console), view]
    try:
        finished = run_experiment(experiment, workdir, [*callbacks, *shown])
    except KeyboardInterrupt:
        view.stop()
        where = " in all processes, with their options for --distributed" if jax.process_count() > 1 else ""
        display.print_hint(console, f"stopped; all evaluations are kept: continue with: {command}{where}")
        sys.exit(130)
    except (ValueError, OSError):
        raise
    except Exception as error:
        if (mistake := mistake_in_experiment(error)) is None:
            raise
        raise mistake from error
    finally:
        view.stop()
    _print_result(console, finished)


class _KeepFile(Callback):
    """Copies the experiment file into the workdir, so that the run can be continued from there alone."""

    def __init__(self, file: str):
        self._file = file

    def started(self, run: Run) -> None:
        copy = run.workdir / EXPERIMENT if run.workdir else None
        if copy is not None and not exists(copy):
            write_whole(copy, read_whole(epath.Path(self._file)))


def _print_result(console: Console, run: Run) -> None:
    evaluator, best = run.evaluator, run.best
    assert isinstance(evaluator, TrainingEvaluator)
    display.print_hint(console, "measuring the best")
    test = "no test data" if evaluator.dataset.test is None else display.format_metrics(run.test())
    display.print_best(console, best, evaluator.space.layers(best.genome))
    display.print_facts(
        console,
        "result",
        {
            "validation": display.format_metrics(best.measurement.metrics),
            "test": test,
            "random founders": _founders(run),
            "parameters": f"{best.measurement.metrics['parameters']:,}",
            "multiply-adds": f"{best.measurement.metrics['multiply_adds']:,}",
            "evaluations": run.population.evaluations,
            "compile seconds": f"{evaluator.compile_seconds:.1f} for {evaluator.compilations} program(s), this time",
            "train seconds": f"{run.device_seconds:.1f} of device time{_waiting(run)}",
            "workdir": run.workdir,
        },
    )
    display.print_front(console, run.evaluations)
    retraining = ["evonas", "retrain", str(run.workdir)]
    if len(run.log) > run.budget:  # of all that are there, another one may be the best
        retraining += ["--candidate", str(best.id)]
    display.print_hint(console, f"train it for good with: {shlex.join(retraining)}")


def _waiting(run: Run) -> str:
    """The share of their time in which devices had no candidate, or waited for others; nothing of a single one."""
    held, trained = run.rounds.held_seconds, run.rounds.trained_seconds
    if not held or jax.device_count() == 1:
        return ""
    return f"; devices waited {1 - trained / held:.0%} of theirs, this time"


def _founders(run: Run) -> str:
    fitness = run.founders_fitness
    if not fitness.size:
        return "all failed"
    best, mean = (display.format_number(float(value)) for value in (fitness.max(), fitness.mean()))
    return f"fitness of the best {best}, mean {mean}"
