"""How plots look: colours that read on light and on dark, and the two templates that the page chooses from."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

COLOURS = ("#3f86d4", "#e0773a", "#2fa37b", "#c45f96", "#8a6fd6", "#b08d2b")
"""Of series, in order; each has a contrast of at least 3 to white and to the dark page."""

SCALE = ("#5a55c8", "#a8489f", "#e8775a", "#f2bf45")
"""From the lowest fitness to the highest."""

GROUNDS = {"light": ("#1b2430", "#5c6878", "#dfe3e9", "#ffffff"), "dark": ("#e4e8ee", "#98a4b3", "#2b323c", "#181d24")}
"""Ink, muted ink, lines, and what is behind them, as the page's style sheet has them."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def templates() -> dict[str, Any]:
    """The plotly template of each theme."""
    return {theme: _template(*colours).to_plotly_json() for theme, colours in GROUNDS.items()}


def _template(ink: str, muted: str, line: str, ground: str) -> go.layout.Template:
    axis = {
        "gridcolor": line,
        "linecolor": line,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "tickfont": {"color": muted},
        "title": {"font": {"color": muted, "size": 12}, "standoff": 8},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": ink},
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "colorway": COLOURS,
            "colorscale": {"sequential": scale()},
            "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 12, "tickfont": {"color": muted}}},
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 54, "r": 14, "t": 30, "b": 44},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {"bgcolor": ground, "bordercolor": line, "font": {"color": ink}, "align": "left"},
            "hovermode": "closest",
            "modebar": {"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": muted, "activecolor": ink},
        }
    )


def scale() -> list[tuple[float, str]]:
    """`SCALE` as plotly takes it."""
    return [(place / (len(SCALE) - 1), colour) for place, colour in enumerate(SCALE)]


def faint(colour: str, opacity: float) -> str:
    """A colour ``#rrggbb`` that lets through what is behind it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def figure(x: str, y: str, **layout: Any) -> go.Figure:
    """An empty figure with titles for its axes."""
    return go.Figure(layout={"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}} | layout)
