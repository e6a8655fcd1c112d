"""Evaluations a second of regularized evolution with nothing to train: many repeats, and one candidate at a time.

Population 100, sample 25; the fitness is the sum of the genes. Contestants take turns, in processes of their own, and
the median of the rounds counts; nothing is compiled while the clock runs.

- simulate: `evonas.simulate`, 4,000 repeats of 1,000 evaluations on two CPU devices;
- population: `evonas.Population`, one candidate asked and told at a time, its history kept;
- python: plain Python, one core, nothing kept but the population;
- pyglove: PyGlove's `propose` and `feedback`.

    python benchmarks/simulation.py --rounds 5

Three rounds took 2 minutes on 2 CPU cores. PyGlove comes with ``pip install -e .[benchmarks]``.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "contestants"))

SPACES = {"6 genes of 5": (5,) * 6, "30 genes of 8": (8,) * 30}
POPULATION, SAMPLE = 100, 25


def rate(evaluations: int, work: Callable[[], object]) -> float:
    """Evaluations a second."""
    started = time.perf_counter()
    work()
    return evaluations / (time.perf_counter() - started)


def simulate(cardinalities: tuple[int, ...]) -> float:
    import jax

    jax.config.update("jax_num_cpu_devices", 2)
    from genes import Genes, total

    import evonas

    def run(seed: int) -> object:
        algorithm = evonas.regularized_evolution(POPULATION, SAMPLE)
        return evonas.simulate(Genes(cardinalities), algorithm, total, evaluations=1000, repeats=4000, seed=seed)

    run(0)
    return rate(4_000_000, lambda: run(1))


def population(cardinalities: tuple[int, ...], evaluations: int = 20_000) -> float:
    from genes import Genes

    import evonas

    one = evonas.Population(Genes(cardinalities), evonas.regularized_evolution(POPULATION, SAMPLE))

    def run(n: int) -> None:
        for _ in range(n):
            candidates = one.ask(1)
            one.tell(candidates, candidates.genomes.sum(1))

    run(300)
    return rate(evaluations, lambda: run(evaluations))


def python(cardinalities: tuple[int, ...], evaluations: int = 300_000) -> float:
    import plain_python

    return rate(evaluations, lambda: plain_python.search(cardinalities, sum, evaluations, POPULATION, SAMPLE))


def pyglove(cardinalities: tuple[int, ...], evaluations: int = 500) -> float:
    import pyglove_evolution

    return rate(evaluations, lambda: pyglove_evolution.search(cardinalities, sum, evaluations, POPULATION, SAMPLE))


CONTESTANTS = {run.__name__: run for run in (simulate, population, python, pyglove)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--json", type=Path, help="file for the rates of all rounds")
    parser.add_argument("--one", nargs=2, metavar=("CONTESTANT", "SPACE"), help="run once, in this process")
    options = parser.parse_args()
    if options.one:
        contestant, space = options.one
        print(CONTESTANTS[contestant](SPACES[space]))
        return
    rates: dict[str, dict[str, list[float]]] = {name: {space: [] for space in SPACES} for name in options.contestants}
    for _ in range(options.rounds):
        for space in SPACES:
            for name, measured in rates.items():
                command = [sys.executable, __file__, "--one", name, space]
                measured[space].append(float(subprocess.check_output(command, text=True).splitlines()[-1]))
    print(f"{'evaluations/s':14}" + "".join(f"{space:>16}" for space in SPACES))
    for name, measured in rates.items():
        print(f"{name:14}" + "".join(f"{statistics.median(each):16,.0f}" for each in measured.values()))
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.processor(), "rates": rates}, indent=1))


if __name__ == "__main__":
    main()
