"""The commands, each a function of its settings."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from etils import epath
from rich.console import Console

from evonas.cli import display
from evonas.cli.config_file import classes_of, load_experiment, load_module
from evonas.cli.devices import prepare_jax
from evonas.data import resolve
from evonas.run import Callback, Experiment, Run, RunLog, run_experiment
from evonas.run.workdir import CONFIG, EXPERIMENT, HISTORY, RESULT, damaged, is_running, read_json, write_json
from evonas.storage import write_whole
from evonas.training import TrainingEvaluator
from evonas.training import retrain as train_for_good
from evonas.types import NOBODY


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Run a search, or continue it where its workdir holds one."""

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    """The file's own settings."""
    workdir: str
    """Directory of the run, local or gs://."""
    cpu_devices: int | None = None
    """CPU devices that train candidates at the same time, where there is no GPU or TPU; by default one a core."""


def run(file: str, arguments: list[str]) -> None:
    """Run the search of an experiment file, or continue it where its workdir holds one.

    Args:
        file: a Python file whose config() returns evonas.Experiment.
        arguments: settings in place of the file's: run with --help to see them.
    """
    defaults = RunOptions(load_experiment(file), workdir=f"runs/{Path(file).stem}")
    options = tyro.cli(
        RunOptions, default=defaults, args=arguments, prog=f"evonas run {file}", config=(tyro.conf.AvoidSubcommands,)
    )
    prepare_jax(options.cpu_devices)
    _search(options.experiment, options.workdir, shlex.join(["evonas", "run", file, *arguments]), file)


def resume(workdir: tyro.conf.Positional[str], evaluations: int | None = None, cpu_devices: int | None = None) -> None:
    """Continue the search of a workdir.

    Args:
        workdir: of the run.
        evaluations: in all; by default as many as the run was started with.
        cpu_devices: CPU devices that train at the same time; by default one a core.
    """
    experiment = _experiment_of(workdir)
    if evaluations is not None:
        experiment = dataclasses.replace(experiment, evaluations=evaluations)
    prepare_jax(cpu_devices)
    _search(experiment, workdir, shlex.join(["evonas", "resume", workdir]), None)


def status(workdir: tyro.conf.Positional[str]) -> None:
    """Show how far a run is.

    Args:
        workdir: of the run.
    """
    console = Console()
    config, log = _history_of(workdir)
    evaluations, budget = list(log), config["evaluations"]
    running = is_running(workdir)
    state = "running" if running else "finished" if len(evaluations) >= budget else "stopped"
    display.print_facts(console, f"{workdir}: {state}", display.progress_facts(evaluations, budget))
    if (best := display.best_of(evaluations)) is not None:
        display.print_best(console, best, [])
    if state == "stopped":
        display.print_hint(console, f"continue it with: {shlex.join(['evonas', 'resume', workdir])}")


def best(workdir: tyro.conf.Positional[str]) -> None:
    """Show the best architecture of a run.

    Args:
        workdir: of the run.
    """
    console = Console()
    experiment, evaluation = _experiment_of(workdir), _best_of(workdir)
    space = _fitted(experiment)
    display.print_best(console, evaluation, space.layers(evaluation.genome))
    facts = {
        "validation": display.format_metrics(evaluation.measurement.metrics),
        "parameters": f"{evaluation.measurement.metrics.get('parameters', 0):,}",
        "multiply-adds": f"{evaluation.measurement.metrics.get('multiply_adds', 0):,}",
        "parents": ", ".join(str(parent) for parent in evaluation.parents if parent != NOBODY) or "none: a founder",
    }
    if (result := _kept_result(workdir, evaluation.id)) is not None and result["test"]:
        facts["test"] = display.format_metrics(result["test"])
    display.print_facts(console, "measured", facts)


def retrain(
    workdir: tyro.conf.Positional[str],
    epochs: int | None = None,
    learning_rate: float | None = None,
    candidate: int | None = None,
    flip: bool | None = None,
    crop: int | None = None,
    seed: int = 0,
    directory: str | None = None,
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
    """
    prepare_jax(cpu_devices=1)
    console = Console()
    experiment = _experiment_of(workdir)
    searched = experiment.training
    training = dataclasses.replace(
        searched,
        epochs=10 * searched.epochs if epochs is None else epochs,
        learning_rate=searched.learning_rate if learning_rate is None else learning_rate,
        flip=searched.flip if flip is None else flip,
        crop=searched.crop if crop is None else crop,
    )
    evaluation = _best_of(workdir) if candidate is None else _candidate_of(workdir, candidate)
    dataset = resolve(experiment.data)
    space = experiment.space.fitted(dataset.input_shape, dataset.classes)
    place = epath.Path(directory or f"{workdir}/retrain")
    display.print_best(console, evaluation, space.layers(evaluation.genome))
    display.print_hint(console, f"training for {training.epochs} epochs; Ctrl-C stops, the same command resumes")

    def on_epoch(entry: dict[str, float]) -> None:
        console.print(
            f"epoch {entry['epoch']:>4}/{training.epochs}  train loss {entry['train_loss']:.4f}  "
            + (f"train accuracy {entry['train_accuracy']:.4f}  " if "train_accuracy" in entry else "")
            + f"{entry['seconds']:.1f} s",
            highlight=False,
        )

    trained = train_for_good(space, evaluation.genome, dataset, training, place, seed=seed, on_epoch=on_epoch)
    measured_on = "validation" if dataset.test is None else "test"
    facts = {
        measured_on: display.format_metrics(trained.metrics),
        "network": f'evonas.load_network("{trained.network}")',
    }
    display.print_facts(console, "result", facts)


def _search(experiment: Experiment, workdir: str, command: str, file: str | None) -> None:
    console = Console()
    console.print(f"searching {experiment.space}\nwith {command}", highlight=False, markup=False, soft_wrap=True)
    progress = display.ProgressBar(console)
    callbacks: list[Callback] = [progress] if file is None else [_KeepFile(file), progress]
    try:
        finished = run_experiment(experiment, workdir, callbacks)
    except KeyboardInterrupt:
        progress.stop()
        display.print_hint(console, f"stopped; nothing is lost: continue with: {command}")
        sys.exit(130)
    finally:
        progress.stop()
    _print_result(console, finished)


class _KeepFile(Callback):
    """Copies the experiment file into the workdir, so that the run can be continued from there alone."""

    def __init__(self, file: str):
        self._file = file

    def started(self, run: Run) -> None:
        copy = run.workdir / EXPERIMENT if run.workdir else None
        if copy is not None and not copy.exists():
            write_whole(copy, epath.Path(self._file).read_bytes())


def _print_result(console: Console, run: Run) -> None:
    result = _result(run)
    evaluator, best = run.evaluator, run.best
    assert isinstance(evaluator, TrainingEvaluator)
    display.print_best(console, best, evaluator.space.layers(best.genome))
    display.print_facts(
        console,
        "result",
        {
            "validation": display.format_metrics(best.measurement.metrics),
            "test": display.format_metrics(result["test"]) if result["test"] else "no test data",
            "random founders' mean": f"{display.format_number(run.founders_mean)} (fitness)",
            "parameters": f"{best.measurement.metrics['parameters']:,}",
            "multiply-adds": f"{best.measurement.metrics['multiply_adds']:,}",
            "evaluations": len(run.log),
            "compile seconds": f"{evaluator.compile_seconds:.1f} for {evaluator.compilations} program(s), this time",
            "train seconds": f"{run.device_seconds:.1f} of device time",
            "workdir": run.workdir,
        },
    )
    display.print_hint(console, f"train it for good with: {shlex.join(['evonas', 'retrain', str(run.workdir)])}")


def _result(run: Run) -> dict[str, Any]:
    """The test measurement of the best, read once: kept in the workdir for the next time."""
    assert run.workdir is not None
    assert isinstance(run.evaluator, TrainingEvaluator)
    if (kept := _kept_result(run.workdir, run.best.id)) is not None:
        return kept
    has_test = run.evaluator.dataset.test is not None
    measured = run.evaluator.test(run.best.id, np.array(run.best.genome)).metrics if has_test else None
    result = {"best": run.best.id, "architecture": run.best.architecture, "test": measured}
    write_json(run.workdir / RESULT, result)
    return result


def _kept_result(workdir: Any, candidate: int) -> dict[str, Any] | None:
    path = epath.Path(workdir) / RESULT
    if not path.exists():
        return None
    result = read_json(path)
    if not result.keys() >= {"best", "test"}:
        raise damaged(path, "it has no best or no test")
    return result if result["best"] == candidate else None


def _experiment_of(workdir: str) -> Experiment:
    file = epath.Path(workdir) / EXPERIMENT
    known = classes_of(load_module(file)) if file.exists() else {}
    return Experiment.of_workdir(workdir, known)


def _fitted(experiment: Experiment) -> Any:
    dataset = resolve(experiment.data)
    return experiment.space.fitted(dataset.input_shape, dataset.classes)


def _history_of(workdir: str) -> tuple[dict[str, Any], RunLog]:
    path = epath.Path(workdir) / CONFIG
    config = read_json(path)
    if not isinstance(config.get("evaluations"), int):
        raise damaged(path, f"evaluations is {config.get('evaluations')!r}")
    return config, RunLog(epath.Path(workdir) / HISTORY)


def _best_of(workdir: str) -> Any:
    found = display.best_of(_history_of(workdir)[1])
    if found is None:
        raise ValueError(f"no candidate of {workdir} has a fitness yet")
    return found


def _candidate_of(workdir: str, candidate: int) -> Any:
    found = _history_of(workdir)[1].get(candidate)
    if found is None:
        raise ValueError(f"{workdir} has no evaluated candidate {candidate}")
    return found
