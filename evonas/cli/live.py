"""The view of a search while it goes: in a terminal a picture, else now and then a line."""

from __future__ import annotations

import time
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evonas.cli.facts import format_seconds, line_of, pace_of, rows_of
from evonas.report.progress import Progress
from evonas.run import Callback, Evaluation, Run

LIVE_SECONDS, PLAIN_SECONDS = 1.0, 10.0
"""Between two pictures, and between two lines where the output is not a terminal."""

SHARE = 0.002
"""Of the time that has passed, which taking facts more often may have cost."""

WIDTH = 100
"""Of the picture, at most."""

Overflow = Literal["crop", "ellipsis"]


class LiveView(Callback):
    """Shows how a search goes.

    Facts are taken in the search's own thread, between two slices of training: after each evaluation where trainings
    take long, else once an interval. A thread draws them once a second (`benchmarks/live.py` measures what it costs).

    Args:
        console: where; by default the standard output.
    """

    def __init__(self, console: Console | None = None):
        self._console = console = console or Console()
        self._overflow: Overflow = "crop" if console.options.ascii_only else "ellipsis"  # which is no ASCII letter
        self._live: Live | None = None

    def started(self, run: Run) -> None:
        """Begin, with what earlier processes left."""
        self._run, self._state = run, "compiling" if len(run.log) < run.budget else "done"
        self._progress = Progress(None, run.population.algorithm.population_size)
        for evaluation in run.log:
            if evaluation.id < run.budget:
                self._progress.add(evaluation)
        if there := len(run.log):
            resuming = f"resuming: {there} of {run.budget} evaluations are there"
            longer = f"{there} evaluations are there: what follows is of the first {run.budget}"
            self._console.print(resuming if there <= run.budget else longer, highlight=False)
        self._begun, self._elapsed, self._spent = time.monotonic(), 0.0, 0.0
        self._take()
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=1 / LIVE_SECONDS)
            self._live.start()

    def evaluated(self, run: Run, evaluation: Evaluation) -> None:
        """Take it, and show it when it is time."""
        self._state = "searching"
        self._progress.add(evaluation)
        now = time.monotonic()
        if self._console.is_terminal:
            if now - self._taken >= LIVE_SECONDS or self._spent <= SHARE * (now - self._begun):
                self._take()
        elif now - self._taken >= PLAIN_SECONDS:
            self._take()
            self._say(line_of(self._facts, run.timeline.times, run.budget))

    def finished(self, run: Run) -> None:
        """Leave the last picture, or a last line."""
        self._state, self._elapsed = "done", time.monotonic() - self._begun
        self._take()
        if not self._console.is_terminal:
            self._say(f"{min(len(run.log), run.budget)}/{run.budget} evaluations done")
        self.stop()

    def stop(self) -> None:
        """End the view, whatever happened; the last picture stays."""
        if self._live is not None:
            self._live.stop()

    def _take(self) -> None:
        started = time.monotonic()
        facts, measured = self._progress.facts(), self._run.population.generations
        if measured:  # by the search itself, at the end of each generation
            last = measured[-1]
            facts = facts._replace(mean_distance=last["mean_distance"], unique_share=last["unique_share"])
        self._facts, self._taken = facts, time.monotonic()
        self._spent += self._taken - started

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _picture(self) -> RenderableType:
        """The facts that were taken last, and the time as it is now."""
        facts, times = self._facts, self._run.timeline.times
        known = rows_of(facts, times, letters=self._console.options.ascii_only)
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True, min_width=max(map(len, known), default=0))
        rows.add_column(no_wrap=True, overflow=self._overflow)
        for name, value in known.items():
            rows.add_row(name, Text(value, style="bold red" if name == "failed" and facts.failures else ""))
        best = [] if facts.best is None else _lines_of(facts.best, self._overflow)
        place = "" if self._run.workdir is None else f" - {self._run.workdir}"
        title = Text.assemble(("evonas", "bold"), f" - {self._state}{place}")
        width = min(WIDTH, self._console.width)
        return Panel(
            Group(self._bar(), "", rows, *best), title=title, title_align="left", border_style="dim", width=width
        )

    def _bar(self) -> RenderableType:
        done, budget = min(self._facts.evaluations, self._run.budget), self._run.budget
        now = time.monotonic()
        if self._state != "done":
            self._elapsed = now - self._begun
        pace = pace_of(self._facts, budget, now - self._taken) if self._state == "searching" else ""
        bar = Table.grid(padding=(0, 2), expand=True)
        bar.add_column(ratio=1)
        for _ in range(2):
            bar.add_column(no_wrap=True, overflow=self._overflow)
        bar.add_row(
            ProgressBar(total=budget, completed=done),
            Text.assemble((f"{done:,}/{budget:,}", "bold"), f" evaluations, {done / budget:.0%}"),
            Text(format_seconds(self._elapsed) + (f", {pace}" if pace else "")),
        )
        return bar


def _lines_of(best: Evaluation, overflow: Overflow) -> list[Text]:
    """Whose architecture it is, and the architecture, in one line."""
    named = Text(f"\nbest so far, candidate {best.id}", style="dim")
    return [named, Text(best.architecture, style="bold green", no_wrap=True, overflow=overflow)]
