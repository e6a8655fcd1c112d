"""A process that searches NAS-Bench-201 with a real population and a real history, and one that resumes it.

Settings are read from standard input, and figures printed, as JSON. Fitness comes from a table, and no time passes
while a candidate is trained: what is measured is what Python takes, and what is kept.

    echo '{"evaluations": 20000, "batch": 64, "directory": "DIR"}' | python benchmarks/fleet/search.py run
    echo '{"evaluations": 20000, "batch": 64, "directory": "DIR"}' | python benchmarks/fleet/search.py resume
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from etils import epath

import evonas
from evonas.run.function import FunctionEvaluator
from evonas.run.log import Evaluation, RunLog
from evonas.run.loop import Run, search_loop
from evonas.types import Candidates, Measurement

PARTS = ("ask", "write", "tell")
"""What Python does for an evaluation; to write is to make the record, its text included, and to append it."""

BEST = 16
"""A search has arrived when it has found one of so many best architectures, a thousandth of the space."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of a search.

    Attributes:
        evaluations: to do.
        batch: asked for, appended and told at once.
        population: members of the population.
        directory: of the history; None keeps no history.
        order: None tells each batch before the next is asked for. Or ids in the order of telling, asked for and told
            one at a time.
        pending: candidates that are out meanwhile, with an order.
        table: file of NAS-Bench-201; None for a landscape that is drawn.
    """

    evaluations: int
    batch: int = 1
    population: int = 100
    directory: str | None = None
    order: list[int] | None = None
    pending: int = 1
    table: str | None = None


def landscape(cardinalities: tuple[int, ...], neighbours: int = 2, seed: int = 0) -> np.ndarray:
    """Kauffman's NK landscape: each gene adds a number drawn for it and its next genes; a number for each genome."""
    genomes = np.stack(np.unravel_index(np.arange(math.prod(cardinalities)), cardinalities), axis=1)
    random, total = np.random.default_rng(seed), np.zeros(len(genomes))
    for gene in range(len(cardinalities)):
        seen = [(gene + step) % len(cardinalities) for step in range(neighbours + 1)]
        numbers = random.random([cardinalities[place] for place in seen])
        total += numbers[tuple(genomes[:, seen].T)]
    return (total / len(cardinalities)).astype(np.float32)


class Search:
    """A population, its history, and what they take.

    Args:
        settings: of the search.
    """

    def __init__(self, settings: Settings):
        self.settings, self.space = settings, evonas.spaces.NASBench201()
        self.population = evonas.Population(self.space, evonas.regularized_evolution(settings.population, 25))
        table = settings.table and evonas.tables.nasbench201(settings.table, "val_acc_12")
        self.table = landscape(self.space.cardinalities) if table is None else np.asarray(table)
        self.seconds: dict[str, list[float]] = {part: [] for part in PARTS}  # of each batch

    def fitness(self, candidates: Candidates) -> np.ndarray:
        """Looked up: ``[N]``."""
        return self.table[np.ravel_multi_index(np.asarray(candidates.genomes).T, self.space.cardinalities)]

    def run(self) -> dict[str, Any]:
        """Search until the budget is spent; what it took, and what it found."""
        settings, resident = self.settings, []
        log = None if settings.directory is None else RunLog(epath.Path(settings.directory))
        for candidates in self._in_batches() if settings.order is None else self._in_order(settings.order):
            fitness = self.fitness(candidates)
            if log is not None:
                with self._measured("write"):
                    log.append(self._records(candidates, fitness))
            with self._measured("tell"):
                self.population.tell(candidates, fitness)
            if len(self.seconds["tell"]) % max(1, 1000 // settings.batch) == 0:
                resident.append((self.population.evaluations, resident_bytes()))
        return {
            "milliseconds": {part: self._milliseconds(seconds) for part, seconds in self.seconds.items() if seconds},
            "bytes": slope(resident[len(resident) // 10 :]),
            "best": float(self.population.best.fitness[0]),
            "arrived": self._arrived(),
        }

    def _in_batches(self) -> Iterator[Candidates]:
        while self.population.evaluations < self.settings.evaluations:
            with self._measured("ask"):
                candidates = self.population.ask(self.settings.batch)
            yield candidates[: self.settings.evaluations - self.population.evaluations]

    def _in_order(self, order: list[int]) -> Iterator[Candidates]:
        out: dict[int, Candidates] = {}
        for number in [*[None] * min(self.settings.pending, len(order)), *order]:
            if number is not None:
                yield out.pop(number)
            if self.population.evaluations + len(out) < len(order):
                with self._measured("ask"):
                    candidates = self.population.ask(1)
                out[int(candidates.ids[0])] = candidates

    def _records(self, candidates: Candidates, fitness: np.ndarray) -> list[Evaluation]:
        """As the search's own loop makes them, with the metrics of a training."""
        return [
            Evaluation(
                id=int(candidates.ids[row]),
                genome=tuple(int(gene) for gene in candidates.genomes[row]),
                architecture=self.space.format(candidates.genomes[row]),
                parents=tuple(int(parent) for parent in candidates.parents[row]),
                measurement=Measurement(
                    (float(fitness[row]),), {"accuracy": float(fitness[row]), "epochs": 12.0}, seconds=60.25
                ),
                finished=time.time(),
            )
            for row in range(len(candidates))
        ]

    @contextlib.contextmanager
    def _measured(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[part].append(time.perf_counter() - started)

    def _milliseconds(self, seconds: list[float]) -> tuple[float, float, float]:
        """Of an evaluation: over all, in the first tenth, in the last. Without what compiles, and the rest of a batch.

        Compiled are programs for a batch, and for the diversity of a full population.
        """
        batch, population = self.settings.batch, self.settings.population
        full = seconds[max(2, math.ceil(5 * population / batch)) : self.settings.evaluations // batch]
        tenth = max(1, len(full) // 10)
        return tuple(1000 * float(np.mean(part)) / batch for part in (full, full[:tenth], full[-tenth:]))

    def _arrived(self) -> int | None:
        """Evaluations until one of the space's best was told."""
        good = np.flatnonzero(self.population.history.fitness[:, 0] >= np.sort(self.table)[-BEST])
        return int(good[0]) + 1 if good.size else None


def resume(settings: Settings) -> dict[str, Any]:
    """Read the history and go through the search again, as a run that was interrupted does; and one batch more."""
    before, started = resident_bytes(), time.perf_counter()
    log = RunLog(epath.Path(settings.directory))
    read, known = time.perf_counter(), len(log)
    held = resident_bytes() - before
    search = Search(settings)
    run = Run(search.population, log, FunctionEvaluator(search.fitness), known)
    search_loop(run, batch_size=settings.batch, reuse_repeats=False)
    told = time.perf_counter()
    run.budget += settings.batch
    search_loop(run, batch_size=settings.batch, reuse_repeats=False)
    return {
        "evaluations": known,
        "read": read - started,
        "replay": told - read,
        "bytes": held / known,
        "went on": len(log) - known,
    }


def slope(points: list[tuple[int, int]]) -> float | None:
    """Of a line through the points."""
    return float(np.polyfit(*np.array(points, float).T, 1)[0]) if len(points) > 1 else None


def resident_bytes() -> int:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    way, settings = sys.argv[1], Settings(**json.load(sys.stdin))
    print(json.dumps(Search(settings).run() if way == "run" else resume(settings)))


if __name__ == "__main__":
    main()
