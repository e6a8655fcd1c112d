"""Published experiments, run again: ``evonas reproduce NAME``."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from evonas.reproductions.outcome import Finding as Finding
from evonas.reproductions.outcome import Outcome as Outcome


class Reproduction(NamedTuple):
    """An experiment by name. Its module has ``Settings``, ``PAPER``, ``run(Settings) -> Outcome``, perhaps ``NOTE``."""

    name: str
    title: str
    needs: str  # options
    time: str  # on 2 CPU cores
    distributed: bool = False  # whether it can run in several processes

    @property
    def module(self) -> Any:
        """The experiment's module, imported when it is needed."""
        return importlib.import_module(f"evonas.reproductions.{self.name}")

    @property
    def note(self) -> str:
        """What a reader should know of the figures; "" for nothing."""
        return getattr(self.module, "NOTE", "")


REPRODUCTIONS = {
    each.name: each
    for each in (
        Reproduction("toy", "the toy problem of regularized evolution, aging against non-aging", "no data", "1 minute"),
        Reproduction(
            "nasbench201",
            "random search, regularized evolution and local search on NAS-Bench-201",
            "--table",
            "20 seconds",
        ),
        Reproduction(
            "nasnet_search",
            "evolution against random search in the NASNet space, on CIFAR-10",
            "CIFAR-10",
            "44 minutes",
            distributed=True,
        ),
        Reproduction("amoebanet", "the retraining of AmoebaNet-A and NASNet-A on CIFAR-10", "CIFAR-10", "14 minutes"),
        Reproduction(
            "recipe",
            "NAS-Bench-201's 12-epoch training of cells of different quality",
            "--table, CIFAR-10",
            "22 minutes",
        ),
    )
}
