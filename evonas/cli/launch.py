"""``evonas launch tpu`` and ``evonas launch xpk``: runs on Cloud TPU, through the user's own gcloud."""

from __future__ import annotations

import dataclasses
import time
from typing import Annotated, Any

import tyro

from evonas.cli.commands import RunOptions
from evonas.cli.config_file import load_experiment
from evonas.cli.launched import is_there, logs, record_directory, status, stop
from evonas.cli.steps import carry_out
from evonas.launch import (
    Accelerator,
    Plan,
    TpuLaunch,
    XpkLaunch,
    as_script,
    estimate,
    installed_package,
    launch_plan,
    workload_plan,
    xpk,
)
from evonas.run import Experiment

File = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.py")]
Hidden = Annotated[tuple[str, ...], tyro.conf.Suppress]

OWN = ("--distributed", "--workdir")
"""Options of evonas run that a launch gives by itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TpuOptions(TpuLaunch):
    """Launch a search on a slice of Cloud TPU, and keep it up until the search has ended, whatever is preempted.

    Settings of evonas run come after --. Nothing is run unless --execute is given: the commands are printed, as a
    script that does the same.

    Attributes:
        execute: run the commands.
        keep_here: keep the slice from this machine, which then has to stay on, and not from a machine of its own.
        package: wheel or directory of evonas for the machines; by default the one that runs here.
        seconds_per_candidate: that training one takes on one device, for an estimate of the cost.
        dollars_per_chip_hour: the price, for an estimate of the cost.
    """

    experiment: File
    settings: Hidden = ()
    execute: bool = False
    keep_here: bool = False
    package: str | None = None
    seconds_per_candidate: float | None = None
    dollars_per_chip_hour: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class XpkOptions(XpkLaunch):
    """Launch a search on a TPU slice of a GKE cluster, by XPK.

    Settings of evonas run come after --. Nothing is run unless --execute is given: the commands are printed, as a
    script that does the same.

    Attributes:
        build: directory with evonas's Dockerfile: build and push the image first.
        create_cluster: make the cluster first, of spot machines with --spot.
        execute: run the commands.
    """

    experiment: File
    settings: Hidden = ()
    build: str | None = None
    create_cluster: bool = False
    execute: bool = False


def launch(arguments: list[str]) -> None:
    """Launch runs on Cloud TPU, and look after them.

    Raises:
        ValueError: if a setting is wrong, or a command fails.
    """
    arguments, settings = _split(arguments)
    if settings and not {"tpu", "xpk"} & set(arguments[:1]):
        raise ValueError("settings of evonas run, after --, go with launch tpu and launch xpk")
    chosen = tyro.extras.subcommand_cli_from_dict(
        {"tpu": TpuOptions, "xpk": XpkOptions, "status": status, "logs": logs, "stop": stop},
        args=arguments,
        prog="evonas launch",
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    if isinstance(chosen, TpuOptions):
        _tpu(dataclasses.replace(chosen, settings=settings))
    elif isinstance(chosen, XpkOptions):
        _xpk(dataclasses.replace(chosen, settings=settings))


def _split(arguments: list[str]) -> tuple[list[str], tuple[str, ...]]:
    if "--" not in arguments:
        return arguments, ()
    at = arguments.index("--")
    settings = tuple(arguments[at + 1 :])
    for setting in settings:
        if setting.partition("=")[0] in OWN:
            raise ValueError(f"{setting} belongs before --: a launch gives it to evonas run by itself")
    return arguments[:at], settings


def _tpu(options: TpuOptions) -> None:
    experiment = _checked(options.experiment, options.settings)
    settings = _only(TpuLaunch, options)
    deadline = int(time.time() + 3600 * options.max_hours)
    directory = record_directory(options.name)
    package = installed_package(options.package)
    _say(_forecast(options, experiment))
    if options.execute and is_there(settings):
        raise ValueError(f"{options.name} runs already: see evonas launch status, or end it with evonas launch stop")
    _do(launch_plan(settings, package, directory, deadline, keep_here=options.keep_here), options.execute)
    _say([f"watch it with: evonas launch status {options.name}"])


def _xpk(options: XpkOptions) -> None:
    _checked(options.experiment, options.settings)
    settings = _only(XpkLaunch, options)
    _do(workload_plan(settings, build=options.build, create_cluster=options.create_cluster), options.execute)
    _say([f"watch it with: {' '.join(xpk.status_command(settings))}"])
    _say([f"end it with: {' '.join(xpk.stop_command(settings))}"])


def _checked(file: str, settings: tuple[str, ...]) -> Experiment:
    """The experiment that will run: a mistake in it costs nothing here."""
    defaults = RunOptions(load_experiment(file), workdir="")
    config = (tyro.conf.AvoidSubcommands,)
    return tyro.cli(RunOptions, default=defaults, args=settings, prog=f"evonas run {file}", config=config).experiment


def _forecast(options: TpuOptions, experiment: Experiment) -> list[str]:
    slice_ = Accelerator(options.type)
    lines = [f"{options.type}: {slice_.chips} chips, {slice_.devices} candidates at the same time"]
    idle = -experiment.batch_size % slice_.devices
    if idle:
        lines.append(
            f"batch_size {experiment.batch_size} leaves {idle} devices idle at the end of every batch: "
            f"a multiple of {slice_.devices} would leave none"
        )
    seconds, price = options.seconds_per_candidate, options.dollars_per_chip_hour
    if seconds is not None and price is not None:
        cost = estimate(slice_, experiment.evaluations, experiment.batch_size, seconds, price)
        lines += [
            f"{experiment.evaluations:,} candidates of {seconds:g} s: {cost.hours:.1f} hours, {cost.chip_hours:,.1f} "
            f"chip-hours, {cost.dollars:,.2f} dollars",
            "besides: setting up each slice, compiling, and training that preemption cuts short",
        ]
    most = slice_.chips * options.max_hours
    lines.append(f"deleted {options.max_hours:g} hours after this launch at the latest: at most {most:,.0f} chip-hours")
    return lines


def _do(plan: Plan, execute: bool) -> None:
    if execute:
        carry_out(plan)
    else:
        print(as_script(plan))
        _say(["nothing was run: do it with --execute, or give this to bash"])


def _say(lines: list[str]) -> None:
    for line in lines:
        print(f"# {line}")


def _only(kind: Any, options: Any) -> Any:
    return kind(**{field.name: getattr(options, field.name) for field in dataclasses.fields(kind)})
