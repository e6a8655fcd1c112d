"""Images trained a second once everything is compiled, and how far that is from the machine's best.

Each contestant is a process that trains cells of one operation and some architectures (see `work.py`) for an epoch
again and again, one after another, and measures the accuracy on 64 images after each; the fastest of ``--epochs``
counts, and the median of the rounds, in which contestants take turns. On a CPU each has one core, but for
``evonas-two``: two devices, each with a network, on two cores. ``evonas-masked`` and ``evonas-mapped`` train four
networks at once on one device, under `jax.vmap` and `jax.lax.map`. evonas's time includes fresh weights.

The limit is the best rate of a square matrix product in the same round; the achieved rate counts six operations for
each multiply-add of the network and image: forward, and twice that backward.

    python benchmarks/steady.py --work a --rounds 5
    python benchmarks/steady.py --work b --architectures 100 --epochs 1 --rounds 5
    python benchmarks/steady.py --device gpu --rounds 3

A round of 100 architectures on (b) takes about 7 minutes on a CPU core, one of 8 on (a) less than 2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import work

HERE = Path(__file__).parent
CONTESTANTS = {
    "evonas": ("shared_program.py", "--devices", "1"),
    "evonas-two": ("shared_program.py", "--devices", "2"),
    "evonas-masked": ("shared_program.py", "--devices", "1", "--way", "vmap", "--at_once", "4"),
    "evonas-mapped": ("shared_program.py", "--devices", "1", "--way", "map", "--at_once", "4"),
    "flax": ("flax_loop.py",),
    "pytorch": ("pytorch.py", "--threads", "1"),
    "pytorch-compiled": ("pytorch.py", "--threads", "1", "--compiled", "1"),
}


def run(command: list[str], cache: str, cores: set[int] | None) -> str:
    """A process's last line; it has these cores, or all."""
    pinned = {"preexec_fn": lambda: os.sched_setaffinity(0, cores)} if cores else {}
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": cache}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, **pinned)
    return done.stdout.splitlines()[-1]


def multiply_adds(given: work.Work) -> int:
    """Of one image through the network whose edges are all 3x3 convolutions."""
    import evonas

    space = evonas.spaces.NASBench201(given.channels, given.cells, work.CLASSES, (given.size, given.size, 3))
    return space.count(work.UNIFORM["3x3"]).multiply_adds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--work", choices=work.WORKS, help="by default a, or gpu on a GPU")
    parser.add_argument("--architectures", type=int, default=8)
    parser.add_argument("--images", type=int, help="of an epoch; by default 20 batches")
    parser.add_argument("--epochs", type=int, default=3, help="of which the fastest counts")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=["evonas", "pytorch"])
    parser.add_argument("--json", type=Path, help="file for the figures of all rounds")
    options = parser.parse_args()
    given = work.WORKS[options.work or ("a" if options.device == "cpu" else "gpu")]
    given = dataclasses.replace(
        given,
        images=options.images or 20 * given.batch,
        validation=64,
        architectures=options.architectures,
        precision=options.precision,
    )
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in options.contestants}
    product, products = [sys.executable, str(HERE / "contestants" / "product.py")], []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(options.rounds):
            size = "2048" if options.device == "cpu" else "8192"
            one_core = {0} if options.device == "cpu" else None
            products.append(float(run([*product, size, given.precision], cache, one_core)))
            for name, rounds in rates.items():
                script, *more = CONTESTANTS[name]
                command = [sys.executable, str(HERE / "contestants" / script), json.dumps(dataclasses.asdict(given))]
                more += ["--device", options.device, "--rounds", str(options.epochs)]
                cores = {0, 1} if one_core and name == "evonas-two" else one_core
                rounds.append(json.loads(run([*command, *more], cache, cores)))
                print(name, {cell: round(rounds[-1][cell]) for cell in work.UNIFORM}, file=sys.stderr, flush=True)
    show(rates, given, statistics.median(products))
    if options.json:
        record = {"work": dataclasses.asdict(given), "machine": platform.processor()}
        options.json.write_text(json.dumps(record | {"images_per_second": rates, "product": products}, indent=1))


def show(rates: dict[str, list[dict[str, float]]], given: work.Work, product: float) -> None:
    columns = [*work.UNIFORM, f"mean of {given.architectures}"]
    print(f"{'images/s':18}" + "".join(f"{column:>12}" for column in columns))
    operations = 6 * multiply_adds(given)
    for name, rounds in rates.items():
        median = {cell: statistics.median(each[cell] for each in rounds) for cell in rounds[0]}
        others = [rate for cell, rate in median.items() if cell not in work.UNIFORM]
        # The mean over architectures of the time an image takes.
        numbers = [*(median[cell] for cell in work.UNIFORM), len(others) / sum(1 / rate for rate in others)]
        print(f"{name:18}" + "".join(f"{number:12,.0f}" for number in numbers))
        achieved = median["3x3"] * operations
        print(f"{'':18}3x3: {achieved / 1e9:,.1f} GFLOP/s, {achieved / product:.1%} of a matrix product's", end=" ")
        print(f"{product / 1e9:,.0f}")


if __name__ == "__main__":
    main()
