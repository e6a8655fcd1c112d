"""What the name of a TPU slice says: ``v4-32`` has 16 chips, ``v5litepod-16`` has 16, too."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class _Generation:
    """One generation of TPUs.

    Attributes:
        cores_counted: TensorCores of a chip that the number in a slice's name counts; 1 where it counts chips.
        devices: JAX devices that a chip is.
        runtime: the software version of its machines.
    """

    cores_counted: int
    devices: int
    runtime: str


# https://cloud.google.com/tpu/docs/runtimes and the page of each generation there. From v4 on, the two cores of a chip
# are one device.
GENERATIONS = {
    "v2": _Generation(2, 2, "tpu-ubuntu2204-base"),
    "v3": _Generation(2, 2, "tpu-ubuntu2204-base"),
    "v4": _Generation(2, 1, "tpu-ubuntu2204-base"),
    "v5litepod": _Generation(1, 1, "v2-alpha-tpuv5-lite"),
    "v5p": _Generation(2, 1, "v2-alpha-tpuv5"),
    "v6e": _Generation(1, 1, "v2-alpha-tpuv6e"),
}


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """A kind of TPU slice, such as ``v4-32``.

    Attributes:
        type: its name, as `gcloud compute tpus accelerator-types list` shows it.

    Raises:
        ValueError: if it is no such name.
    """

    type: str

    def __post_init__(self) -> None:
        match = re.fullmatch(r"([a-z0-9]+)-([1-9][0-9]*)", self.type)
        if match is None or match[1] not in GENERATIONS:
            known = ", ".join(f"{name}-N" for name in GENERATIONS)
            raise ValueError(f"a type of slice is one of {known}, such as v4-32; got {self.type!r}")
        if int(match[2]) % self._generation.cores_counted:
            raise ValueError(f"{self.type}: the number counts cores, two a chip, and must be even")

    @property
    def chips(self) -> int:
        """What is paid for."""
        return int(self.type.partition("-")[2]) // self._generation.cores_counted

    @property
    def devices(self) -> int:
        """What trains a candidate each, at the same time."""
        return self.chips * self._generation.devices

    @property
    def runtime_version(self) -> str:
        """The software version that Google recommends for JAX."""
        return self._generation.runtime

    @property
    def _generation(self) -> _Generation:
        return GENERATIONS[self.type.partition("-")[0]]
