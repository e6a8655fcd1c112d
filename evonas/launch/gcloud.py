"""The gcloud commands of a launch. `gcloud COMMAND --help` says what each option means."""

from __future__ import annotations

from evonas.launch.settings import Launched, TpuLaunch

Command = tuple[str, ...]

QUEUE = ("gcloud", "compute", "tpus", "queued-resources")
NODE = ("gcloud", "compute", "tpus", "tpu-vm")
INSTANCES = ("gcloud", "compute", "instances")
STORAGE = ("gcloud", "storage")


def create_slice(launch: TpuLaunch, script: str) -> Command:
    """Queue for a slice whose machines run a local script at every boot."""
    return (
        *QUEUE,
        "create",
        launch.name,
        f"--node-id={launch.name}",
        *_in_zone(launch, launch.zone),
        f"--accelerator-type={launch.type}",
        f"--runtime-version={launch.runtime_version or launch.accelerator.runtime_version}",
        *(["--spot"] if launch.spot else []),
        *(["--reserved"] if launch.reserved else []),
        *_identity(launch),
        *_option("network", launch.network),
        *_option("subnetwork", launch.subnetwork),
        f"--metadata-from-file=startup-script={script}",
    )


def describe_slice(launch: Launched) -> Command:
    """The state of the request: WAITING_FOR_RESOURCES, ACTIVE, SUSPENDED and so on."""
    return (*QUEUE, "describe", launch.name, *_in_zone(launch, launch.zone), "--format=value(state.state)")


def describe_node(launch: Launched) -> Command:
    """The state of the machines: READY, PREEMPTED and so on."""
    return (*NODE, "describe", launch.name, *_in_zone(launch, launch.zone), "--format=value(state)")


def delete_slice(launch: Launched) -> Command:
    """Delete the request, and the machines that it may have."""
    return (*QUEUE, "delete", launch.name, *_in_zone(launch, launch.zone), "--force", "--quiet")


def create_keeper(launch: TpuLaunch, script: str) -> Command:
    """Start the small machine that runs a local script at every boot."""
    return (
        *INSTANCES,
        "create",
        launch.keeper,
        *_in_zone(launch, launch.keeper_zone),
        "--machine-type=e2-micro",
        "--image-family=debian-12",
        "--image-project=debian-cloud",
        *_identity(launch),
        *_option("network", launch.network),
        f"--metadata-from-file=startup-script={script}",
    )


def describe_keeper(launch: Launched) -> Command:
    """The state of the keeper's machine: RUNNING, TERMINATED and so on."""
    return (*INSTANCES, "describe", launch.keeper, *_in_zone(launch, launch.keeper_zone), "--format=value(status)")


def delete_keeper(launch: Launched) -> Command:
    """Delete the keeper's machine."""
    return (*INSTANCES, "delete", launch.keeper, *_in_zone(launch, launch.keeper_zone), "--quiet")


def upload(launch: Launched, files: tuple[str, ...]) -> Command:
    """Copy files into the bucket, in place of what has their names there."""
    return (*STORAGE, "cp", *files, f"{launch.bucket_directory}/", *_option("project", launch.project))


def show(launch: Launched, name: str) -> Command:
    """Print a file of the launch's directory in the bucket."""
    return (*STORAGE, "cat", f"{launch.bucket_directory}/{name}", *_option("project", launch.project))


def list_logs(launch: Launched) -> Command:
    """Name the workers' logs, the oldest first."""
    return (*STORAGE, "ls", f"{launch.bucket_directory}/logs/", *_option("project", launch.project))


def _in_zone(launch: Launched, zone: str) -> list[str]:
    return [*_option("project", launch.project), f"--zone={zone}"]


def _identity(launch: TpuLaunch) -> list[str]:
    """Who the machines are, and that the account's roles alone say what they may do."""
    return ["--scopes=cloud-platform", *_option("service-account", launch.service_account)]


def _option(name: str, value: str | None) -> list[str]:
    return [] if value is None else [f"--{name}={value}"]
