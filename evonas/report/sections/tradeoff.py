"""What was found at which price, and where: the Pareto front, and a map of the explored space."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from evonas.evolution import pareto_front
from evonas.report.analysis import embedding
from evonas.report.formats import label
from evonas.report.panels import Panel, Plot, Section, View
from evonas.report.sections.progress import short
from evonas.report.subject import Subject
from evonas.report.theme import COLOURS, figure
from evonas.spaces import Space

MANY = 2000
"""Points from which on they are drawn by the graphics card."""


def tradeoff(subject: Subject) -> Section | None:
    """Fitness against each cost, and the map."""
    panels: list[Panel] = []
    views = [View(name, _front(subject, name, costs)) for name, costs in _costs(subject).items()]
    if views:
        panels.append(
            Plot(
                title="Pareto front",
                text="Every candidate; the line joins those that no other one beats in both. Click a point to see it.",
                views=views,
            )
        )
    if subject.space is not None and len(subject.succeeded) > 2:
        panels.append(
            Plot(
                title="The explored space",
                text="Architectures that share genes lie close (multidimensional scaling of their distances, so only "
                "nearness has a meaning). Click a point to see it.",
                views=[View("map", _map(subject.space, subject))],
            )
        )
    return Section("tradeoff", "Price and place", "", panels) if panels else None


def _costs(subject: Subject) -> dict[str, np.ndarray]:
    """``[N]`` values by name: the further objectives, what networks cost by counting, and what training took."""
    costs = {objective.name: subject.values(place) for place, objective in enumerate(subject.objectives) if place > 0}
    for name in ("parameters", "multiply_adds", "latency"):
        costs.setdefault(label(name), subject.metric(name))
    if subject.config.get("training") is not None:
        costs["training seconds"] = np.array([one.measurement.seconds for one in subject.evaluations])
    return {name: values for name, values in costs.items() if np.unique(values[np.isfinite(values)]).size > 1}


def _front(subject: Subject, name: str, costs: np.ndarray) -> go.Figure:
    """The first objective against a cost, and the front of the two."""
    objective, values = subject.objectives[0], subject.values()
    direction = next((other.sign for other in subject.objectives[1:] if other.name == name), -1.0)
    rows = np.flatnonzero(np.isfinite(values) & np.isfinite(costs))
    front = rows[pareto_front(np.stack([objective.sign * values[rows], direction * costs[rows]], -1))]
    front = front[np.argsort(costs[front], kind="stable")]
    drawn = figure(name, objective.name)
    if costs[rows].min() > 0 and costs[rows].max() > 20 * costs[rows].min():
        drawn.update_xaxes(type="log")
    others = np.setdiff1d(rows, front)
    _add_candidates(drawn, others, costs, values, name="candidates", marker={"size": 7, "opacity": 0.55})
    corner = "hv" if direction < 0 else "vh"
    line = {"color": COLOURS[1], "width": 1.5, "shape": corner}
    _add_candidates(
        drawn, front, costs, values, name="Pareto front", mode="lines+markers", line=line, marker={"size": 10}
    )
    return drawn


def _map(space: Space, subject: Subject) -> go.Figure:
    places = embedding(space, subject.evaluations, seed=0)
    values = subject.values()
    rows = np.flatnonzero(np.isfinite(values))
    drawn = figure("", "")
    drawn.update_xaxes(showticklabels=False)
    drawn.update_yaxes(showticklabels=False)
    bar = {"title": {"text": subject.objectives[0].name, "side": "right"}, "outlinewidth": 0, "thickness": 12}
    # The worst of a search are far below the rest: the colours are for where most are.
    low, high = np.quantile(values[rows], [0.1, 1.0] if subject.objectives[0].sign > 0 else [0.0, 0.9])
    marker = {"size": 8, "color": short(values[rows]), "coloraxis": "coloraxis", "opacity": 0.85}
    _add_candidates(drawn, rows, places[:, 0], places[:, 1], name="candidates", marker=marker, showlegend=False)
    best = [row for row, evaluation in enumerate(subject.evaluations) if evaluation.id == subject.best.id]
    ring = {"size": 17, "symbol": "circle-open", "color": COLOURS[1], "line": {"width": 2.5}}
    _add_candidates(drawn, np.array(best), places[:, 0], places[:, 1], name="the best", marker=ring)
    drawn.update_layout(coloraxis={"cmin": float(low), "cmax": float(high), "colorbar": bar})
    drawn.update_layout(coloraxis_reversescale=subject.objectives[0].sign < 0)
    return drawn


def _add_candidates(
    drawn: go.Figure, rows: np.ndarray, x: np.ndarray, y: np.ndarray, *, name: str, **settings: Any
) -> None:
    """Points that the page knows for candidates: a click shows them, and their hover is their row of the table."""
    add = drawn.add_scattergl if len(rows) > MANY else drawn.add_scatter
    add(
        x=short(x[rows]),
        y=short(y[rows]),
        customdata=rows.tolist(),
        meta="candidates",
        name=name,
        hovertemplate="%{text}<extra></extra>",
        **({"mode": "markers"} | settings),
    )
