"""What a person sees of a run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from evonas.evolution import pareto_front
from evonas.run import Callback, Evaluation, Run
from evonas.types import Failure

PLAIN_SECONDS = 10.0
"""Between two lines where the output is not a terminal."""


class Opening(Callback):
    """Says what is searched, and on what data."""

    def __init__(self, console: Console):
        self._console = console

    def started(self, run: Run) -> None:
        """Print it."""
        dataset = run.evaluator.dataset  # type: ignore[attr-defined]
        sizes = ", ".join(f"{len(split):,} {name}" for name, split in dataset.splits().items())
        shape = "x".join(map(str, dataset.input_shape))
        lines = f"searching {run.population.space}\non {dataset.name}: {sizes} examples of shape {shape}"
        self._console.print(lines, highlight=False, markup=False, soft_wrap=True)


class ProgressBar(Callback):
    """A bar with the best so far; in a pipe or a log file, now and then a line."""

    def __init__(self, console: Console | None = None):
        self._console = console = console or Console()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[best]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._printed = time.monotonic()

    def started(self, run: Run) -> None:
        """Show the bar, and what earlier processes left."""
        if len(run.log):
            there = f"resuming: {len(run.log)} of {run.budget} evaluations are there"
            longer = f"{len(run.log)} evaluations are there: what follows is of the first {run.budget}"
            self._console.print(there if len(run.log) <= run.budget else longer)
        self._best = best_of(run.log)
        waiting = len(run.log) < run.budget
        self._task = self._bar.add_task(
            "compiling" if waiting else "done", total=run.budget, completed=min(len(run.log), run.budget), best=""
        )
        self._bar.start()

    def evaluated(self, run: Run, evaluation: Evaluation) -> None:
        """Move the bar."""
        if self._best is None or evaluation.fitness[:1] > self._best.fitness[:1]:
            self._best = evaluation
        text = f"best {format_fitness(self._best.fitness)}" if self._best.fitness else ""
        self._bar.update(self._task, description="training", completed=len(run.log), best=text)
        if not self._console.is_terminal and time.monotonic() - self._printed > PLAIN_SECONDS:
            self._printed = time.monotonic()
            self._console.print(f"{len(run.log)}/{run.budget} evaluations, {text}")

    def finished(self, run: Run) -> None:
        """Leave the full bar."""
        if not self._console.is_terminal:
            self._console.print(f"{min(len(run.log), run.budget)}/{run.budget} evaluations done")
        self._bar.update(self._task, description="done")
        self._bar.stop()

    def stop(self) -> None:
        """Take the bar down, whatever happened."""
        self._bar.stop()


def best_of(evaluations: Iterable[Evaluation]) -> Evaluation | None:
    """The best by the first objective; of equals the one of the lowest id."""
    succeeded = [evaluation for evaluation in evaluations if evaluation.fitness]
    return max(succeeded, key=lambda evaluation: (evaluation.fitness[0], -evaluation.id), default=None)


def print_best(console: Console, evaluation: Evaluation, layers: list[str]) -> None:
    """Architecture, and a readable line a layer."""
    console.print(f"\n[bold]best architecture[/bold] (candidate {evaluation.id})", highlight=False)
    console.print(f"  {evaluation.architecture}", highlight=False, markup=False, soft_wrap=True)
    for layer in layers:
        console.print(f"    {layer}", highlight=False, markup=False, soft_wrap=True)


def print_front(console: Console, evaluations: Iterable[Evaluation]) -> None:
    """With several objectives, all that no other dominates, best first by the first one."""
    succeeded = [evaluation for evaluation in evaluations if len(evaluation.fitness) > 1]
    if not succeeded:
        return
    rows = np.flatnonzero(pareto_front(np.array([evaluation.fitness for evaluation in succeeded])))
    front = sorted((succeeded[row] for row in rows), key=lambda evaluation: (-evaluation.fitness[0], evaluation.id))
    console.print("\n[bold]Pareto front[/bold] (candidate: fitness, maximised)", highlight=False)
    for evaluation in front:
        line = f"  {evaluation.id:>6}: {format_fitness(evaluation.fitness)}  {evaluation.architecture}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_hint(console: Console, text: str) -> None:
    """What to do next, a line to copy."""
    console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)


def print_facts(console: Console, title: str, facts: Mapping[str, Any]) -> None:
    """Names and values, one a line."""
    console.print()
    console.print(Text(title, style="bold"), soft_wrap=True)
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        console.print(f"  {name:<{width}}  {value}", highlight=False, markup=False, soft_wrap=True)


def progress_facts(evaluations: list[Evaluation], budget: int) -> dict[str, str]:
    """How far a run is, from its history alone."""
    facts = {"evaluations": f"{len(evaluations)} of {budget}"}
    fitness = [evaluation.fitness[0] for evaluation in evaluations if evaluation.fitness]
    if fitness:
        facts["best fitness"] = format_number(max(fitness))
        facts["mean and median fitness"] = f"{format_number(np.mean(fitness))}, {format_number(np.median(fitness))}"
    failures = Counter(
        str(evaluation.measurement.failure)
        for evaluation in evaluations
        if evaluation.measurement.failure != Failure.NONE
    )
    facts["failed"] = ", ".join(f"{count} {reason}" for reason, count in failures.items()) or "none"
    facts["device seconds"] = f"{sum(evaluation.measurement.seconds for evaluation in evaluations):.1f}"
    return facts


def format_fitness(fitness: tuple[float, ...]) -> str:
    """All objectives."""
    return ", ".join(format_number(value) for value in fitness)


def format_number(value: Any) -> str:
    """Four decimals for what is about 1, whole numbers for what is large."""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def format_metrics(metrics: Mapping[str, Any]) -> str:
    """Metrics in one line."""
    hidden = {"epochs", "train_loss", "parameters", "multiply_adds"}
    shown = {name: value for name, value in metrics.items() if name not in hidden}
    return ", ".join(f"{name.replace('_', ' ')} {format_number(value)}" for name, value in shown.items())
