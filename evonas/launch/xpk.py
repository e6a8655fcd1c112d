"""The same run on GKE, by XPK (https://github.com/AI-Hypercomputer/xpk), which watches over it and restarts it."""

from __future__ import annotations

import dataclasses
import os
import shlex

from evonas.arguments import require_integer
from evonas.launch.plan import Plan, Step
from evonas.launch.settings import require_bucket, require_experiment, require_name, require_zone
from evonas.preemption import AGAIN

LONGEST_NAME = 40
"""That XPK takes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class XpkLaunch:
    """A search on a TPU slice of a GKE cluster.

    Attributes:
        name: of the workload.
        cluster: of GKE, made by `xpk cluster create`.
        zone: of the cluster's TPUs.
        type: of the slice, as XPK names it, such as v6e-16.
        image: evonas's container, REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG.
        experiment: the experiment file; its whole directory is added to the image.
        workdir: gs://BUCKET/DIRECTORY of the run.
        settings: what evonas run gets beside the file.
        spot: whether the cluster that is made has spot machines.
        project: by default gcloud's.
        max_restarts: of the workload, by preemption or otherwise.

    Raises:
        ValueError: if XPK would refuse one of them.
    """

    name: str
    cluster: str
    zone: str
    type: str
    image: str
    experiment: str
    workdir: str
    settings: tuple[str, ...] = ()
    spot: bool = False
    project: str | None = None
    max_restarts: int = 100

    def __post_init__(self) -> None:
        for name in (self.name, self.cluster):
            require_name(name)
            if len(name) > LONGEST_NAME:
                raise ValueError(f"XPK takes names of at most {LONGEST_NAME} characters, got {name!r}")
        require_zone(self.zone)
        require_bucket(self.workdir)
        require_experiment(self.experiment)
        require_integer("max_restarts", self.max_restarts, least=0)

    @property
    def directory(self) -> str:
        """Of the experiment file."""
        return os.path.dirname(self.experiment) or "."

    @property
    def command(self) -> str:
        """What a container runs. By exec, else XPK's SIGTERM would end the shell, and evonas not know."""
        file = os.path.basename(self.experiment)
        return "exec " + shlex.join(["evonas", "run", file, "--distributed", "--workdir", self.workdir, *self.settings])


def workload_plan(launch: XpkLaunch, *, build: str | None = None, create_cluster: bool = False) -> Plan:
    """All that starts a run.

    Args:
        launch: what is launched.
        build: directory with evonas's Dockerfile, if the image is to be built and pushed first.
        create_cluster: make the cluster first.
    """
    steps = []
    if build is not None:
        steps += [
            Step("build the image", ("docker", "build", "--platform=linux/amd64", f"--tag={launch.image}", build)),
            Step("push it", ("docker", "push", launch.image)),
        ]
    if create_cluster:
        steps.append(Step("make the cluster", _create_cluster(launch)))
    return Plan({}, (*steps, Step("start the workload", _create_workload(launch))))


def stop_command(launch: XpkLaunch) -> tuple[str, ...]:
    """Ends the workload; the cluster stays."""
    return ("xpk", "workload", "delete", f"--workload={launch.name}", *_where(launch))


def status_command(launch: XpkLaunch) -> tuple[str, ...]:
    """Shows the workloads of the cluster."""
    return ("xpk", "workload", "list", *_where(launch))


def _create_cluster(launch: XpkLaunch) -> tuple[str, ...]:
    capacity = "--spot" if launch.spot else "--on-demand"
    return ("xpk", "cluster", "create", *_where(launch), f"--tpu-type={launch.type}", "--num-slices=1", capacity)


def _create_workload(launch: XpkLaunch) -> tuple[str, ...]:
    return (
        *("xpk", "workload", "create", f"--workload={launch.name}"),
        *_where(launch),
        f"--tpu-type={launch.type}",
        f"--base-docker-image={launch.image}",
        f"--script-dir={launch.directory}",
        f"--max-restarts={launch.max_restarts}",
        f"--restart-on-exit-codes={AGAIN}",  # on those of signals, 127 to 255, it does by itself
        f"--env=JAX_COMPILATION_CACHE_DIR={launch.workdir}/compiled",
        f"--command={launch.command}",
    )


def _where(launch: XpkLaunch) -> tuple[str, ...]:
    project = () if launch.project is None else (f"--project={launch.project}",)
    return (f"--cluster={launch.cluster}", *project, f"--zone={launch.zone}")
