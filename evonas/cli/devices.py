"""JAX's settings for a process of the command line, made before its first computation."""

from __future__ import annotations

import os

import jax

from evonas.arguments import require_integer

CACHE_BYTES = 2 * 1024**3


def prepare_jax(cpu_devices: int | None = None) -> None:
    """Let CPU cores be devices, and keep compiled programs between processes.

    Both are JAX's global settings, so a library must not touch them and a command may. ``XLA_FLAGS``,
    ``JAX_NUM_CPU_DEVICES`` and ``JAX_COMPILATION_CACHE_DIR``, where set, are left alone.

    Args:
        cpu_devices: how many; by default the number of cores. Without effect on GPU and TPU.

    Raises:
        ValueError: if the number is not positive, or JAX is in use already.
    """
    if cpu_devices is not None:
        require_integer("cpu-devices", cpu_devices)
    if "JAX_NUM_CPU_DEVICES" not in os.environ and "device_count" not in os.environ.get("XLA_FLAGS", ""):
        _set_cpu_devices(cpu_devices or _cores())
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", cache_directory())
        jax.config.update("jax_compilation_cache_max_size", CACHE_BYTES)


def spare_accelerators() -> None:
    """Let this process compute on the CPU alone: one that shows a run must not take the devices that it trains on."""
    jax.config.update("jax_platforms", "cpu")


def _set_cpu_devices(number: int) -> None:
    if jax.config.jax_num_cpu_devices == number:  # type: ignore[attr-defined]
        return
    try:
        jax.config.update("jax_num_cpu_devices", number)
    except RuntimeError as error:
        raise ValueError(
            f"the experiment file computes with JAX, so that --cpu-devices {number} comes too late: set the "
            f"environment variable JAX_NUM_CPU_DEVICES={number} instead"
        ) from error


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cache_directory() -> str:
    """Where compiled programs are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "evonas", "jax")
