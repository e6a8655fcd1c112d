"""20,000 and 1,000,000 evaluations on 1 to 1,024 devices: what the devices' time is spent on, and what breaks first.

Real are the evolution and the history, in processes of their own: `evonas.Population` searches NAS-Bench-201, and every
evaluation is written to files. Simulated are the fitness, by a table, and the trainings, by a clock (`fleet/`): their
seconds, slow ones, and failures of processes are drawn from the distributions that the options state. Three forms:

- synchronous: a candidate a device, and all wait for the slowest;
- steady-state: a batch of ``--per-device`` candidates a device. Each process has its share, and its devices take the
  next one as they get free; all processes wait for the last before the next batch;
- asynchronous: a device that is free is told of and gets its next candidate at once.

The clock knows what Python really took for an evaluation, by the size of the batch. Utilisation is the share of the
device time in which trainings went on that count, slow ones included. Written in Markdown:

    python benchmarks/scale.py
    python benchmarks/scale.py --evaluations 4000 20000 --devices 1 64
    python benchmarks/scale.py --clock-only --per-device 16 --hours-between-failures 24

The first takes 5 to 7 minutes on 2 cores of an AMD EPYC (2026-11-27), the second one, the third half a minute: it
searches nothing and takes Python for infinitely fast.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleet.schedule import (
    Conditions,
    Usage,
    asynchronous,
    fleet,
    fleet_that_fails_together,
    in_rounds,
    training_seconds,
)

FORMS = ("synchronous", "steady-state", "asynchronous")
LARGE_POPULATION = 1000
"""Members in the larger search; in the others 100."""

SHORT = 1.0
"""Median seconds of trainings that are so short that Python's part shows."""

NO_SEARCH: dict[str, Any] = {"milliseconds": {}, "best": None, "arrived": None}
"""What is known without a search."""

PARTS = ("training", "waiting", "outages", "host")
"""What device time is spent on."""


class Searches:
    """Real searches, each done once: what Python took, and what was found.

    Args:
        evaluations: of each.
        table: of NAS-Bench-201, or None.
        conditions: of the fleet, which decide on the order in which candidates come back.
    """

    def __init__(self, evaluations: int, table: str | None, conditions: Conditions):
        self._evaluations, self._table, self._conditions = evaluations, table, conditions
        self.by_batch: dict[int, dict[str, Any]] = {}
        self._by_devices: dict[int, dict[str, Any]] = {}

    def of(self, form: str, devices: int, batch: int) -> dict[str, Any]:
        """A form's on so many devices."""
        return self._out_of_order(devices) if form == "asynchronous" else self._in_batches(batch)

    def _in_batches(self, batch: int) -> dict[str, Any]:
        """The clock changes nothing here: it is the same for each form and number of devices that has this batch."""
        if batch not in self.by_batch:
            self.by_batch[batch] = search(evaluations=self._evaluations, batch=batch, table=self._table)
        return self.by_batch[batch]

    def _out_of_order(self, devices: int) -> dict[str, Any]:
        """One at a time. What writing takes does not depend on the order: it is that of one device."""
        alone = self._in_batches(1)
        if devices == 1:
            return alone
        if devices not in self._by_devices:
            seconds = training_seconds(self._conditions, self._evaluations)
            _, order = asynchronous(seconds, fleet(self._conditions, devices), self._conditions.checkpoint, 0.0)
            found = search(False, evaluations=self._evaluations, order=order, pending=devices, table=self._table)
            found["milliseconds"]["write"] = alone["milliseconds"]["write"]
            self._by_devices[devices] = found
        return self._by_devices[devices]


def search(history: bool = True, resumed: bool = False, **settings: Any) -> dict[str, Any]:
    """What a process of `fleet/search.py` finds out, and one that resumes it, and what they leave on the disk."""
    with tempfile.TemporaryDirectory() as directory:
        given = json.dumps(settings | ({"directory": directory} if history else {}))
        found = _said("run", given)
        sizes = [path.stat().st_size for path in Path(directory).iterdir()]
        found |= {"files": len(sizes), "disk": sum(sizes)}
        if resumed:
            found["resume"] = _said("resume", given)
    return found


def _said(way: str, settings: str) -> dict[str, Any]:
    print(f"{way} {settings[:120]}", file=sys.stderr, flush=True)
    command = [sys.executable, str(Path(__file__).parent / "fleet" / "search.py"), way]
    return json.loads(subprocess.check_output(command, input=settings, text=True))


def host_milliseconds(found: dict[str, Any]) -> float:
    """Of an evaluation."""
    return sum(part[0] for part in found["milliseconds"].values())


def batch_of(form: str, devices: int, per_device: int) -> int:
    """Candidates that are asked for, written and told at once."""
    return {"synchronous": devices, "steady-state": per_device * devices, "asynchronous": 1}[form]


def simulated(
    form: str, conditions: Conditions, devices: int, batch: int, milliseconds: float, n: int, together: bool = False
) -> Usage:
    """The fleet's usage; processes fail by themselves, or each failure ends them all."""
    seconds, host = training_seconds(conditions, n), milliseconds / 1000
    processes = (fleet_that_fails_together if together else fleet)(conditions, devices)
    if form == "asynchronous":
        return asynchronous(seconds, processes, conditions.checkpoint, host)[0]
    return in_rounds(seconds, processes, batch, conditions.checkpoint, host)


def show_devices(searches: Searches | None, conditions: Conditions, options: argparse.Namespace) -> None:
    """The table of forms and devices."""
    small, large = options.evaluations
    header = ["form", "devices", "batch", "host ms", f"{small:,}", "used", f"{large:,}", "used"]
    header += ["waiting", "outages", "host", "one failure ends all: used", f"{large:,}", f"best of {small:,}", "after"]
    rows = []
    for devices in options.devices:
        for form in FORMS:
            batch = batch_of(form, devices, options.per_device)
            found = NO_SEARCH if searches is None else searches.of(form, devices, batch)
            milliseconds = host_milliseconds(found)
            row = [form, f"{devices:,}", f"{batch:,}", f"{milliseconds:.2f}"]
            setting = (form, conditions, devices, batch, milliseconds)
            usage = simulated(*setting, small)
            row += [span(usage.makespan), percent(usage.share("training"))]
            usage = simulated(*setting, large)
            row += [span(usage.makespan), *(percent(usage.share(part)) for part in PARTS)]
            if form == "asynchronous":  # its processes need nothing of each other
                row += ["", ""]
            else:
                usage = simulated(*setting, large, together=True)
                row += [percent(usage.share("training")), span(usage.makespan)]
            best = "" if found["best"] is None else f"{found['best']:.4f}"
            rows.append([*row, best, "" if found["arrived"] is None else f"{found['arrived']:,}"])
    show(header, rows)


def show_short(searches: Searches, conditions: Conditions, options: argparse.Namespace) -> None:
    """The same with short trainings, on the most devices."""
    devices, rows = max(options.devices), []
    for form in FORMS:
        batch = batch_of(form, devices, options.per_device)
        milliseconds = host_milliseconds(searches.of(form, devices, batch))
        short = dataclasses.replace(conditions, median=SHORT)
        usage = simulated(form, short, devices, batch, milliseconds, options.evaluations[1])
        rows.append([form, span(usage.makespan), *(percent(usage.share(part)) for part in PARTS)])
    show([f"{SHORT:g} s, {devices:,} devices", f"{options.evaluations[1]:,}", "used", *PARTS[1:]], rows)


def show_host(searches: Searches, options: argparse.Namespace) -> None:
    """What Python takes, by the size of the batch, and what the history leaves on the disk."""
    header = ["batch", "ask", "write", "tell", f"files after {options.evaluations[0]:,}", "bytes on disk"]
    rows = [
        [f"{batch:,}"]
        + [f"{found['milliseconds'][part][0]:.3f}" for part in ("ask", "write", "tell")]
        + [f"{found['files']:,}", f"{found['disk'] / options.evaluations[0]:.0f}"]
        for batch, found in sorted(searches.by_batch.items())
    ]
    show(header, rows)


def show_large(options: argparse.Namespace) -> None:
    """The larger search, done for real from its first evaluation to its last, and resumed."""
    large, batch = options.evaluations[1], max(options.devices)
    found = search(resumed=True, evaluations=large, batch=batch, population=LARGE_POPULATION, table=options.table)
    first, last = (sum(part[tenth] for part in found["milliseconds"].values()) for tenth in (1, 2))
    resume = found["resume"]
    rows = [
        ["host ms an evaluation, in the first and the last tenth", f"{first:.3f}, {last:.3f}"],
        ["memory, bytes an evaluation", f"{found['bytes']:,.0f}"],
        ["disk, bytes an evaluation", f"{found['disk'] / large:,.0f}"],
        ["files", f"{found['files']:,}"],
        ["resume: read the history", f"{resume['read']:.1f} s"],
        ["resume: go through the search again", f"{resume['replay']:.1f} s"],
    ]
    show([f"{large:,} in batches of {batch:,}", ""], rows)


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of Markdown, whose first column is of text."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    for row in [header, rule, *rows]:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def span(seconds: float) -> str:
    """In the largest unit that there is one of."""
    unit, length = next((each for each in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= each[1]), ("s", 1))
    return f"{seconds / length:,.1f} {unit}"


def percent(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f} %"  # no -0.0


def main() -> None:
    options = arguments()
    conditions = Conditions(
        median=options.median,
        sigma=options.sigma,
        slow_share=options.slow_share,
        slow_factor=options.slow_factor,
        between_failures=3600 * options.hours_between_failures,
        outage=options.outage,
        checkpoint=options.checkpoint,
        seed=options.seed,
    )
    if options.clock_only:
        show_devices(None, conditions, options)
        return
    searches = Searches(options.evaluations[0], options.table, conditions)
    show_devices(searches, conditions, options)
    show_short(searches, conditions, options)
    show_host(searches, options)
    show_large(options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, nargs=2, metavar=("SMALL", "LARGE"), default=[20_000, 1_000_000])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 8, 64, 256, 1024], help="1, or multiples of 4")
    parser.add_argument("--per-device", type=int, default=4, help="candidates of a steady-state batch")
    parser.add_argument("--median", type=float, default=60.0, help="seconds of a training, log-normal")
    parser.add_argument("--sigma", type=float, default=0.4, help="deviation of the logarithm of these seconds")
    parser.add_argument("--slow-share", type=float, default=0.01, help="probability that a training is slow")
    parser.add_argument("--slow-factor", type=float, default=4.0, help="times as long that it takes then")
    parser.add_argument("--hours-between-failures", type=float, default=6.0, help="of a process of 4 devices, mean")
    parser.add_argument("--outage", type=float, default=300.0, help="seconds that a process is gone then")
    parser.add_argument("--checkpoint", type=float, default=60.0, help="seconds of training between two checkpoints")
    parser.add_argument("--seed", type=int, default=0, help="of trainings and failures")
    parser.add_argument("--clock-only", action="store_true", help="search nothing, and take Python for infinitely fast")
    parser.add_argument("--table", help="NAS-Bench-201's file; otherwise fitness is a landscape that is drawn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
