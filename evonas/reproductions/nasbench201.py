"""Searches on NAS-Bench-201's table: random search, regularized evolution, local search.

Command:   evonas reproduce nasbench201 --table TABLE
Time:      9 s on 2 CPU cores (AMD EPYC, jax 0.10.2, 2026-11-26)
Expected:  CIFAR-10, validation and test accuracy: random search 90.9 and 93.7 %, regularized evolution (10, 3) 91.2 and
           93.9 %; local search needs 118 evaluations to CIFAR-100's optimum

As its authors do, a search is guided by CIFAR-10's validation accuracy after 12 epochs, of one trial where the table
has several, until 12,000 simulated seconds are spent, and the best cell's results after 200 epochs are reported, on all
three data sets.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from evonas.arguments import require_integer
from evonas.evolution import Algorithm, local_search, random_search, regularized_evolution
from evonas.evolution.variation import ChangeOne
from evonas.reproductions.outcome import Finding, Line, Outcome, Panel, Published
from evonas.simulate import Clock, simulate
from evonas.spaces import NASBench201
from evonas.tables import NASBench201Table, read_nasbench201

PAPER = "Dong and Yang 2020 (ICLR), Dong et al. 2021 (TPAMI); local search: White et al. 2020 (arXiv 2005.02960)"
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
PARTS = {"validation": "val_acc_200", "test": "test_acc_200"}
NOTE = (
    "12,000 seconds are about 105 evaluations, in which a population of 100 is hardly beyond its founders: (100, 25), "
    "Real et al.'s, is nearly random search here. In the picture a repeat that has spent its seconds keeps its best. "
    "Each evaluation draws one of a cell's 12-epoch trials where the table has them; of their mean alone there is no "
    "such noise. The deviation and repeats of the published 127 are not printed: ours, and the 200 runs that the paper "
    "speaks of, make its band."
)
RUNS, ROUNDING = 500, 0.005
PUBLISHED = {
    ("random search", "validation"): (90.93, 0.36),
    ("random search", "test"): (93.70, 0.36),
    ("regularized evolution (10, 3)", "validation"): (91.19, 0.31),
    ("regularized evolution (10, 3)", "test"): (93.92, 0.30),
}
"""Mean and deviation of 500 runs on CIFAR-10. The script that made them has samples of 3."""
SHARED = 10
"""Founders that all algorithms have in common: the lines of the picture part there."""
LOCAL_SEARCH = Published(127, 50, 200, 0.5, "127")
"""Deviation and repeats are not printed: ours, and the number of runs that the paper speaks of, are taken."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The comparison's settings."""

    table: str
    """NAS-Bench-201's results, in any form with 12- and 200-epoch accuracies that `evonas.tables` reads."""
    repeats: int = 500
    """Independent searches of each algorithm."""
    seconds: float = 12_000
    """Simulated seconds that each search may spend."""
    seed: int = 0
    """All randomness comes from it."""
    workdir: str = "runs/nasbench201"
    """Where outcome and picture are written."""


def algorithms() -> dict[str, Algorithm]:
    """By the names of the report: the script's setting, that of its successor's paper, and that of Real et al."""
    settings = {"(10, 3)": (10, 3), "(10, 10)": (10, 10), "(100, 25)": (100, 25)}
    evolution = {
        f"regularized evolution {name}": regularized_evolution(population, sample, ChangeOne())
        for name, (population, sample) in settings.items()
    }
    return {"random search": random_search()} | evolution


def run(settings: Settings) -> Outcome:
    """Accuracy of the best by 12-epoch validation accuracy, after a budget of simulated seconds."""
    table = read_nasbench201(settings.table)
    _check(settings, table.seconds("cifar10", epochs=12))
    curves = {name: _curves(settings, table, algorithm) for name, algorithm in algorithms().items()}
    made = {name: np.isfinite(curve[..., 0]).sum(1) for name, curve in curves.items()}
    held = {name: _held(curve, made[name]) for name, curve in curves.items()}
    findings, panels = [], []
    for place, (dataset, part) in enumerate((dataset, part) for dataset in DATASETS for part in PARTS):
        published = _published(dataset, part, settings)
        for name, curve in held.items():
            quantity = f"{dataset}, {part} accuracy, {name}"
            findings.append(Finding.of(quantity, curve[:, -1, place], published.get(name)))
        if part == "test":
            lines = tuple(Line.of(name, curve[..., place], min(SHARED, curve.shape[1])) for name, curve in held.items())
            ends = tuple((float(made[name].mean()), each.mean) for name, each in published.items())
            panels.append(Panel(dataset, "evaluations", "test accuracy of the best, %", lines, ends))
    findings += [Finding.of(f"evaluations, {name}", count) for name, count in made.items()]
    findings.append(_climbing(settings, table))
    return Outcome("nasbench201", PAPER, tuple(findings), tuple(panels))


def _check(settings: Settings, seconds: np.ndarray) -> None:
    require_integer("repeats", settings.repeats)
    if not settings.seconds > (longest := float(seconds.max())):
        raise ValueError(
            f"seconds is a budget for more than the longest training, of {longest:.0f}: got {settings.seconds}"
        )


def _published(dataset: str, part: str, settings: Settings) -> dict[str, Published]:
    """By algorithm; nothing where the budget is another."""
    if dataset != "cifar10" or settings.seconds != Settings.seconds:
        return {}
    return {
        name: Published(mean, deviation, RUNS, ROUNDING, f"{mean:.2f} +- {deviation:.2f}")
        for (name, of), (mean, deviation) in PUBLISHED.items()
        if of == part
    }


def _curves(settings: Settings, table: NASBench201Table, algorithm: Algorithm) -> np.ndarray:
    """Accuracies of the best so far ``[repeats, evaluations, 6]``, NaN once the seconds are spent."""
    seconds = table.seconds("cifar10", epochs=12)
    return simulate(
        *(NASBench201(), algorithm, table.column("val_acc_12", trials=True)),
        evaluations=int(settings.seconds / np.sort(seconds)[: int(len(seconds) * 0.02)].mean()),
        repeats=settings.repeats,
        seed=settings.seed,
        reported=tuple(table.column(column, dataset) for dataset in DATASETS for column in PARTS.values()),
        clock=Clock(seconds, settings.seconds),
    )


def _held(curves: np.ndarray, made: np.ndarray) -> np.ndarray:
    """The curves up to the longest repeat's end, the others at their last value from their own end on."""
    places = np.minimum(np.arange(made.max()), made[:, None] - 1)
    return curves[np.arange(len(curves))[:, None], places]


def _climbing(settings: Settings, table: NASBench201Table) -> Finding:
    """Evaluations that local search needs for the best cell of CIFAR-100 by validation accuracy.

    Raises:
        RuntimeError: if a search does not find it.
    """
    validation = table.column("val_acc_200", "cifar100")
    curves = simulate(
        *(NASBench201(), local_search(), validation),
        evaluations=4000,
        repeats=settings.repeats,
        seed=settings.seed,
    )
    if not (curves[:, -1] == validation.max()).all():
        raise RuntimeError("a local search has not found the best of CIFAR-100 in 4,000 evaluations")
    needed = (curves < validation.max()).sum(1) + 1
    remark = "One random beginning, then all neighbours of the best; the paper does not say how its count was made."
    return Finding.of("cifar100, evaluations to the optimum, local search", needed, LOCAL_SEARCH, remark)
