"""What LLVM's levels cost and bring: compiling the shared training program, and running it.

The program is compiled at each level in turn; then cells of one operation are trained with each in turn, and the
fastest run counts. CPU seconds are of all threads together.

    python benchmarks/compilation.py --work a --rounds 5

It takes about 2 minutes on 2 CPU cores.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "contestants"))

import jax
import numpy as np
import shared_program
import work

LEVELS = (0, 1, 2, 3)
BATCHES = 20


def timed(function: Callable[[], object]) -> tuple[object, float, float]:
    """The result, the seconds on the wall, and those of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = jax.block_until_ready(function())
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=("a", "b"), default="a")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    given = work.WORKS[options.work]
    given = dataclasses.replace(given, images=BATCHES * given.batch, validation=given.batch)
    train, rest, _ = shared_program.one_device(given)
    lowered, seconds, _ = timed(lambda: jax.jit(train).lower(np.zeros(6, np.int32), *rest))
    print(f"tracing and lowering {seconds:.1f} s")
    programs = {}
    for level in LEVELS:
        options_of_level = {"xla_backend_optimization_level": level}
        programs[level], wall, cpu = timed(lambda given=options_of_level: lowered.compile(given))
        print(f"level {level}: compiled in {wall:.1f} s, {cpu:.1f} CPU seconds", flush=True)
    print(f"{'images/s':10}" + "".join(f"{'level ' + str(level):>10}" for level in LEVELS))
    for name, genome in work.UNIFORM.items():
        best = dict.fromkeys(LEVELS, float("inf"))
        for _ in range(options.rounds):
            for level, program in programs.items():
                run = timed(lambda program=program, genome=genome: program(np.array(genome, np.int32), *rest))
                best[level] = min(best[level], run[1])
        print(f"{name:10}" + "".join(f"{given.images / seconds:10,.0f}" for seconds in best.values()), flush=True)


if __name__ == "__main__":
    main()
