"""Where a training step's time goes on one CPU core: seconds by kind of operation, for cells of one operation.

The shared program is compiled for one device and traced by `jax.profiler` while it trains 20 batches; what each of its
operations is, its own text tells. The last row is the arithmetic of the network's convolutions and products at the
rate of a 2048 x 2048 matrix product in the same process: what would remain if all else were free.

    python benchmarks/operations.py --work b --cells 3x3 skip

It takes about a minute on 2 CPU cores.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "contestants"))

import jax
import numpy as np
import product
import shared_program
import work

BATCHES = 20
KINDS = {
    "weights and order": r"truncated_normal|shuffle|threefry|random_bits",
    "convolutions": r"conv_general_dilated$",
    "matrix products": r"dot_general$",
    "sums of channels": r"reduce_sum$",
    "points of tiles, padding, neighbours": r"(stack|pad|concatenate|transpose|slice|squeeze|reshape)\w*$",
    "copies": r"^copy$",
}
"""The first whose pattern is found in what an operation is called; all others are additions and the like."""
REST = "elementwise"
CONTROL = "while", "conditional", "call", "tuple", "parameter"


def operations(program: str) -> dict[str, str]:
    """What each operation of a compiled program's text does, by its name."""
    found = {}
    for line in program.splitlines():
        if match := re.match(r"\s+(?:ROOT )?%?([\w.\-]+) = .*?[\])}] ([\w\-]+)\(", line):
            name, operation = match.groups()
            origin = re.search(r'op_name="([^"]*)"', line)
            if operation not in CONTROL:
                found[name] = operation if operation == "copy" or not origin else origin[1]
    return found


def kind_of(called: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, called)), REST)


def events(folder: str) -> Iterator[tuple[str, float]]:
    """Names and seconds of all that was traced."""
    (file,) = Path(folder).rglob("*.xplane.pb")
    for plane in jax.profiler.ProfileData.from_file(str(file)).planes:
        for line in plane.lines:
            yield from ((event.name, event.duration_ns / 1e9) for event in line.events)


def main() -> None:
    from evonas.training.parallel import compiler_options

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=("a", "b"), default="b")
    parser.add_argument("--cells", nargs="+", choices=work.UNIFORM, default=["3x3", "skip"])
    options = parser.parse_args()
    os.sched_setaffinity(0, {0})
    given = work.WORKS[options.work]
    given = dataclasses.replace(given, images=BATCHES * given.batch, validation=given.batch)
    train, rest, space = shared_program.one_device(given)
    program = jax.jit(train).lower(np.zeros(6, np.int32), *rest).compile(compiler_options("cpu"))
    called = operations(program.as_text())
    limit = product.rate()
    columns = {}
    for cell in options.cells:
        genome = np.array(work.UNIFORM[cell], np.int32)
        jax.block_until_ready(program(genome, *rest))
        with tempfile.TemporaryDirectory() as folder:
            with jax.profiler.trace(folder):
                jax.block_until_ready(program(genome, *rest))
            seconds: collections.Counter[str] = collections.Counter()
            for name, duration in events(folder):
                if name in called:
                    seconds[kind_of(called[name])] += duration
        columns[cell] = seconds
        columns[cell]["all"] = seconds.total()
        columns[cell]["limit"] = 6 * space.count(genome).multiply_adds * given.images / limit
    print(f"{'ms a step':38}" + "".join(f"{cell:>8}" for cell in columns))
    for kind in (*KINDS, REST, "all", "limit"):
        print(f"{kind:38}" + "".join(f"{1e3 * seconds[kind] / BATCHES:8.1f}" for seconds in columns.values()))


if __name__ == "__main__":
    main()
