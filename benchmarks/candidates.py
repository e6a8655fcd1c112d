"""How long it takes to train many architectures, from a cold process to the last accuracy, compilation included.

Each contestant is started as a process of its own with an empty compilation cache, or with ``--warm`` with what it
compiled in a round that does not count; contestants take turns, and the median of the rounds counts. The work:
different architectures of NAS-Bench-201's space, fixed by a seed, for one epoch each, then the accuracy on validation
images (see `work.py`).

- evonas: one program for all architectures, on two CPU devices, or on a GPU;
- flax: one Flax module and one jitted train step per architecture;
- pytorch-threads, pytorch-processes: eager PyTorch in one process with two threads, in two with one thread each;
- pytorch, pytorch-compiled: on a GPU, eager and under `torch.compile`.

    python benchmarks/candidates.py --work a --architectures 20 --rounds 5
    python benchmarks/candidates.py --device gpu --architectures 8 --rounds 1

A round of four architectures took 2 minutes on 2 CPU cores. PyTorch comes with ``pip install -e .[benchmarks]``.
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
import time
from pathlib import Path

import work

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Processes that share the work, and the options of each."""

    script: str
    processes: tuple[tuple[str, ...], ...] = ((),)


CONTESTANTS = {
    "evonas": Contestant("shared_program.py"),
    "flax": Contestant("flax_loop.py"),
    "pytorch-threads": Contestant("pytorch.py", (("--threads", "2"),)),
    "pytorch-processes": Contestant(
        "pytorch.py", tuple(("--threads", "1", "--of", "2", "--share", str(share)) for share in range(2))
    ),
}


ON_A_GPU = {
    "evonas": Contestant("shared_program.py"),
    "flax": Contestant("flax_loop.py"),
    "pytorch": Contestant("pytorch.py"),
    "pytorch-compiled": Contestant("pytorch.py", (("--compiled", "1"),)),
}


def run(contestant: Contestant, given: work.Work, device: str, cache: str) -> float:
    """Seconds from the start of the processes to the end of the last."""
    command = [sys.executable, HERE / "contestants" / contestant.script, json.dumps(dataclasses.asdict(given))]
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": cache}
    started = time.perf_counter()
    processes = [
        subprocess.Popen([*command, "--device", device, *more], env=environment, stdout=subprocess.PIPE, text=True)
        for more in contestant.processes
    ]
    answers = [process.communicate()[0] for process in processes]
    seconds = time.perf_counter() - started
    if any(process.returncode for process in processes):
        raise SystemExit(f"{contestant.script} failed")
    trained = sum(len(json.loads(answer)["accuracies"]) for answer in answers)
    assert trained == given.architectures
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--work", choices=work.WORKS, help="by default a, or gpu on a GPU")
    parser.add_argument("--architectures", type=int, default=20)
    parser.add_argument("--images", type=int, help="training images; by default the work's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm", action="store_true", help="with a compilation cache that is filled")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS | ON_A_GPU, help="by default all")
    parser.add_argument("--json", type=Path, help="file for the seconds of all rounds; those it has of this work count")
    options = parser.parse_args()
    contestants = CONTESTANTS if options.device == "cpu" else ON_A_GPU
    given = work.WORKS[options.work or ("a" if options.device == "cpu" else "gpu")]
    given = dataclasses.replace(
        given,
        architectures=options.architectures,
        images=options.images or given.images,
        precision=options.precision,
    )
    record = {"work": dataclasses.asdict(given), "device": options.device, "warm": options.warm}
    machine = {"machine": platform.processor()}
    rounds = earlier_rounds(options.json, record)
    with tempfile.TemporaryDirectory() as caches:
        for number in range(options.rounds + options.warm):
            seconds = {}
            for name in options.contestants or contestants:
                cache = f"{caches}/{name}" if options.warm else f"{caches}/{name}-{number}"
                seconds[name] = run(contestants[name], given, options.device, cache)
                print(f"{name:18} {seconds[name]:7.1f} s", file=sys.stderr, flush=True)
            if options.warm and number == 0:
                continue
            rounds.append(seconds)
            if options.json:
                options.json.write_text(json.dumps(record | machine | {"rounds": rounds}, indent=1))
    show(rounds, given.architectures)


def earlier_rounds(file: Path | None, record: dict) -> list[dict[str, float]]:
    """The rounds that a file holds, so that long ones can be gathered over days."""
    if file is None or not file.exists():
        return []
    found = json.loads(file.read_text())
    if {name: found[name] for name in record} != record:
        raise SystemExit(f"{file} holds rounds of other work; give another file")
    return found["rounds"]


def show(rounds: list[dict[str, float]], architectures: int) -> None:
    """Medians, and the median of the ratios to evonas's seconds in the same round."""
    print(f"{'contestant':18} {'rounds':>6} {'median s':>9} {'candidates/h':>13} {'of evonas':>10}")
    for name in dict.fromkeys(name for each in rounds for name in each):
        times = [each[name] for each in rounds if name in each]
        ratios = [each["evonas"] / each[name] for each in rounds if {"evonas", name} <= each.keys()]
        median = statistics.median(times)
        ratio = f"{statistics.median(ratios):10.2f}" if ratios else ""
        print(f"{name:18} {len(times):6} {median:9.1f} {3600 * architectures / median:13.0f} {ratio}")


if __name__ == "__main__":
    main()
