"""Several runs side by side, and whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from evonas.report.analysis import best_so_far, compare_runs
from evonas.report.drawings import packed_drawings
from evonas.report.formats import duration, value_of, without_tags
from evonas.report.page import render
from evonas.report.panels import Browser, Listing, Panel, Plot, Section, View
from evonas.report.sections.candidates import numbers, texts
from evonas.report.sections.progress import short, thinned
from evonas.report.subject import Subject
from evonas.report.theme import COLOURS, faint, figure
from evonas.run.workdir import EXTENDABLE

IRRELEVANT = ("seed", "format", "data_fingerprint", "fitted", *EXTENDABLE)
"""Settings in which the repeats of one experiment may differ, or that say again what others say."""


class Group(NamedTuple):
    """Runs that differ in their seed alone."""

    name: str
    runs: list[Subject]

    @property
    def finals(self) -> np.ndarray:
        """``[R]`` the fitness that each ended with."""
        return np.array([run.best.fitness[0] for run in self.runs])


def comparison(subjects: Sequence[Subject]) -> str:
    """One HTML file about several runs.

    Raises:
        ValueError: if they have other objectives, or one has no fitness yet.
    """
    objectives = {subject.objectives[0].name for subject in subjects}
    if len(objectives) > 1:
        raise ValueError(f"runs are compared by one objective, these have {', '.join(sorted(objectives))}")
    groups = grouped(subjects)
    sections = [_outcome(groups), _curves(groups), _runs()]
    data = {"table": _table(groups), "drawings": packed_drawings([(run.space, run.best) for run in _all(groups)])}
    title = f"{len(groups)} settings, {len(subjects)} runs"
    subtitle = ", ".join(sorted({subject.title for subject in subjects}))
    return render(title if len(groups) > 1 else f"{len(subjects)} runs", subtitle, sections, data)


def grouped(subjects: Sequence[Subject]) -> list[Group]:
    """In the order in which they are given, called by the settings in which they differ."""
    settings = [dict(_flat({k: v for k, v in run.config.items() if k not in IRRELEVANT})) for run in subjects]
    names = {name for flat in settings for name in flat}
    telling = sorted(name for name in names if len({str(flat.get(name)) for flat in settings}) > 1)
    groups: dict[str, list[Subject]] = {}
    for subject, flat in zip(subjects, settings, strict=True):
        name = ", ".join(f"{name.rpartition('.')[2]} {flat.get(name)}" for name in telling)
        groups.setdefault(name or "all", []).append(subject)
    return [Group(name, runs) for name, runs in groups.items()]


def _flat(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """Each setting by its whole name."""
    if not isinstance(value, Mapping):
        return [(name, value)]
    return [pair for field, inner in value.items() for pair in _flat(inner, f"{name}.{field}".lstrip("."))]


def _all(groups: Sequence[Group]) -> list[Subject]:
    return [run for group in groups for run in group.runs]


def _outcome(groups: Sequence[Group]) -> Section:
    objective = groups[0].runs[0].objectives[0]
    if len(groups) > 1:
        said = compare_runs([group.finals for group in groups], [group.name for group in groups]).sentence
        lead = f"{said[0].upper()}{said[1:]}."
    else:
        lead = "These runs differ in their seed alone: they are repeats, and there is nothing to compare them with."
    rows = []
    for group in groups:
        finals = objective.sign * group.finals
        worst, median, best = (
            value_of(objective.name, value) for value in (finals.min(), np.median(finals), finals.max())
        )
        rows.append((group.name, str(len(finals)), median, worst, best))
    columns = ("setting", "runs", f"median {objective.name}", "lowest", "highest")
    return Section("result", "Result", lead, [Listing(wide=True, columns=columns, rows=rows)])


def _curves(groups: Sequence[Group]) -> Section:
    objective = groups[0].runs[0].objectives[0]
    shown = Plot(
        title=f"Best so far: {objective.name}",
        text="Median of the runs of a setting; the band reaches from the lowest run to the highest.",
        views=[
            View("by evaluations", _bands(groups, by_time=False)),
            View("by device time", _bands(groups, by_time=True)),
        ],
        height=420,
    )
    ends = Plot(title="Where they ended", text="A point a run.", views=[View("ends", _ends(groups))], height=420)
    panels: list[Panel] = [shown, ends]
    return Section("curves", "Progress", "", panels)


def _bands(groups: Sequence[Group], *, by_time: bool) -> go.Figure:
    """A line and a band a group, as far as all of its runs reach."""
    objective = groups[0].runs[0].objectives[0]
    drawn = figure("device minutes" if by_time else "evaluations", objective.name, hovermode="x unified")
    for place, group in enumerate(groups):
        colour = COLOURS[place % len(COLOURS)]
        x, curves = _by_time(group) if by_time else _by_evaluations(group)
        low, middle, high = objective.sign * np.quantile(curves, [0.0, 0.5, 1.0], axis=0)
        edge = {
            "mode": "lines",
            "line": {"width": 0},
            "legendgroup": group.name,
            "showlegend": False,
            "hoverinfo": "skip",
        }
        drawn.add_scatter(x=short(x), y=short(low), **edge)
        drawn.add_scatter(x=short(x), y=short(high), fill="tonexty", fillcolor=faint(colour, 0.18), **edge)
        line = {"color": colour, "width": 2.2}
        name = without_tags(group.name)
        drawn.add_scatter(x=short(x), y=short(middle), mode="lines", line=line, name=name, legendgroup=group.name)
    return drawn


def _by_evaluations(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations ``[K]`` and the best so far after them ``[R, K]``, from where all have one."""
    curves = [best_so_far(run.evaluations) for run in group.runs]
    first = max(int(np.argmax(np.isfinite(curve))) for curve in curves)
    rows = first + thinned(min(map(len, curves)) - first)
    return rows + 1, np.stack([curve[rows] for curve in curves])


def _by_time(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Device minutes ``[K]`` and the best so far at each ``[R, K]``, from where all have one."""
    curves = [best_so_far(run.evaluations) for run in group.runs]
    clocks = [run.seconds / 60 for run in group.runs]
    start = max(clock[np.argmax(np.isfinite(curve))] for clock, curve in zip(clocks, curves, strict=True))
    times = np.linspace(start, min(clock[-1] for clock in clocks), 500)
    rows = [np.searchsorted(clock, times, side="right") - 1 for clock in clocks]
    return times, np.stack([curve[row] for curve, row in zip(curves, rows, strict=True)])


def _ends(groups: Sequence[Group]) -> go.Figure:
    objective = groups[0].runs[0].objectives[0]
    drawn = figure("", objective.name)
    for place, group in enumerate(groups):
        drawn.add_box(
            y=objective.sign * group.finals,
            name=without_tags(group.name),
            boxpoints="all",
            pointpos=0,
            jitter=0.4,
            marker={"size": 8},
            line={"color": COLOURS[place % len(COLOURS)], "width": 1.5},
            hoveron="points",
            text=[without_tags(run.workdir) for run in group.runs],
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
            showlegend=False,
        )
    return drawn


def _runs() -> Section:
    return Section("candidates", "All runs", "Click a row for the best architecture of a run.", [Browser(wide=True)])


def _table(groups: Sequence[Group]) -> dict[str, Any]:
    """A row a run, with its best."""
    runs = [(group.name, run) for group in groups for run in group.runs]
    objective = runs[0][1].objectives[0]
    values = [float(f"{objective.sign * run.best.fitness[0]:.6g}") for _, run in runs]
    tests = [(run.test or {}).get(objective.name.replace(" ", "_")) for _, run in runs]
    columns = [
        numbers("id", "run", list(range(len(runs))), width="4rem"),
        texts("workdir", "workdir", [run.workdir for _, run in runs], width="12rem"),
        texts("setting", "setting", [name for name, _ in runs], width="12rem"),
        numbers("seed", "seed", [run.config["seed"] for _, run in runs], width="4rem"),
        numbers("objective0", objective.name, values, digits=4, descending=objective.sign > 0),
        numbers("test", "test", tests, digits=4, width="5rem"),
        numbers("evaluations", "evaluations", [len(run.evaluations) for _, run in runs]),
        texts("time", "device time", [duration(float(run.seconds[-1])) for _, run in runs], width="7rem"),
        texts("architecture", "best architecture", [run.best.architecture for _, run in runs], width="auto"),
    ]
    return {"columns": columns}
