"""Searches on NAS-Bench-201's table: random search, regularized evolution, local search.

Command:   evonas reproduce nasbench201 --table TABLE
Time:      16 s on 2 CPU cores (AMD EPYC, jax 0.10.2, 2026-11-26)
Expected:  CIFAR-10, validation and test accuracy: random search 90.9 and 93.7 %, regularized evolution (10, 3) 91.2 and
           93.9 %; local search needs 118 evaluations to CIFAR-100's optimum

As its authors do, a search is guided by CIFAR-10's validation accuracy after 12 epochs, of one trial where the table
has several, until 12,000 simulated seconds are spent, and the best cell's results after 200 epochs are reported, on all
three data sets.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from evonas.evolution import Algorithm, local_search, random_search, regularized_evolution
from evonas.evolution.variation import ChangeOne
from evonas.reproductions.outcome import Finding, Line, Outcome, Panel, Published
from evonas.simulate import Clock, simulate
from evonas.spaces import NASBench201
from evonas.tables import NASBench201Table, read_nasbench201

PAPER = "Dong and Yang 2020 (ICLR), Dong et al. 2021 (TPAMI); local search: White et al. 2020 (arXiv 2005.02960)"
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
PARTS = {"validation": "val_acc_200", "test": "test_acc_200"}
RUNS, ROUNDING = 500, 0.005
PUBLISHED = {
    ("random search", "validation"): (90.93, 0.36),
    ("random search", "test"): (93.70, 0.36),
    ("regularized evolution (10, 3)", "validation"): (91.19, 0.31),
    ("regularized evolution (10, 3)", "test"): (93.92, 0.30),
}
"""Mean and deviation of 500 runs on CIFAR-10. The script that made them has samples of 3."""
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
    """Simulated budget of each search."""
    seed: int = 0
    """Of all randomness."""


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
    findings: list[Finding] = []
    lines: dict[str, list[Line]] = {dataset: [] for dataset in DATASETS}
    for name, algorithm in algorithms().items():
        curves = _curves(settings, table, algorithm)
        made = np.isfinite(curves[..., 0]).sum(1)
        final = curves[np.arange(len(curves)), made - 1]
        for place, (dataset, part) in enumerate((dataset, part) for dataset in DATASETS for part in PARTS):
            published = _published(name, part) if dataset == "cifar10" else None
            findings.append(Finding.of(f"{dataset}, {name}, {part} accuracy", final[:, place], published))
            if part == "test":
                lines[dataset].append(_line(name, curves[:, : made.min(), place]))
        findings.append(Finding.of(f"{name}, evaluations", made))
    findings.append(_climbing(settings, table))
    axes = "evaluations", "test accuracy of the best, %"
    panels = tuple(Panel(dataset, *axes, tuple(lines[dataset]), log_x=True) for dataset in DATASETS)
    return Outcome("nasbench201", PAPER, tuple(findings), panels)


def _published(name: str, part: str) -> Published | None:
    if (name, part) not in PUBLISHED:
        return None
    mean, deviation = PUBLISHED[name, part]
    return Published(mean, deviation, RUNS, ROUNDING, f"{mean:.2f} +- {deviation:.2f}")


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
    return Finding.of("cifar100, local search, evaluations to the optimum", needed, LOCAL_SEARCH, remark)


def _line(name: str, curves: np.ndarray) -> Line:
    error = curves.std(0, ddof=1) / np.sqrt(len(curves))
    return Line(name, list(range(1, curves.shape[1] + 1)), curves.mean(0).tolist(), error.tolist())
