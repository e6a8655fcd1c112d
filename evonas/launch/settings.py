"""What a launch on a slice of Cloud TPU is made of."""

from __future__ import annotations

import dataclasses
import math
import os
import re

from evonas.launch.accelerator import Accelerator

LONGEST_NAME = 50
"""Of a run: names of machines have at most 63 characters, and some are made by adding to it."""


def require_name(name: str) -> None:
    """Raise ValueError unless Google Cloud takes it for a name."""
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) or len(name) > LONGEST_NAME:
        raise ValueError(
            "a name has small letters, digits and hyphens, begins with a letter, does not end with a hyphen, and has "
            f"at most {LONGEST_NAME} characters; got {name!r}"
        )


def require_zone(zone: str) -> None:
    """Raise ValueError unless it has the form of a zone."""
    if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+-[a-z]", zone):
        raise ValueError(f"a zone is like us-central2-b, got {zone!r}")


def require_bucket(workdir: str) -> None:
    """Raise ValueError unless it is a place in a bucket."""
    if not re.fullmatch(r"gs://[a-z0-9][-_.a-z0-9]+(/[^\s*?\[\]#]+)?", workdir) or workdir.endswith("/"):
        raise ValueError(
            f"a launched run's workdir is gs://BUCKET/DIRECTORY, where every machine reaches it; got {workdir!r}"
        )


def require_experiment(path: str) -> None:
    """Raise ValueError unless it is named as a Python file."""
    if not path.endswith(".py"):
        raise ValueError(f"an experiment is a Python file, FILE.py; got {path!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launched:
    """What is enough to find a launch again.

    Attributes:
        name: of the slice; its keeper has the name and ``-keeper``.
        zone: of the slice.
        workdir: gs://BUCKET/DIRECTORY of the run.
        project: by default gcloud's.
        keeper_zone: of the keeper, an e2-micro, which may be anywhere.

    Raises:
        ValueError: if Google Cloud would refuse one of them.
    """

    name: str
    zone: str
    workdir: str
    project: str | None = None
    keeper_zone: str = "us-central1-a"

    def __post_init__(self) -> None:
        require_name(self.name)
        require_zone(self.zone)
        require_zone(self.keeper_zone)
        require_bucket(self.workdir)

    @property
    def keeper(self) -> str:
        """The keeper's name."""
        return f"{self.name}-keeper"

    @property
    def bucket_directory(self) -> str:
        """Where the launch lies in the bucket."""
        return f"{self.workdir}/launch"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TpuLaunch(Launched):
    """A search on a slice of Cloud TPU, kept up until it has ended.

    Attributes:
        type: of the slice, such as v4-32.
        experiment: the experiment file, on this machine.
        settings: what evonas run gets beside the file.
        spot: whether the slice may be preempted, for a lower price.
        reserved: whether it comes from a reservation.
        runtime_version: software version of the TPU machines; by default what Google recommends for the type.
        service_account: as whom the machines act; by default Compute Engine's default account.
        network: of the machines; by default the project's default network.
        subnetwork: of the machines of the slice.
        max_hours: from the launch, after which the slice is deleted whatever it does.

    Raises:
        ValueError: if Google Cloud would refuse one of them.
    """

    type: str
    experiment: str
    settings: tuple[str, ...] = ()
    spot: bool = False
    reserved: bool = False
    runtime_version: str | None = None
    service_account: str | None = None
    network: str | None = None
    subnetwork: str | None = None
    max_hours: float = 48.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_experiment(self.experiment)
        Accelerator(self.type)
        if self.spot and self.reserved:
            raise ValueError("a slice is spot or from a reservation, not both: leave --spot or --reserved out")
        if not 0 < self.max_hours < math.inf:
            raise ValueError(f"max_hours must be positive, got {self.max_hours}")

    @property
    def accelerator(self) -> Accelerator:
        """The slice's kind."""
        return Accelerator(self.type)

    @property
    def experiment_name(self) -> str:
        """The experiment file's name without its directory."""
        return os.path.basename(self.experiment)
