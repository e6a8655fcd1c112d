"""What a workdir holds, as the commands need it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from etils import epath

from evonas.cli.config_file import classes_of, experiment_in, load_module
from evonas.cli.facts import format_seconds
from evonas.data import Dataset, resolve
from evonas.description import rebuild
from evonas.report.progress import Facts, Progress
from evonas.run import Evaluation, Experiment, RunLog, best_of
from evonas.run.timeline import DeviceTimes, spans_in
from evonas.run.workdir import CONFIG, EXPERIMENT, HISTORY, damaged, read_config, read_json
from evonas.spaces import Space
from evonas.storage import exists


def experiment_of(workdir: str) -> Experiment:
    """The experiment of a run; its own classes and arrays come from the copy of its experiment file.

    Raises:
        ValueError: if there is none, it is damaged, or it can't be had without the program that made it.
    """
    file = epath.Path(workdir) / EXPERIMENT
    if not exists(file):
        return Experiment.of_workdir(workdir)
    module = load_module(file)
    return Experiment.of_workdir(workdir, classes_of(module), lambda: experiment_in(module).data)


def stands_alone(workdir: str) -> bool:
    """Whether the workdir is enough to go on with, without the Python program that made it."""
    config = read_json(epath.Path(workdir) / CONFIG)
    own = [kind for kind in _types_in(config) if not kind.startswith("evonas.")]
    data = config.get("data")
    return exists(epath.Path(workdir) / EXPERIMENT) or (isinstance(data, dict) and "type" in data and not own)


def history_of(workdir: str) -> tuple[dict[str, Any], RunLog]:
    """The configuration, and every evaluation.

    Raises:
        ValueError: if they are missing or damaged.
    """
    return read_config(epath.Path(workdir) / CONFIG), RunLog(epath.Path(workdir) / HISTORY)


def facts_of(workdir: str, config: dict[str, Any], log: RunLog) -> Facts:
    """How the search went so far.

    Raises:
        ValueError: if the configuration is damaged.
    """
    algorithm = config.get("algorithm")
    size = algorithm.get("population_size") if isinstance(algorithm, dict) else None
    if not isinstance(size, int) or size < 1:
        raise damaged(epath.Path(workdir) / CONFIG, "its algorithm has no population size")
    progress = Progress(space_of(workdir), size)
    for evaluation in log:
        progress.add(evaluation)
    return progress.facts()


def device_times(workdir: str) -> DeviceTimes:
    """What the devices of a run spent their time on."""
    times = DeviceTimes()
    for span in spans_in(workdir):
        times.add(span)
    return times


def state_of(facts: Facts, budget: int, running: bool | None) -> str:
    """What a run does, in words.

    Args:
        facts: of the search.
        budget: evaluations to do.
        running: whether a process has its workdir open; None where that can't be told.
    """
    if running:
        return "running"
    if facts.evaluations >= budget:
        return "finished"
    if running is False:
        return "stopped"
    if not facts.finished:
        return "begun"
    return f"not finished; the last evaluation ended {format_seconds(time.time() - facts.finished)} ago"


def evaluation_of(workdir: str, log: RunLog, candidate: int | None = None) -> Evaluation:
    """The evaluation of a candidate in a workdir's history, by default the best.

    Raises:
        ValueError: if there is none.
    """
    if candidate is None:
        if (best := best_of(log)) is None:
            raise ValueError(f"no candidate of {workdir} has a fitness yet")
        return best
    if (found := log.get(candidate)) is None:
        raise ValueError(f"{workdir} has no evaluated candidate {candidate}")
    return found


def space_of(workdir: str) -> Space | None:
    """The space, fitted to the data; None if it is one of the Python program that made the workdir."""
    config, file = read_json(epath.Path(workdir) / CONFIG), epath.Path(workdir) / EXPERIMENT
    known = classes_of(load_module(file)) if exists(file) else {}
    described, fitted = config.get("space"), config.get("fitted")
    if any(not kind.startswith("evonas.") and kind not in known for kind in _types_in(described)):
        return None
    space = rebuild(described, known)
    return space.fitted(**fitted) if fitted else space


def dataset_of(workdir: str, experiment: Experiment) -> Dataset:
    """The data that the candidates of a run were trained on.

    Raises:
        ValueError: if they have changed since.
    """
    dataset = resolve(experiment.data)
    if dataset.fingerprint() != read_json(epath.Path(workdir) / CONFIG).get("data_fingerprint"):
        raise ValueError(f"the data {dataset.name!r} have changed since the run in {workdir}: restore them")
    return dataset


def _types_in(description: Any) -> Iterator[str]:
    """Names of all classes in a configuration."""
    if isinstance(description, dict):
        if "type" in description:
            yield str(description["type"])
        for value in description.values():
            yield from _types_in(value)
    elif isinstance(description, list):
        for value in description:
            yield from _types_in(value)
