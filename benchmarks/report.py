"""How large the report of a long run is, and how long it takes to write.

Regularized evolution, population 100, sample 25, of a function of the genome. Printed: different architectures, and the
size and seconds of their drawings, and of the whole page.

    python benchmarks/report.py [--evaluations 10000] [--space NASBench201]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import evonas
from evonas.description import describe
from evonas.report.drawings import packed_drawings
from evonas.report.report import report
from evonas.report.subject import Subject
from evonas.spaces import Space
from evonas.types import Candidates


def fitness(candidates: Candidates) -> np.ndarray:
    genomes = np.asarray(candidates.genomes)
    return np.sin(genomes @ np.arange(1.0, genomes.shape[1] + 1)) + 0.1 * genomes.mean(1)


def measured(space: Space, evaluations: int) -> Subject:
    algorithm = evonas.regularized_evolution(population_size=100, sample_size=25)
    run = evonas.search(space, algorithm=algorithm, fitness=fitness, evaluations=evaluations)
    config = {"space": describe(space), "data": None, "algorithm": describe(algorithm), "training": None}
    config |= {"evaluations": evaluations, "seed": 0}
    return Subject("runs/long", config, run.evaluations, space, {}, None, [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=10_000)
    parser.add_argument("--space", default="NASBench201", choices=("NASBench201", "NASNet", "MacroCNN"))
    options = parser.parse_args()
    run = measured(getattr(evonas.spaces, options.space)(), options.evaluations)
    start = time.perf_counter()
    drawings = packed_drawings([(run.space, one) for one in run.evaluations])
    drawn = time.perf_counter()
    page = report(run)
    done = time.perf_counter()
    different = len({one.architecture for one in run.evaluations})
    print(f"{options.space}: {options.evaluations:,} evaluations, {different:,} different architectures")
    print(f"drawings  {sum(map(len, drawings['blocks'])) / 1e6:6.1f} MB  {drawn - start:6.1f} s")
    print(f"all       {len(page) / 1e6:6.1f} MB  {done - drawn:6.1f} s, drawings included")


if __name__ == "__main__":
    main()
