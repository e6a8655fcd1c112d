"""``evonas launch status``, ``logs`` and ``stop``: what was launched on Cloud TPU."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import tyro
from etils import epath
from rich.console import Console

from evonas.cli import display
from evonas.cli.steps import answer, carry_out
from evonas.launch import Launched, as_script, gcloud, stop_plan
from evonas.launch.tpu import ENDED, KEEPER_LOG, RECORD, read_record

Name = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]


@dataclasses.dataclass(frozen=True)
class Where:
    """Where a launch is; to be given only where it was launched from another directory."""

    zone: str | None = None
    """of the slice; this and the others only where it was launched from another directory"""

    workdir: str | None = None
    """of the run, gs://BUCKET/DIRECTORY"""

    project: str | None = None
    """of the launch"""

    keeper_zone: str | None = None
    """of its keeper"""


RECORDED = Where()
"""As it was launched from this directory."""

Place = Annotated[Where, tyro.conf.arg(name="")]

MEANING = {0: "finished", 2: "a mistake in what was given", 130: "interrupted"}
"""Of the exit codes that end a run for good; see docs/cloud_tpu.md."""


def record_directory(name: str) -> str:
    """Where a launch's files lie on this machine."""
    return f"runs/launch/{name}"


def is_there(launched: Launched) -> bool:
    """Whether the keeper or the slice of a launch exists.

    Raises:
        ValueError: if gcloud can't tell.
    """
    return any(answer(command) is not None for command in _pieces(launched))


def status(name: Name, where: Place = RECORDED) -> None:
    """Show how a launched run is.

    Args:
        name: of the launch.
        where: it was launched.
    """
    launched = _recalled(name, where)
    queue = answer(gcloud.describe_slice(launched))
    log = answer(gcloud.show(launched, KEEPER_LOG))
    facts = {
        "slice": queue or "none",
        "its machines": (answer(gcloud.describe_node(launched)) if queue == "ACTIVE" else None) or "none",
        "keeper": answer(gcloud.describe_keeper(launched)) or "none",
        "it said last": log.splitlines()[-1] if log else "nothing",
        "ended": _how(answer(gcloud.show(launched, ENDED))),
    }
    console = Console()
    display.print_facts(console, name, facts)
    display.print_hint(console, f"the search itself: evonas status {launched.workdir}")


def logs(name: Name, worker: int = 0, keeper: bool = False, where: Place = RECORDED) -> None:
    """Print what a worker of a launched run printed since its slice was made last, up to a minute ago.

    Args:
        name: of the launch.
        worker: number of the worker.
        keeper: what the keeper did, instead.
        where: it was launched.
    """
    launched = _recalled(name, where)
    path = KEEPER_LOG
    if not keeper:
        names = [line.rpartition("/")[2] for line in (answer(gcloud.list_logs(launched)) or "").splitlines()]
        found = sorted(log for log in names if log.endswith(f"-worker-{worker}.log"))
        if not found:
            raise ValueError(f"worker {worker} has no log in {launched.bucket_directory}/logs yet")
        path = f"logs/{found[-1]}"
    text = answer(gcloud.show(launched, path))
    if text is None:
        raise ValueError(f"{launched.bucket_directory}/{path} is not there yet")
    print(text)


def stop(name: Name, execute: bool = False, where: Place = RECORDED) -> None:
    """Delete the keeper and the slice of a launched run; the workdir stays. Without --execute: print the commands.

    Args:
        name: of the launch.
        execute: run the commands.
        where: it was launched.
    """
    launched = _recalled(name, where)
    if not execute:
        print(as_script(stop_plan(launched)))
        print("# nothing was run: do it with --execute, or give this to bash")
        return
    keeper, slice_ = (answer(command) is not None for command in _pieces(launched))
    carry_out(stop_plan(launched, keeper=keeper, slice_=slice_))
    print(f"# no keeper and no slice is left; the run remains in {launched.workdir}: launch again to continue it")


def _recalled(name: str, where: Where) -> Launched:
    """The launch of that name: as it is written here, but for what is given."""
    path = epath.Path(record_directory(name)) / RECORD
    changes = {key: value for key, value in dataclasses.asdict(where).items() if value is not None}
    if path.exists():
        return dataclasses.replace(read_record(path.read_text()), **changes)
    if where.zone is None or where.workdir is None:
        raise ValueError(f"{name} was not launched from this directory: there is no {path}; give --zone and --workdir")
    return Launched(name=name, **changes)


def _pieces(launched: Launched) -> tuple[gcloud.Command, gcloud.Command]:
    """What describes the keeper, and the slice."""
    return gcloud.describe_keeper(launched), gcloud.describe_slice(launched)


def _how(marker: str | None) -> str:
    if marker is None:
        return "it was not launched into this workdir"
    ended = json.loads(marker)
    if "exit_code" not in ended:
        return "not yet"
    code = ended["exit_code"]
    return f"{ended['time']}, exit code {code} of worker {ended['worker']}: {MEANING.get(code, 'see its log')}"
