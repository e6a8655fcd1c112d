"""``evonas reproduce``: published experiments, run again."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import platform
import shlex
import shutil
import textwrap
import time
from pathlib import Path

import jax
import tyro
from rich.console import Console

from evonas.cli.devices import prepare_jax
from evonas.reproductions import REPRODUCTIONS, Outcome
from evonas.reproductions.outcome import markdown, table
from evonas.reproductions.plot import save_plot
from evonas.storage import write_whole

USAGE = """usage: evonas reproduce NAME [--output DIR] [--FIELD VALUE ...]
       evonas reproduce --list
       evonas reproduce --page FILE.md DIR ...

runs a published experiment again, and shows what was found beside what was published; writes both, and a picture, to
DIR (runs/NAME). --page makes one page of several experiments' DIRs."""

RESULT, PICTURE = "outcome.json", "curves.png"
"""In the folder of an experiment."""
PATHS = {"--table": "TABLE", "--data.data-dir": "DIR", "--workdir": "DIR"}


def reproduce(arguments: list[str]) -> None:
    """Run an experiment, list all of them, or make a page of what was found.

    Raises:
        ValueError: if there is no experiment of that name.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
    elif arguments[0] == "--list":
        for each in REPRODUCTIONS.values():
            print(f"{each.name:14} {each.title}; needs {each.needs}; {each.time} on 2 CPU cores")
    elif arguments[0] == "--page":
        _page(arguments[1:])
    else:
        _run(arguments[0], arguments[1:])


def _run(name: str, arguments: list[str]) -> None:
    if name not in REPRODUCTIONS:
        raise ValueError(f"there is no experiment {name!r}; expected one of {', '.join(REPRODUCTIONS)}")
    prepare_jax()
    module = REPRODUCTIONS[name].module
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--output", type=Path, default=Path("runs") / name)
    given, rest = parser.parse_known_args(arguments)
    settings = tyro.cli(module.Settings, args=rest, prog=f"evonas reproduce {name}")
    started = time.monotonic()
    outcome = module.run(settings)
    command = shlex.join(["evonas", "reproduce", name, *_without_paths(rest)])
    outcome = dataclasses.replace(outcome, command=command, made=_made(time.monotonic() - started))
    given.output.mkdir(parents=True, exist_ok=True)
    write_whole(given.output / RESULT, outcome.to_json().encode())
    print(f"{outcome.paper}\n\n{table(outcome)}\n")
    if note := REPRODUCTIONS[name].note:
        print(f"{textwrap.fill(note, 100)}\n")
    try:
        save_plot(outcome, given.output / PICTURE)
    except ImportError as error:
        Console(stderr=True).print(str(error), highlight=False, markup=False, soft_wrap=True)
    print(f"written to {given.output}")


def _without_paths(arguments: list[str]) -> list[str]:
    """The arguments with names in place of the files of this machine."""
    return [PATHS.get(before, argument) for before, argument in zip(["", *arguments], arguments, strict=False)]


def _page(arguments: list[str]) -> None:
    if len(arguments) < 2:
        raise ValueError("expected a file and one or more directories: evonas reproduce --page FILE.md DIR ...")
    page, folders = Path(arguments[0]), [Path(path) for path in arguments[1:]]
    outcomes = [Outcome.from_json((folder / RESULT).read_text()) for folder in folders]
    pictures = [
        _beside(page, outcome.name, folder / PICTURE) for outcome, folder in zip(outcomes, folders, strict=True)
    ]
    page.write_text(markdown(outcomes, pictures, [REPRODUCTIONS[outcome.name].note for outcome in outcomes]))


def _beside(page: Path, name: str, picture: Path) -> str:
    """The name of a copy of the picture beside the page; "" if there is none."""
    if not picture.exists():
        return ""
    copy = f"{page.stem}_{name}.png"
    shutil.copyfile(picture, page.parent / copy)
    return copy


def _made(seconds: float) -> str:
    today = datetime.date.today().isoformat()
    minutes = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    devices = f"{jax.local_device_count()} {jax.default_backend()} device(s)"
    return f"{today}, {minutes} on {devices}, Python {platform.python_version()}, jax {jax.__version__}"
