"""What the live view costs a search: by itself, and as the same search with and without it, in turns, in a terminal.

First the CPU milliseconds of a picture, which a thread draws once a second, and of the facts in it, which the search
takes at most once a second, or for a 500th of the time that has passed. Then searches: each is `evonas run
experiments/digits.py` in a pseudo-terminal, with `--quiet` or without, its program compiled before. Two things are
compared, each as the ratio of the medians of all rounds, with the view over without:

- seconds from the first evaluation on disk to the last, which other work on the machine disturbs;
- CPU seconds of the whole process, its start and its result included.

    python benchmarks/live.py --rounds 4 --evaluations 24

This took 13 minutes on 2 cores of an AMD EPYC that others used, too.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from etils import epath
from rich.console import Console

import evonas
from evonas.cli.live import LiveView
from evonas.run import RunLog

DIGITS = Path(__file__).parents[1] / "experiments" / "digits.py"
SIZE = os.terminal_size((110, 40))


def own_cost(evaluations: int = 1000, repeats: int = 50) -> None:
    """Print what a picture and its facts take, of a search of so many evaluations, population 100."""
    console = Console(file=io.StringIO(), force_terminal=True, width=SIZE.columns, height=SIZE.lines)
    view = LiveView(console)
    algorithm = evonas.regularized_evolution(population_size=100, sample_size=25)
    evonas.search(
        evonas.spaces.NASBench201(),
        fitness=lambda candidates: (candidates.genomes == 3).mean(axis=1),
        algorithm=algorithm,
        evaluations=evaluations,
        batch_size=50,
        callbacks=[view],
    )
    for name, call in (("picture", lambda: console.print(view._picture())), ("facts", view._take)):
        started = time.process_time()
        for _ in range(repeats):
            call()
        print(f"{name:14}{1000 * (time.process_time() - started) / repeats:8.2f} CPU ms")


class Cost(NamedTuple):
    wall: float  # seconds from the first evaluation to the last
    cpu: float  # seconds of all threads
    written: int  # bytes to the terminal


def search(workdir: Path, cache: Path, evaluations: int, quiet: bool) -> Cost:
    """A search in a terminal, and what it took."""
    command = [sys.executable, "-m", "evonas", "run", str(DIGITS), "--workdir", str(workdir)]
    command += ["--evaluations", str(evaluations), *(["--quiet"] if quiet else [])]
    size = {"COLUMNS": str(SIZE.columns), "LINES": str(SIZE.lines)}
    environment = os.environ | size | {"JAX_COMPILATION_CACHE_DIR": str(cache), "TERM": "xterm-256color"}
    terminal, its = pty.openpty()
    process = subprocess.Popen(command, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    output = b"".join(iter(lambda: _read(terminal), b""))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    os.close(terminal)
    if process.returncode:
        raise SystemExit(f"the search failed:\n{output.decode(errors='replace')[-2000:]}")
    finished = [evaluation.finished for evaluation in RunLog(epath.Path(workdir / "history"))]
    return Cost(max(finished) - min(finished), used.ru_utime + used.ru_stime, len(output))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux says at its end
        return b""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--evaluations", type=int, default=24)
    options = parser.parse_args()
    own_cost()
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        search(place / "first", place / "cache", 8, quiet=True)
        for number in range(options.rounds):
            for quiet in (True, False) if number % 2 else (False, True):  # neither is always the first
                cost = search(place / f"{number}{quiet}", place / "cache", options.evaluations, quiet)
                costs[quiet].append(cost)
                name = "without" if quiet else "with the view"
                print(f"{name:14}{cost.wall:8.2f} s {cost.cpu:8.2f} CPU s {cost.written:9,} bytes shown", flush=True)
    for name in ("wall", "cpu"):
        seen, quiet = (statistics.median(getattr(cost, name) for cost in costs[key]) for key in (False, True))
        print(f"{name + ' seconds':14}{seen:8.2f} with the view, {quiet:.2f} without: ratio {seen / quiet:.4f}")


if __name__ == "__main__":
    main()
