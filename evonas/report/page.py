"""Sections and data as one HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import jinja2
import plotly.io
import plotly.offline
from markupsafe import Markup

from evonas.drawing.svg import DARK, LIGHT
from evonas.report.panels import Plot, Section, View
from evonas.report.theme import templates

SCRIPTS = ("data.js", "theme.js", "table.js", "drawings.js", "plots.js", "main.js")
"""One module together: each uses what those before it define."""

TEMPLATE = "template"


def render(title: str, subtitle: str, sections: Sequence[Section], data: Mapping[str, Any]) -> str:
    """The page.

    Args:
        title: plain text, as all text is that comes from a run: it is escaped here.
        subtitle: a line below it.
        sections: from top to bottom.
        data: what the page's script reads besides the figures: ``table`` and ``drawings``.
    """
    views = [
        view for section in sections for panel in section.panels if isinstance(panel, Plot) for view in panel.views
    ]
    number = {id(view): place for place, view in enumerate(views)}
    script = "".join(_text(name) for name in SCRIPTS)
    plotly_script = plotly.offline.get_plotlyjs()
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.loader = jinja2.FunctionLoader(_text)
    return environment.get_template("report.html").render(
        title=title,
        subtitle=subtitle,
        sections=sections,
        number=lambda view: number[id(view)],
        style=Markup(_text("page.css") + _drawing_colours()),
        data=Markup(as_script({**data, "figures": [_plain(view) for view in views], "templates": templates()})),
        plotly=Markup(plotly_script),
        script=Markup(script),
        hashes=Markup(" ".join(_hash(code) for code in (plotly_script, script))),
        version=version("evonas"),
    )


def as_script(value: Any) -> str:
    """JSON inside a script element: no text in it can end the element, or begin another one."""
    text = plotly.io.json.to_json_plotly(value)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(view: View) -> dict[str, Any]:
    """A figure without plotly's own template: the page has two."""
    figure = view.figure.to_plotly_json()
    figure["layout"].pop("template", None)
    return figure


def _drawing_colours() -> str:
    """Drawings follow the page, which may be dark where the system is light."""
    rules = (
        f':root[data-theme="{theme}"] {{{"".join(f"--evonas-{name}: {colour};" for name, colour in colours.items())}}}'
        for theme, colours in (("light", LIGHT), ("dark", DARK))
    )
    return "\n".join([*rules, ":root[data-theme] { --evonas-paper: var(--card); }"])


def _hash(code: str) -> str:
    """What lets the browser run this script: it runs no other one."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def _text(name: str) -> str:
    return files("evonas.report").joinpath(TEMPLATE, name).read_text(encoding="utf-8")
