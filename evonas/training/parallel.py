"""The one place that knows `pmap`: the same program on all local devices, each with arguments of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "candidates"


def compiler_options(platform: str) -> dict[str, Any]:
    """What XLA is asked for on a platform.

    On a CPU convolutions and matrix products are calls of libraries, and the rest is as fast at LLVM's first level as
    at its third, which takes longer to compile (`benchmarks/compilation.py`); where JAX is told to optimise little,
    that stands. On a GPU sums in an order that changes from run to run are excluded, since a candidate has one result;
    and matrix products are cuBLAS's: where Triton fuses what comes before them, XLA ends the process at `NASNet`'s
    shared network (openxla/xla issue 47381).
    """
    if platform == "gpu":
        return {"xla_gpu_exclude_nondeterministic_ops": True, "xla_gpu_enable_triton_gemm": False}
    if platform == "cpu" and not jax.config.read("jax_disable_most_optimizations"):
        return {"xla_backend_optimization_level": 1}
    return {}


def is_out_of_memory(error: jax.errors.JaxRuntimeError) -> bool:
    """Whether a compilation or a run failed for want of memory."""
    return "RESOURCE_EXHAUSTED" in str(error)


def memory_of(device: jax.Device) -> int | None:
    """Bytes of memory, of a CPU device the whole machine's; None where nobody tells."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is None and device.platform == "cpu" and hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return limit


class Devices:
    """Devices in one process that each train a candidate at a time.

    Args:
        devices: by default all local ones.
    """

    def __init__(self, devices: Sequence[jax.Device] | None = None):
        self.devices = list(devices or jax.local_devices())
        self._sharding = NamedSharding(Mesh(np.array(self.devices), (AXIS,)), PartitionSpec(AXIS))

    def __len__(self) -> int:
        return len(self.devices)

    @property
    def places(self) -> list[int]:
        """Of each device among those of all processes."""
        return [jax.devices().index(device) for device in self.devices]

    def replicate(self, tree: Any) -> Any:
        """Arrays on every device, with a leading device axis."""

        def copy(array: Any) -> jax.Array:
            one = np.asarray(array)[None]
            shards = [jax.device_put(one, device) for device in self.devices]
            return jax.make_array_from_single_device_arrays((len(self), *one.shape[1:]), self._sharding, shards)

        return jax.tree.map(copy, tree)

    def has_room(self, program: Any) -> bool:
        """Whether a compiled program fits the devices' memory by what XLA says that it needs, as far as that is known.

        Simulated devices share that of the machine.
        """
        needs = program.memory_analysis()
        limits = [limit for device in self.devices if (limit := memory_of(device)) is not None]
        if needs is None or not limits:
            return True
        each = needs.argument_size_in_bytes + needs.temp_size_in_bytes
        each += needs.output_size_in_bytes - needs.alias_size_in_bytes
        sharing = len(self) if self.devices[0].platform == "cpu" else 1
        return each * sharing <= min(limits)

    def zeros(self, shapes: Any) -> Any:
        """Zeros of these shapes on every device, with a leading device axis."""
        return self.replicate(jax.tree.map(lambda shape: np.zeros(shape.shape, shape.dtype), shapes))

    def take(self, tree: Any, device: int) -> Any:
        """What one device has of arrays with a leading device axis, as NumPy arrays without it."""
        return jax.tree.map(lambda array: np.array(self._shards(array)[device])[0], tree)

    def put(self, tree: Any, device: int, values: Any) -> Any:
        """The arrays, with other values on one device."""

        def replace(array: jax.Array, value: Any) -> jax.Array:
            shards = self._shards(array)
            shards[device] = jax.device_put(np.asarray(value)[None], self.devices[device])
            return jax.make_array_from_single_device_arrays(array.shape, array.sharding, shards)

        return jax.tree.map(replace, tree, values)

    def compile(self, function: Callable, *arguments: Any) -> tuple[Callable, float]:
        """The function compiled for arguments with a leading device axis, or their shapes, and the seconds that took.

        It takes the memory of its first argument for its results.
        """
        started = time.perf_counter()
        if jax.process_count() > 1:  # then it needs arrays
            arguments = jax.tree.map(self._array_of, arguments)
        lowered = jax.pmap(function, axis_name=AXIS, devices=self.devices, donate_argnums=0).lower(*arguments)
        compiled = lowered.compile(compiler_options(self.devices[0].platform))
        return compiled, time.perf_counter() - started

    def _array_of(self, shape: Any) -> Any:
        return (
            jax.device_put(np.zeros(shape.shape, shape.dtype), self._sharding)
            if isinstance(shape, jax.ShapeDtypeStruct)
            else shape
        )

    def run(self, program: Callable, *arguments: Any) -> tuple[Any, np.ndarray]:
        """What a compiled program gives, and the seconds ``[D]`` that each device took."""
        started = time.perf_counter()
        results = program(*arguments)

        def finish(shard: jax.Array) -> float:
            shard.block_until_ready()  # all results of a device are ready at once
            return time.perf_counter() - started

        # A thread each, since they get done in any order.
        with ThreadPoolExecutor(len(self)) as threads:
            return results, np.array(list(threads.map(finish, self._shards(jax.tree.leaves(results)[0]))))

    def _shards(self, array: jax.Array) -> list[jax.Array]:
        """By device."""
        found = {shard.device: shard.data for shard in array.addressable_shards}
        return [found[device] for device in self.devices]
