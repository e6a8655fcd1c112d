"""The two scripts of a launch: settings first, then the text of ``keeper.sh`` or ``worker.sh`` beside this module."""

from __future__ import annotations

import importlib.resources
import shlex
from typing import NamedTuple

from evonas.launch import gcloud
from evonas.launch.package import Package
from evonas.launch.settings import TpuLaunch

PLACE = "/opt/evonas"
"""The scripts' directory on machines of the cloud."""


class Pace(NamedTuple):
    """How often and how long the scripts wait and try; times in whole seconds.

    Attributes:
        interval: between two looks of the keeper, and the first wait after a failure, doubled with each more.
        longest: the most that the interval grows to.
        refusals: creations of the slice that may fail in a row before the keeper gives up.
        installations: of evonas that may fail in a row before a worker ends the run.
        pause: of a worker before it starts evonas again.
        restarts: after an end that says nothing of its cause.
        settled: evonas runs for so long, or its end counts as quick.
        quick_ends: in a row, of any cause, after which a worker still starts evonas again.
        publishing: between two copies of a worker's log to the bucket.
        grace: for the keeper to delete the slice of an ended run, before the slice does so itself.
    """

    interval: int = 30
    longest: int = 600
    refusals: int = 20
    installations: int = 20
    pause: int = 15
    restarts: int = 3
    settled: int = 600
    quick_ends: int = 20
    publishing: int = 60
    grace: int = 900


def keeper_script(
    launch: TpuLaunch, deadline: int, *, machine: bool = True, place: str = PLACE, pace: Pace | None = None
) -> str:
    """What keeps the slice until the run has ended.

    Args:
        launch: what is kept.
        deadline: seconds since 1970 at which the slice is deleted whatever it does.
        machine: whether the keeper is a machine of its own, which it deletes in the end.
        place: directory for its files.
        pace: of its looks.
    """
    pace = pace or Pace()
    return _script(
        "keeper.sh",
        PLACE=place,
        BUCKET=launch.bucket_directory,
        DEADLINE=deadline,
        INTERVAL=pace.interval,
        LONGEST=pace.longest,
        REFUSALS=pace.refusals,
        CREATE=gcloud.create_slice(launch, "worker.sh"),
        DESCRIBE=gcloud.describe_slice(launch),
        DESCRIBE_NODE=gcloud.describe_node(launch),
        DELETE=gcloud.delete_slice(launch),
        DELETE_KEEPER=gcloud.delete_keeper(launch) if machine else (),
    )


def worker_script(
    launch: TpuLaunch, package: Package, deadline: int, *, place: str = PLACE, pace: Pace | None = None
) -> str:
    """What every machine of the slice does at every boot.

    Args:
        launch: what is run.
        package: evonas.
        deadline: seconds since 1970 at which evonas is stopped.
        place: directory for its files.
        pace: of restarts and logs.
    """
    pace = pace or Pace()
    files = [name for name in (launch.experiment_name, package.wheel) if name is not None]
    return _script(
        "worker.sh",
        PLACE=place,
        BUCKET=launch.bucket_directory,
        CACHE=f"{launch.workdir}/compiled",
        DEADLINE=deadline,
        INSTALLATIONS=pace.installations,
        PAUSE=pace.pause,
        RESTARTS=pace.restarts,
        SETTLED=pace.settled,
        QUICK_ENDS=pace.quick_ends,
        PUBLISHING=pace.publishing,
        GRACE=pace.grace,
        PYTHON=package.python,
        FILES=[f"{launch.bucket_directory}/{name}" for name in files],
        REQUIREMENTS=package.requirements(place),
        RUN=["run", launch.experiment_name, "--distributed", "--workdir", launch.workdir, *launch.settings],
        DELETE=gcloud.delete_slice(launch),
    )


def _script(name: str, **settings: str | int | list[str] | tuple[str, ...]) -> str:
    lines = [f"{key}={_value(value)}" for key, value in settings.items()]
    text = importlib.resources.files("evonas.launch").joinpath(name).read_text()
    head, _, body = text.partition("\n\n")
    return "\n".join([head, "", *lines, "", body])


def _value(value: str | int | list[str] | tuple[str, ...]) -> str:
    return f"({shlex.join(value)})" if isinstance(value, list | tuple) else shlex.quote(str(value))
