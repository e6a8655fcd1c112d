"""How the search went: the best so far, the population, and how alike it is."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from evonas.report.analysis import best_so_far, diversity_over_time, population_bands
from evonas.report.formats import duration
from evonas.report.panels import Panel, Plot, Section, View
from evonas.report.subject import Subject
from evonas.report.theme import COLOURS, faint, figure
from evonas.spaces import Space

POINTS = 2000
"""Of a curve at most: more would not be seen."""


def progress(subject: Subject) -> Section:
    """Curves over evaluations and over device time."""
    evaluations, seconds = np.arange(1, len(subject.evaluations) + 1), subject.seconds
    objective = subject.objectives[0]
    panels: list[Panel] = [
        Plot(
            title=f"Best so far and population: {objective.name}",
            text=f"The bands hold 50 % and 90 % of the last {subject.population_size} candidates; {objective.better}.",
            views=[
                View("by evaluations", _curves(subject, evaluations, "evaluations")),
                View("by device time", _curves(subject, seconds / 60, "device minutes")),
            ],
        )
    ]
    if subject.space is not None and len(subject.evaluations) > 1:
        panels.append(
            Plot(
                title="Diversity",
                text="Of the last candidates: the mean share of genes in which two differ, and the share of different "
                "architectures.",
                views=[View("diversity", _diversity(subject.space, subject))],
            )
        )
    lead = f"{len(subject.evaluations):,} evaluations in {duration(float(seconds[-1]))} of device time."
    return Section("progress", "Progress", lead, panels)


def _curves(subject: Subject, x: np.ndarray, title: str) -> go.Figure:
    """Best so far over the bands of the population."""
    objective, colour = subject.objectives[0], COLOURS[0]
    rows = thinned(len(x))
    bands = population_bands(subject.evaluations, subject.population_size)
    drawn = figure(title, objective.name, hovermode="x unified")
    for low, high, name, opacity in ((5, 95, "90 % of the population", 0.13), (25, 75, "50 %", 0.25)):
        for edge, fill in ((low, None), (high, "tonexty")):
            drawn.add_scatter(
                x=short(x[rows]),
                y=short(objective.sign * bands[edge][rows]),
                mode="lines",
                line={"width": 0},
                fill=fill,
                fillcolor=faint(colour, opacity),
                name=name,
                legendgroup=name,
                showlegend=fill is not None,
                hoverinfo="skip",
            )
    median = {"x": short(x[rows]), "y": short(objective.sign * bands[50][rows])}
    drawn.add_scatter(**median, mode="lines", line={"color": colour, "width": 1.5}, name="median")
    best = {"x": short(x[rows]), "y": short(objective.sign * best_so_far(subject.evaluations)[rows])}
    drawn.add_scatter(**best, mode="lines", line={"color": COLOURS[1], "width": 2.5, "shape": "hv"}, name="best so far")
    return drawn


def _diversity(space: Space, subject: Subject) -> go.Figure:
    distance, unique = diversity_over_time(space, subject.evaluations, subject.population_size)
    rows = 1 + thinned(len(distance) - 1)  # one alone has no distance
    drawn = figure("evaluations", "share", hovermode="x unified", yaxis_range=[0, 1.05])
    for values, name in ((distance, "mean distance"), (unique, "different architectures")):
        drawn.add_scatter(x=short(rows + 1), y=short(values[rows]), mode="lines", name=name)
    return drawn


def thinned(size: int) -> np.ndarray:
    """At most `POINTS` of the places of a curve, the first and the last of them."""
    return np.unique(np.linspace(0, size - 1, min(size, POINTS)).astype(int))


def short(values: np.ndarray) -> np.ndarray:
    """With the digits that a plot can show."""
    return np.asarray(values, np.float32)
