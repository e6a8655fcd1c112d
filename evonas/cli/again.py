"""The commands that give a run's best again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from etils import epath

from evonas.cli import stored
from evonas.cli.config_file import experiment_in, load_module
from evonas.description import describe
from evonas.run import Evaluation
from evonas.run.workdir import CONFIG, EXPERIMENT, read_config
from evonas.storage import exists

if TYPE_CHECKING:
    from evonas.report.panels import Command

SETTINGS = ("space", "data", "algorithm", "training", "evaluations", "batch_size", "duplicates", "seed")


def commands_of(workdir: str, best: Evaluation) -> list[Command]:
    """To train the best for good, to see it, and to search it again; those that the workdir is enough for."""
    from evonas.report.panels import Command

    commands = [Command("see it in a terminal", shlex.join(["evonas", "best", workdir]))]
    if stored.stands_alone(workdir):
        retrain = ["evonas", "retrain", workdir, "--candidate", str(best.id)]
        commands.insert(0, Command("train it for good", shlex.join(retrain)))
    if (again := search_again(workdir)) is not None:
        commands.append(Command("find it again", again))
    return commands


def search_again(workdir: str) -> str | None:
    """The command that repeats the search in another workdir, to the last bit; None without an experiment file.

    The workdir's copy of the file may have been run with other settings than it has itself: those are given.
    """
    file = epath.Path(workdir) / EXPERIMENT
    if not exists(file):
        return None
    there, config = experiment_in(load_module(file)), read_config(epath.Path(workdir) / CONFIG)
    flags: list[str] = []
    for name in SETTINGS:
        try:
            flags += _flags(name, describe(getattr(there, name), name), config[name])
        except ValueError:  # data of its own, which no command can set: they are the file's
            continue
    return shlex.join(["evonas", "run", str(file), "--workdir", f"{workdir.rstrip('/')}-again", *flags])


def _flags(name: str, own: Any, meant: Any) -> Iterator[str]:
    """Options of ``evonas run`` for what differs between two descriptions."""
    if own == meant:
        return
    if isinstance(own, dict) and isinstance(meant, dict):
        for field in meant:
            yield from _flags(f"{name}.{field}", own.get(field), meant[field])
        return
    option = f"--{name.replace('_', '-')}"
    if isinstance(meant, bool):
        head, _, field = option.rpartition(".")
        prefix = f"{head}." if head else "--"
        yield option if meant else f"{prefix}no-{field.removeprefix('--')}"
    else:
        yield option
        yield from map(str, meant if isinstance(meant, list) else [meant])
