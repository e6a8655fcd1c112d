"""``evonas doctor``: whether a search would run here, and what to mend where it would not."""

from __future__ import annotations

import glob
import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from typing import NamedTuple

import jax
import jax.numpy as jnp
from etils import epath
from rich.console import Console

from evonas.cli.devices import prepare_jax
from evonas.data import Digits
from evonas.spaces import MacroCNN
from evonas.storage import make_directory, write_whole
from evonas.training import Training, TrainingEvaluator
from evonas.types import NOBODY, Candidates, Failure, Measurement

PACKAGES = ("evonas", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "tensorflow-datasets")
ACCELERATORS = {"/dev/nvidia[0-9]*": ("GPU", "cuda13"), "/dev/accel[0-9]*": ("TPU", "tpu")}
"""Files that a driver makes, what they stand for, and the extra of JAX that uses it."""

PROBE = "evonas-doctor"
"""A file that is written, read and deleted."""

WIDTH = 22
"""Of the first column."""


class Finding(NamedTuple):
    """What was looked at, what was found, and, where that is not well, how to mend it."""

    name: str
    found: str
    remedy: str = ""


def doctor(workdir: str | None = None, cpu_devices: int | None = None) -> None:
    """Show versions, devices, memory and cache, train a tiny candidate on each device, and try the workdir.

    Args:
        workdir: where a run would write, local or gs://.
        cpu_devices: CPU devices, where there is no GPU or TPU; by default one a core.
    """
    prepare_jax(cpu_devices)
    console, off = Console(), 0
    for finding in _findings(workdir):
        off += bool(finding.remedy)
        mark = "[red]OFF[/red]" if finding.remedy else "ok "
        console.print(f"{mark}  {finding.name:<{WIDTH}}", end="", highlight=False)
        console.print(finding.found, highlight=False, markup=False, soft_wrap=True)
        if finding.remedy:
            console.print(f"     {'':<{WIDTH}}{finding.remedy}", highlight=False, markup=False, soft_wrap=True)
    if off:
        raise ValueError(f"{off} of these are off: mend them as they say, and run evonas doctor again")


def _findings(workdir: str | None) -> Iterator[Finding]:
    python = f"Python {platform.python_version()}"
    yield Finding("versions", ", ".join([python, *(f"{package} {version(package)}" for package in PACKAGES)]))
    yield _devices()
    for device in jax.local_devices():
        yield Finding(f"device {device.id}", f"{device.device_kind}, {_memory(device)}")
    cache = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    yield _writable("cache", cache, "set JAX_COMPILATION_CACHE_DIR to a directory that can be written")
    if workdir is not None:
        yield _writable("workdir", workdir, "give one that can be written; for gs://, log in and look at its rights")
    yield from _candidates()


def _devices() -> Finding:
    kinds = Counter(device.device_kind for device in jax.devices())
    found = ", ".join(f"{number} x {kind}" for kind, number in kinds.items())
    if jax.process_count() > 1:
        found += f" in {jax.process_count()} processes, {jax.local_device_count()} of them in this one"
    for files, (kind, extra) in ACCELERATORS.items():
        if jax.default_backend() == "cpu" and glob.glob(files) and "JAX_PLATFORMS" not in os.environ:
            return Finding("devices", found, f'a {kind} is here that JAX does not use: pip install "jax[{extra}]"')
    return Finding("devices", found)


def _memory(device: jax.Device) -> str:
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit:
        return f"{limit / 1e9:.1f} GB of memory"
    if device.platform == "cpu" and hasattr(os, "sysconf"):
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB of memory for all"
    return "its memory is not told"


def _writable(name: str, place: str, remedy: str) -> Finding:
    directory, started = epath.Path(place), time.perf_counter()
    probe = directory / PROBE
    try:
        new = not directory.exists()
        make_directory(directory)
        write_whole(probe, b"written")
        back = probe.read_bytes()
        probe.unlink()
        if new and directory.exists():  # an object store has none once it is empty
            directory.rmdir()
    except Exception as error:  # an object store's client has errors of its own
        return Finding(name, f"{place}: {type(error).__name__}: {error}", remedy)
    if back != b"written":
        return Finding(name, f"{place}: another content is read than was written", remedy)
    return Finding(name, f"{place}: written, read and deleted in {time.perf_counter() - started:.2f} s")


def _candidates() -> Iterator[Finding]:
    """The same tiny training on every device, of which each must make the same."""
    results = set()
    for device in jax.local_devices():
        name = f"candidate on device {device.id}"
        try:
            measurement, compiling = _train(device)
        except jax.errors.JaxRuntimeError as error:
            yield Finding(name, str(error).splitlines()[0], _without(device))
            continue
        if measurement.failure != Failure.NONE:
            yield Finding(name, f"failed: {measurement.failure}", _without(device))
            continue
        accuracy = measurement.fitness[0]
        found = f"compiled in {compiling:.1f} s, trained in {measurement.seconds:.2f} s, accuracy {accuracy:.4f}"
        results.add(accuracy)
        yield Finding(name, found, "" if len(results) == 1 else f"devices before it found another: {_without(device)}")


def _train(device: jax.Device) -> tuple[Measurement, float]:
    """The measurement, and the seconds of compiling."""
    space = MacroCNN(stages=1, layers_per_stage=1, filters=(16,), kernels=(3,))
    dataset = Digits(limit=256).load()
    space = space.fitted(dataset.input_shape, dataset.classes)
    evaluator = TrainingEvaluator(space, dataset, Training(epochs=20, batch_size=32), devices=[device])
    candidates = Candidates(
        ids=jnp.zeros(1, jnp.int32),
        genomes=space.sample(jax.random.key(0))[None],
        parents=jnp.full((1, 2), NOBODY),
        replaces=jnp.full(1, NOBODY),
    )
    [(_, [measurement])] = evaluator(candidates)
    return measurement, evaluator.compile_seconds


def _without(device: jax.Device) -> str:
    variable = {"gpu": "CUDA_VISIBLE_DEVICES", "tpu": "TPU_VISIBLE_CHIPS"}.get(device.platform)
    leave_out = f"leave it out with {variable}, or " if variable else ""
    return f"{leave_out}take other versions of JAX and its driver"
