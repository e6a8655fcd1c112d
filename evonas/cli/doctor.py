"""``evonas doctor``: whether a search would run here, and what to mend where it would not."""

from __future__ import annotations

import glob
import os
import platform
import time
import uuid
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
from evonas.storage import make_directory, read_whole, remove, write_whole
from evonas.training import Training, TrainingEvaluator
from evonas.training.parallel import memory_of
from evonas.types import NOBODY, Candidates, Failure, Measurement

PACKAGES = ("evonas", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "tensorflow-datasets")
GPUS, PCI = "/dev/nvidia[0-9]*", "/sys/bus/pci/devices"
"""Files that NVIDIA's driver makes, and where Linux lists what is on the bus."""

TPUS = {"0x0027", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076"}
"""Google's numbers of TPUs on the bus, v2 to v7, as `jax._src.hardware_utils` has them; 0x1ae0 is Google's own."""

WIDTH = 24
"""Of the first column."""


class Finding(NamedTuple):
    """What was looked at, what was found, and, where that is not well, how to mend it."""

    name: str
    found: str
    remedy: str = ""


def doctor(workdir: str | None = None, cpu_devices: int | None = None) -> None:
    """Show versions, devices, memory and cache, train a tiny candidate on each device, and try the workdir.

    Args:
        workdir: where a run would write, local or gs://; made if it is not there.
        cpu_devices: CPU devices, where there is no GPU or TPU; by default one a core.
    """
    prepare_jax(cpu_devices)
    console, off = Console(), 0
    for finding in _findings(workdir):
        off += bool(finding.remedy)
        mark = "[red]OFF[/red]" if finding.remedy else "ok "
        console.print(f"{mark}  {finding.name:<{WIDTH}} ", end="", highlight=False)
        console.print(finding.found, highlight=False, markup=False, soft_wrap=True)
        if finding.remedy:
            console.print(f"     {'':<{WIDTH}} {finding.remedy}", highlight=False, markup=False, soft_wrap=True)
    if off:
        raise ValueError(f"{off} of these are off: mend them as they say, and run evonas doctor again")


def _findings(workdir: str | None) -> Iterator[Finding]:
    python = f"Python {platform.python_version()}"
    yield Finding("versions", ", ".join([python, *(f"{package} {version(package)}" for package in PACKAGES)]))
    remedy = "set JAX_COMPILATION_CACHE_DIR to a directory that can be written"
    cache = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    yield _writable("cache", cache, remedy) if cache else Finding("cache", "none: programs are compiled again", remedy)
    if workdir is not None:
        yield _writable("workdir", workdir, "give one that can be written; for gs://, log in and look at its rights")
    yield (devices := _devices())
    if not devices.remedy:
        for device in jax.local_devices():
            yield Finding(f"device {device.id}", f"{device.device_kind}, {_memory(device)}")
        yield from _candidates()


def _devices() -> Finding:
    try:
        kinds = Counter(device.device_kind for device in jax.local_devices())
    except RuntimeError as error:
        return Finding("devices", str(error), "mend the driver, or go without it by JAX_PLATFORMS=cpu")
    found = ", ".join(f"{number} x {kind}" for kind, number in kinds.items())
    if jax.process_count() > 1:
        found += f" in this process, {jax.process_index()} of {jax.process_count()} with {jax.device_count()} together"
    unused = _accelerator() if jax.default_backend() == "cpu" and "JAX_PLATFORMS" not in os.environ else None
    if unused is None:
        return Finding("devices", found)
    kind, extra = unused
    return Finding("devices", found, f'a {kind} is here that JAX does not use: pip install "jax[{extra}]"')


def _accelerator() -> tuple[str, str] | None:
    """A kind that is on this machine, and the extra of JAX that uses it."""
    if glob.glob(GPUS):
        return "GPU", "cuda13"
    for vendor in epath.Path(PCI).glob("*/vendor"):
        if vendor.read_text().strip() == "0x1ae0" and (vendor.parent / "device").read_text().strip() in TPUS:
            return "TPU", "tpu"
    return None


def _memory(device: jax.Device) -> str:
    if (memory := memory_of(device)) is None:
        return "its memory is not told"
    return f"{memory / 1e9:.1f} GB of memory{' for all' if device.platform == 'cpu' else ''}"


def _writable(name: str, place: str, remedy: str) -> Finding:
    directory, started = epath.Path(place), time.perf_counter()
    probe = directory / f"evonas-doctor-{uuid.uuid4()}"  # others may be looking at the same place
    try:
        make_directory(directory)
        write_whole(probe, b"written")
        back = read_whole(probe)
        remove(probe)
    except Exception as error:  # an object store's client has errors of its own
        return Finding(name, f"{place}: {type(error).__name__}: {error}", remedy)
    if back != b"written":
        return Finding(name, f"{place}: another content is read than was written", remedy)
    return Finding(name, f"{place}: written, read and deleted in {time.perf_counter() - started:.2f} s")


def _candidates() -> Iterator[Finding]:
    """The same tiny training on every device: those of one kind must make the same of it."""
    trained = {device: _attempt(device) for device in jax.local_devices()}
    results = {device: _result(device, each[0]) for device, each in trained.items() if not isinstance(each, str)}
    made = Counter(results.values())
    for device, each in trained.items():
        name = f"candidate on device {device.id}"
        if isinstance(each, str):
            yield Finding(name, each, _without(device))
            continue
        measurement, compiling = each
        found = f"compiled in {compiling:.1f} s, trained in {measurement.seconds:.2f} s"
        found += f", accuracy {measurement.metrics['accuracy']:.4f}"
        most = max(number for (kind, _), number in made.items() if kind == device.device_kind)
        if made[results[device]] < most:
            yield Finding(name, f"{found}: others of its kind found another", _without(device))
        else:
            yield Finding(name, found)


def _attempt(device: jax.Device) -> tuple[Measurement, float] | str:
    """What `_train` gives, or why it failed."""
    try:
        measurement, compiling = _train(device)
    except jax.errors.JaxRuntimeError as error:
        return str(error).splitlines()[0]
    return (measurement, compiling) if measurement.failure == Failure.NONE else f"failed: {measurement.failure}"


def _result(device: jax.Device, measurement: Measurement) -> tuple[str, tuple[float, ...]]:
    """What must be the same on devices of one kind."""
    return device.device_kind, tuple(measurement.metrics.values())


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
