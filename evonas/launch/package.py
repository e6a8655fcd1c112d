"""How evonas comes onto another machine: as the wheel of the sources it runs from, or by its version."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import sys
import urllib.parse
import urllib.request
from typing import NamedTuple

EXTRAS = "evonas[gcs]"


class Package(NamedTuple):
    """What is installed on the machines of a launch.

    Attributes:
        source: directory or wheel on this machine; None: it comes from a package index.
        version: of evonas.
        python: the version of Python that runs it, such as 3.12.
        pins: the versions of what evonas depends on, such as jax==0.10.2.
    """

    source: str | None
    version: str
    python: str
    pins: tuple[str, ...] = ()

    @property
    def wheel(self) -> str | None:
        """The name of the wheel that is uploaded; None if there is none."""
        if self.source is None:
            return None
        if self.source.endswith(".whl"):
            return os.path.basename(self.source)
        return f"evonas-{self.version}-py3-none-any.whl"

    def requirements(self, place: str) -> list[str]:
        """What is installed on a TPU machine, where uploaded files lie in the directory ``place``."""
        evonas = f"{EXTRAS}=={self.version}" if self.wheel is None else f"{EXTRAS} @ file://{place}/{self.wheel}"
        return ["jax[tpu]", evonas, *self.pins]


def installed_package(source: str | None = None) -> Package:
    """The evonas that runs here, with the versions that it runs with: so a slice that is made later has them, too.

    Args:
        source: a wheel, or a directory with the sources, to take instead.

    Raises:
        ValueError: if it was installed from a directory that is no longer there, or the given one is not.
    """
    distribution = importlib.metadata.distribution("evonas")
    # PEP 610: there is a direct_url.json unless it came from a package index.
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if source is None and "url" in origin:
        parts = urllib.parse.urlsplit(origin["url"])
        source = urllib.request.url2pathname(parts.path) if parts.scheme == "file" else origin["url"]
    if source is not None and not os.path.exists(source):
        raise ValueError(f"evonas was installed from {source}, which is not there: give --package, a wheel or a clone")
    python = ".".join(map(str, sys.version_info[:2]))
    return Package(source, distribution.version, python, _pins(distribution.requires or []))


def _pins(requirements: list[str]) -> tuple[str, ...]:
    """The installed version of each, without those of extras."""
    names = [re.split(r"[^-_.A-Za-z0-9]", each)[0] for each in requirements if "extra ==" not in each]
    return tuple(f"{name}=={importlib.metadata.version(name)}" for name in names)
