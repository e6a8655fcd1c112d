"""Objects as HTML, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping

_CELL = "text-align:left;vertical-align:top;padding:1px 12px 1px 0;"


def card(title: str, rows: Mapping[str, object], picture: str = "") -> str:
    """A title, a table of names and values, and a picture below.

    Args:
        title: text.
        rows: values by name, which are shown as their texts.
        picture: markup, taken as it is; all else is escaped.
    """
    cells = "".join(
        f'<tr><th style="{_CELL}font-weight:normal;white-space:nowrap;opacity:.7">{html.escape(name)}</th>'
        f'<td style="{_CELL}word-break:break-word">{html.escape(str(value))}</td></tr>'
        for name, value in rows.items()
    )
    return f"<div><strong>{html.escape(title)}</strong><table>{cells}</table>{picture}</div>"
