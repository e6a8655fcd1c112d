"""Numbers as people read them."""

from __future__ import annotations

import math

SHARES = ("accuracy", "macro f1")
"""What is a share of the examples, or may be read as one."""


def label(name: str) -> str:
    """The name of a metric or an objective as words."""
    return "multiply-adds" if name == "multiply_adds" else name.replace("_", " ")


def number(value: float) -> str:
    """Four digits that count; whole numbers with their thousands."""
    if not math.isfinite(value):
        return "none"
    if float(value).is_integer() and abs(value) >= 1:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def value_of(name: str, value: float) -> str:
    """The value of an objective or a metric: shares in percent."""
    return f"{100 * value:.2f} %" if name in SHARES else number(value)


def difference_of(name: str, value: float) -> str:
    """The difference of two values of an objective, with its sign; of shares in percentage points."""
    sign = "+" if value >= 0 else "-"
    return f"{sign}{100 * abs(value):.2f} points" if name in SHARES else f"{sign}{number(abs(value))}"


def duration(seconds: float) -> str:
    """In the unit that fits."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def without_tags(text: str) -> str:
    """Text from a run for a plot, where plotly would read a few tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
