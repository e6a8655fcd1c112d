"""A search's facts in words, the same for the live view, a log file and ``evonas status``."""

from __future__ import annotations

import math

import numpy as np

from evonas.cli.display import format_number
from evonas.report.progress import Facts
from evonas.run.timeline import DeviceTimes

BLOCKS, LETTERS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
"""Of sparklines, where the output can show them, and where it can't."""


def rows_of(facts: Facts, times: DeviceTimes, letters: bool = False) -> dict[str, str]:
    """A name, and a value, for each fact of which something is known.

    Args:
        facts: of the search.
        times: of its devices.
        letters: whether sparklines have to be of ASCII letters.
    """
    rows = {}
    if facts.best is not None:
        best, median = format_number(facts.best.fitness[0]), format_number(facts.median)
        width = max(len(best), len(median))
        rows["best fitness"] = f"{best:<{width}}  {sparkline(facts.best_curve, letters)}"
        rows["median fitness"] = f"{median:<{width}}  {sparkline(facts.median_curve, letters)}"
    if not math.isnan(facts.mean_distance):
        rows["diversity"] = f"mean distance {facts.mean_distance:.2f}, {facts.unique_share:.0%} unique"
    if facts.evaluations:
        rows["failed"] = failures_of(facts)
    if devices := devices_of(facts, times):
        rows["devices"] = devices
    return rows


def line_of(facts: Facts, times: DeviceTimes, budget: int) -> str:
    """The facts in one line of a log file."""
    parts = [f"{facts.evaluations}/{budget} evaluations{_pace(facts, budget)}"]
    if facts.best is not None:
        parts.append(f"best {format_number(facts.best.fitness[0])}, median {format_number(facts.median)}")
    if not math.isnan(facts.mean_distance):
        parts.append(f"distance {facts.mean_distance:.2f}, {facts.unique_share:.0%} unique")
    parts.append(f"failed {failures_of(facts)}")
    if devices := devices_of(facts, times):
        parts.append(f"devices {devices}")
    return "; ".join(parts)


def pace_of(facts: Facts, budget: int, since: float = 0.0) -> str:
    """The rate and the time left, or "" where they are not known.

    Args:
        facts: of the search.
        budget: evaluations to do.
        since: seconds since these were the facts.
    """
    if math.isnan(facts.rate) or facts.evaluations >= budget:
        return ""
    left = max(0.0, (budget - facts.evaluations) / facts.rate - since)
    return f"{format_rate(facts.rate)}, {format_seconds(left)} left"


def _pace(facts: Facts, budget: int) -> str:
    return f", {pace}" if (pace := pace_of(facts, budget)) else ""


def failures_of(facts: Facts) -> str:
    """How many failed, and why."""
    reasons = sorted(facts.failures.items(), key=lambda reason: -reason[1])
    return ", ".join(f"{count} {reason}" for reason, count in reasons) or "none"


def devices_of(facts: Facts, times: DeviceTimes) -> str:
    """How many there are, what they were busy with, and how much of the time; "" where nothing was trained."""
    train = f"train {facts.train_seconds:,.1f} s" if facts.train_seconds else ""
    if not times.devices:
        return train
    count = len(times.devices)
    busy = "" if math.isnan(times.busy) else f", {times.busy:.0%} busy"
    return f"{count}{busy}; compile {times.compile_seconds / count:,.1f} s" + (f", {train}" if train else "")


def sparkline(values: np.ndarray, letters: bool = False) -> str:
    """A character a value, from the lowest for the smallest to the highest for the largest."""
    steps = LETTERS if letters else BLOCKS
    low, high = float(np.min(values)), float(np.max(values))
    places = (values - low) / (high - low) if high > low else np.zeros(len(values))
    return "".join(steps[round(place * (len(steps) - 1))] for place in places)


def format_rate(rate: float) -> str:
    """Evaluations in the unit of time that gives a number to read."""
    if rate >= 10:
        return f"{rate:,.1f}/s"
    if rate * 60 >= 1:
        return f"{rate * 60:,.1f}/min"
    return f"{rate * 3600:,.2f}/h"


def format_seconds(seconds: float) -> str:
    """Days, and hours, minutes and seconds."""
    days, rest = divmod(round(seconds), 24 * 3600)
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock
