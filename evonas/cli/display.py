"""What a person sees of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from evonas.evolution import pareto_front
from evonas.run import Callback, Evaluation, Run


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
