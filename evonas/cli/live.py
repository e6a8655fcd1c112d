"""The view of a search while it goes: in a terminal a picture, else now and then a line."""

from __future__ import annotations

import time

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

WIDTH = 100
"""Of the picture, at most."""


class LiveView(Callback):
    """Shows how a search goes.

    Facts are taken at most once an interval, in the search's own thread, between two slices of training; a thread
    draws them once a second, so that it costs a long search nothing that can be measured (`benchmarks/live.py`).

    Args:
        console: where; by default the standard output.
    """

    def __init__(self, console: Console | None = None):
        self._console = console = console or Console()
        self._interval = LIVE_SECONDS if console.is_terminal else PLAIN_SECONDS
        self._live: Live | None = None

    def started(self, run: Run) -> None:
        """Begin, with what earlier processes left."""
        self._run, self._state = run, "compiling"
        self._progress = Progress(run.population.space, run.population.algorithm.population_size)
        for evaluation in run.log:
            self._progress.add(evaluation)
        if there := len(run.log):
            resuming = f"resuming: {there} of {run.budget} evaluations are there"
            longer = f"{there} evaluations are there: what follows is of the first {run.budget}"
            self._console.print(resuming if there <= run.budget else longer, highlight=False)
        self._begun, self._elapsed = time.monotonic(), 0.0
        self._take()
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=1 / LIVE_SECONDS)
            self._live.start()

    def evaluated(self, run: Run, evaluation: Evaluation) -> None:
        """Take it, and show it when it is time."""
        self._state = "searching"
        self._progress.add(evaluation)
        if time.monotonic() - self._taken < self._interval:
            return
        self._take()
        if not self._console.is_terminal:
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
        self._facts, self._taken = self._progress.facts(), time.monotonic()

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _picture(self) -> RenderableType:
        """The facts that were taken last, and the time as it is now."""
        facts, times = self._facts, self._run.timeline.times
        letters = self._console.options.ascii_only
        known = rows_of(facts, times, letters)
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True, min_width=max(map(len, known), default=0))
        rows.add_column(no_wrap=True, overflow="crop" if letters else "ellipsis")
        for name, value in known.items():
            rows.add_row(name, Text(value, style="bold red" if name == "failed" and facts.failures else ""))
        if facts.best is not None:
            rows.add_row("best so far", Text(facts.best.architecture, style="bold green"))
        place = "" if self._run.workdir is None else f" - {self._run.workdir}"
        title = Text.assemble(("evonas", "bold"), f" - {self._state}{place}")
        width = min(WIDTH, self._console.width)
        return Panel(Group(self._bar(), "", rows), title=title, title_align="left", border_style="dim", width=width)

    def _bar(self) -> RenderableType:
        done, budget = min(self._facts.evaluations, self._run.budget), self._run.budget
        now = time.monotonic()
        if self._state != "done":
            self._elapsed = now - self._begun
        pace = pace_of(self._facts, budget, now - self._taken) if self._state == "searching" else ""
        bar = Table.grid(padding=(0, 2), expand=True)
        bar.add_column(ratio=1)
        for _ in range(2):
            bar.add_column(no_wrap=True)
        bar.add_row(
            ProgressBar(total=budget, completed=done),
            Text.assemble((f"{done:,}/{budget:,}", "bold"), f" evaluations, {done / budget:.0%}"),
            Text(format_seconds(self._elapsed) + (f", {pace}" if pace else "")),
        )
        return bar
