"""Seconds and memory of fronts, ranks, novelty and a generation of NSGA-II on very many individuals.

Compiled first; the fastest of the rounds counts. Memory is the most that the process ever held beyond what it held
before, so each row is a process of its own.

    python benchmarks/large_populations.py --individuals 100000
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "contestants"))

import jax
import jax.numpy as jnp
import numpy as np


def normal(individuals: int, objectives: int) -> jax.Array:
    return jax.random.normal(jax.random.key(0), (individuals, objectives))


def front(individuals: int, objectives: int) -> Callable[[], object]:
    from evonas.evolution import pareto_front

    fitness = np.asarray(normal(individuals, objectives))
    return lambda: pareto_front(fitness)


def ranks(individuals: int, objectives: int) -> Callable[[], object]:
    from evonas.evolution.pareto import pareto_rank

    fitness, rank = normal(individuals, objectives), jax.jit(pareto_rank)
    return lambda: rank(fitness)


def survivors(individuals: int, objectives: int) -> Callable[[], object]:
    from evonas.evolution.pareto import crowded_survivors

    fitness, ids = normal(individuals, objectives), jnp.arange(individuals)
    survive = jax.jit(lambda fitness, ids: crowded_survivors(fitness, ids, individuals // 2))
    return lambda: survive(fitness, ids)


def novelty(individuals: int, objectives: int) -> Callable[[], object]:
    from evonas import evolution
    from evonas.evolution.state import Members

    genomes = jax.random.randint(jax.random.key(0), (individuals, 6), 0, 5)
    members = Members(jnp.arange(individuals), genomes, genomes, normal(individuals, objectives))
    measure = jax.jit(lambda members: evolution.novelty(members, evolution.Hamming(), 5))
    return lambda: measure(members)


def generation(individuals: int, objectives: int) -> Callable[[], object]:
    """Half are members and half children: they are proposed, told and selected."""
    from genes import Genes

    import evonas

    half = individuals // 2
    population = evonas.Population(Genes((8,) * 30), evonas.nsga2(half))

    def run() -> None:
        candidates = population.ask(half)
        parts = np.array_split(candidates.genomes, objectives, axis=1)
        population.tell(candidates, np.stack([part.sum(1) for part in parts], axis=1))

    run()
    return run


ROWS = [
    *((work, objectives) for work in (front, ranks, survivors) for objectives in (2, 3)),
    (novelty, 1),
    (generation, 2),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--individuals", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--row", type=int, help="run one row, in this process")
    options = parser.parse_args()
    if options.row is None:
        print(f"{'of ' + format(options.individuals, ','):14} {'objectives':>10} {'seconds':>9} {'MiB':>7}")
        for row, (work, objectives) in enumerate(ROWS):
            print(f"{work.__name__:14} {objectives:10}", end=" ", flush=True)
            subprocess.run([sys.executable, *sys.argv, "--row", str(row)], check=True)
        return
    work, objectives = ROWS[options.row]
    jax.block_until_ready(work(1000, objectives)())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run, seconds = work(options.individuals, objectives), []
    for _ in range(options.rounds + 1):
        started = time.perf_counter()
        jax.block_until_ready(run())
        seconds.append(time.perf_counter() - started)
    held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{min(seconds[1:]):9.2f} {held:7.0f}")


if __name__ == "__main__":
    main()
