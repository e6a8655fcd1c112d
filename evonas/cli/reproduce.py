"""``evonas reproduce``: published experiments, run again."""

from __future__ import annotations

import dataclasses
import datetime
import platform
import shlex
import textwrap
import time

import jax
import tyro
from etils import epath
from rich.console import Console

from evonas.cli.devices import prepare_jax
from evonas.cli.processes import printing_once
from evonas.reproductions import REPRODUCTIONS, Outcome, Reproduction
from evonas.reproductions.outcome import markdown, table
from evonas.reproductions.plot import picture
from evonas.run.processes import is_first
from evonas.storage import make_directory, write_whole

USAGE = """usage: evonas reproduce NAME [--FIELD VALUE ...]
       evonas reproduce --list
       evonas reproduce --page FILE.md DIR ...

runs a published experiment again, and shows what was found beside what was published; writes both, and a picture, to
its workdir, runs/NAME by default. --list shows the experiments with their time, NAME --help the settings of one.
--page makes one page of several experiments' workdirs."""

RESULT, PICTURE = "outcome.json", "curves.png"
"""In the folder of an experiment."""
PATHS = {"--table": "TABLE", "--data.data-dir": "DIR", "--workdir": "DIR"}


def reproduce(arguments: list[str]) -> None:
    """Run an experiment, list all of them, or make a page of what was found.

    Raises:
        ValueError: if there is no experiment of that name.
    """
    if "--list" in arguments:
        for each in REPRODUCTIONS.values():
            print(f"{each.name:14} {_said(each)}")
    elif not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
    elif arguments[0] == "--page":
        _page(arguments[1:])
    else:
        _run(arguments[0], arguments[1:])


def _said(experiment: Reproduction) -> str:
    return f"{experiment.title}; needs {experiment.needs}; {experiment.time} on 2 CPU cores"


def _run(name: str, arguments: list[str]) -> None:
    if name not in REPRODUCTIONS:
        raise ValueError(
            f"there is no experiment {name!r}; expected one of {', '.join(REPRODUCTIONS)}: evonas reproduce --list "
            "says what each is"
        )
    prepare_jax()
    experiment = REPRODUCTIONS[name]
    if jax.process_count() > 1 and not experiment.distributed:
        raise ValueError(f"{name} runs in one process: leave --distributed out")
    with printing_once():
        _run_and_print(experiment, arguments)


def _run_and_print(experiment: Reproduction, arguments: list[str]) -> None:
    name = experiment.name
    said = f"Runs {_said(experiment)}. {experiment.module.PAPER}."
    settings = tyro.cli(experiment.module.Settings, args=arguments, prog=f"evonas reproduce {name}", description=said)
    started = time.monotonic()
    outcome = experiment.module.run(settings)
    command = shlex.join(["evonas", "reproduce", name, *_without_paths(arguments)])
    outcome = dataclasses.replace(outcome, command=command, made=_made(time.monotonic() - started))
    print(f"{outcome.paper}\n\n{table(outcome)}\n")
    if any(finding.band for finding in outcome.findings):
        print("A band is the published mean and three standard errors of the difference to each side.\n")
    remarks = [f"{finding.quantity}: {finding.remark}" for finding in outcome.findings if finding.remark]
    for text in filter(None, [*remarks, experiment.note]):
        print(f"{textwrap.fill(text, 100)}\n")
    folder = epath.Path(settings.workdir) / getattr(settings, "scale", "")
    if is_first():
        _write(outcome, folder)
    print(f"written to {folder}")


def _write(outcome: Outcome, folder: epath.Path) -> None:
    make_directory(folder)
    write_whole(folder / RESULT, outcome.to_json().encode())
    try:
        write_whole(folder / PICTURE, picture(outcome))
    except ImportError as error:
        Console(stderr=True).print(str(error), highlight=False, markup=False, soft_wrap=True)


def _without_paths(arguments: list[str]) -> list[str]:
    """The arguments with names in place of the files of this machine."""
    separate = [part for argument in arguments for part in argument.split("=", argument.startswith("--"))]
    return [PATHS.get(before, argument) for before, argument in zip(["", *separate], separate, strict=False)]


def _page(arguments: list[str]) -> None:
    if len(arguments) < 2:
        raise ValueError("expected a file and one or more workdirs: evonas reproduce --page FILE.md DIR ...")
    page, *folders = (epath.Path(path) for path in arguments)
    outcomes = [Outcome.from_json((folder / RESULT).read_text()) for folder in folders]
    names = [outcome.name for outcome in outcomes]
    if len(set(names)) < len(names):
        raise ValueError(f"a page has each experiment once, got {', '.join(names)}: make a page of each")
    pictures = [
        _beside(page, outcome.name, folder / PICTURE) for outcome, folder in zip(outcomes, folders, strict=True)
    ]
    page.write_text(markdown(outcomes, pictures, [REPRODUCTIONS[outcome.name].note for outcome in outcomes]))


def _beside(page: epath.Path, name: str, picture: epath.Path) -> str:
    """The name of a copy of the picture beside the page; "" if there is none."""
    if not picture.exists():
        return ""
    copy = f"{page.stem}_{name}.png"
    picture.copy(page.parent / copy, overwrite=True)
    return copy


def _made(seconds: float) -> str:
    today = datetime.date.today().isoformat()
    minutes = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    count = jax.device_count()
    devices = f"{count} {jax.default_backend().upper()} device{'s' if count > 1 else ''}"
    return f"{today}, {minutes} on {devices}, Python {platform.python_version()}, jax {jax.__version__}"
