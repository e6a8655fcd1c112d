"""Seconds from the start of a process: to `import evonas`, and to `make search`'s first trained candidate.

The search is started with an empty compilation cache, stopped at its first evaluation on disk, and started again in
another workdir with the cache that it left. The median of the rounds counts.

    python benchmarks/startup.py --rounds 5

Three rounds took about a minute on 2 CPU cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DIGITS = Path(__file__).parents[1] / "experiments" / "digits.py"


def seconds_of(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def first_candidate(workdir: Path, cache: Path) -> float:
    """Seconds until a search has its first evaluation on disk."""
    command = [sys.executable, "-m", "evonas", "run", DIGITS, "--workdir", workdir]
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)}, stdout=subprocess.DEVNULL
    ) as search:
        while not (workdir / "history").is_dir() or not any((workdir / "history").iterdir()):
            if search.poll() is not None:
                raise SystemExit("the search ended without a candidate")
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        search.kill()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            for name, value in (
                ("python itself", seconds_of("pass")),
                ("import jax", seconds_of("import jax")),
                ("import evonas", seconds_of("import evonas")),
                ("first candidate, nothing compiled", first_candidate(place / "cold", place / "cache")),
                ("first candidate, compiled before", first_candidate(place / "warm", place / "cache")),
            ):
                seconds.setdefault(name, []).append(value)
    for name, values in seconds.items():
        print(f"{name:36}{statistics.median(values):8.2f} s")


if __name__ == "__main__":
    main()
