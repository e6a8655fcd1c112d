"""What `evonas launch tpu` and `evonas launch stop` do, as plans."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from evonas.launch import gcloud
from evonas.launch.package import Package
from evonas.launch.plan import Plan, Step
from evonas.launch.scripts import PLACE, keeper_script, worker_script
from evonas.launch.settings import Launched, TpuLaunch

RECORD, ENDED, KEEPER_LOG = "launch.json", "ended.json", "keeper.log"
"""In the launch's directory: its settings; how it ended, an empty object until then; what its keeper did."""


def launch_plan(launch: TpuLaunch, package: Package, directory: str, deadline: int, *, keep_here: bool = False) -> Plan:
    """All that starts a run.

    Args:
        launch: what is launched.
        package: evonas, for the machines.
        directory: on this machine, for the files of the launch.
        deadline: seconds since 1970 at which the slice is deleted whatever it does.
        keep_here: run the keeper on this machine instead of one of its own; it has to stay on.
    """
    keeper, worker = os.path.join(directory, "keeper.sh"), os.path.join(directory, "worker.sh")
    place = os.path.join(directory, "keeper") if keep_here else PLACE
    files = {
        os.path.join(directory, RECORD): record(launch),
        os.path.join(directory, ENDED): "{}\n",
        worker: worker_script(launch, package, deadline),
        keeper: keeper_script(launch, deadline, machine=not keep_here, place=place),
    }
    build, wheel = _wheel(package, directory)
    uploaded = (*files, launch.experiment, *wheel)
    if keep_here:
        keep = Step("keep the slice from here, until the run has ended: leave this running", ("bash", keeper))
    else:
        keep = Step("start the machine that keeps the slice", gcloud.create_keeper(launch, keeper))
    return Plan(files, (*build, Step("upload", gcloud.upload(launch, uploaded)), keep))


def stop_plan(launch: Launched, *, keeper: bool = True, slice_: bool = True) -> Plan:
    """What ends a run, first what would make the slice again; evaluations in the bucket stay.

    Args:
        launch: what is stopped.
        keeper: whether there is a keeper to delete.
        slice_: whether there is a slice to delete.
    """
    steps = [
        *([Step("delete the keeper", gcloud.delete_keeper(launch))] if keeper else []),
        *([Step("delete the slice", gcloud.delete_slice(launch))] if slice_ else []),
    ]
    return Plan({}, tuple(steps))


def record(launch: TpuLaunch) -> str:
    """A launch as text, which `read_record` reads."""
    return json.dumps(dataclasses.asdict(launch), indent=2) + "\n"


def read_record(text: str) -> Launched:
    """What `record` wrote, as far as it takes to find the launch again.

    Raises:
        ValueError: if it is no such text.
    """
    try:
        fields = json.loads(text)
        return Launched(**{field.name: fields[field.name] for field in dataclasses.fields(Launched)})
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{RECORD} is damaged ({error!r}): give --zone, --workdir and --project instead") from error


def _wheel(package: Package, directory: str) -> tuple[list[Step], list[str]]:
    """How the wheel is built, if it has to be, and where it lies, if there is one."""
    if package.source is None or package.wheel is None:
        return [], []
    if package.source.endswith(".whl"):
        return [], [package.source]
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", directory, package.source)
    return [Step("build evonas's wheel", command)], [os.path.join(directory, package.wheel)]
