"""The one place that knows `pmap`: the same program on all local devices, each with arguments of its own."""

from __future__ import annotations

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

    def replicate(self, tree: Any) -> Any:
        """Arrays on every device, with a leading device axis."""

        def copy(array: Any) -> jax.Array:
            one = np.asarray(array)[None]
            shards = [jax.device_put(one, device) for device in self.devices]
            return jax.make_array_from_single_device_arrays((len(self), *one.shape[1:]), self._sharding, shards)

        return jax.tree.map(copy, tree)

    def compile(self, function: Callable, *arguments: Any) -> tuple[Callable, float]:
        """The function compiled for arguments with a leading device axis, and the seconds that took."""
        started = time.perf_counter()
        lowered = jax.pmap(function, axis_name=AXIS, devices=self.devices).lower(*arguments)
        compiled = lowered.compile(compiler_options(self.devices[0].platform))
        return compiled, time.perf_counter() - started

    def run(self, program: Callable, *arguments: Any) -> tuple[Any, np.ndarray]:
        """What a compiled program gives, as NumPy arrays, and the seconds ``[D]`` that each device took."""
        started = time.perf_counter()
        results = program(*arguments)
        shards = {shard.device: shard.data for shard in jax.tree.leaves(results)[0].addressable_shards}

        def finish(device: jax.Device) -> float:
            shards[device].block_until_ready()  # all results of a device are ready at once
            return time.perf_counter() - started

        # A thread each, since they get done in any order.
        with ThreadPoolExecutor(len(self)) as threads:
            seconds = np.array(list(threads.map(finish, self.devices)))
        return jax.tree.map(np.asarray, results), seconds
