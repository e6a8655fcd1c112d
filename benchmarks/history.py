"""What a long search costs beside the evaluations: time and memory of `evonas.Population` as its history grows.

Regularized evolution, population 100, sample 25, one candidate asked and told at a time. Printed after each tenth part:
evaluations a second of that part, and bytes a record since the start, by the process's resident memory.

    python benchmarks/history.py --evaluations 1000000 [--novelty]

300,000 evaluations took half a minute on 2 cores of an AMD EPYC (2026-11-25).
With ``--novelty`` the tournament weighs the novelty of all 100 members.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "contestants"))

from genes import Genes

import evonas


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--genes", type=int, default=6)
    parser.add_argument("--choices", type=int, default=5)
    parser.add_argument("--novelty", action="store_true")
    options = parser.parse_args()
    score = evonas.scores.FitnessAndNovelty() if options.novelty else evonas.scores.Fitness()
    algorithm = evonas.regularized_evolution(100, 25, score=score)
    population = evonas.Population(Genes((options.choices,) * options.genes), algorithm)

    def run(evaluations: int) -> float:
        started = time.perf_counter()
        for _ in range(evaluations):
            candidates = population.ask(1)
            population.tell(candidates, candidates.genomes.sum(1))
        return evaluations / (time.perf_counter() - started)

    print(f"{'evaluations':>12} {'a second':>10} {'bytes a record':>15}")
    run(1000)
    start = resident_bytes()
    for _ in range(10):
        rate = run(options.evaluations // 10)
        told = population.evaluations - 1000
        print(f"{population.evaluations:12,} {rate:10,.0f} {(resident_bytes() - start) / told:15.0f}", flush=True)


if __name__ == "__main__":
    main()
