"""What a page consists of: sections of panels, each with a macro of its kind in ``template/blocks.html``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import plotly.graph_objects as go


class View(NamedTuple):
    """A figure, and what its tab is called."""

    label: str
    figure: go.Figure


class Command(NamedTuple):
    """A line for a shell."""

    purpose: str
    text: str


class Measure(NamedTuple):
    """A number that the page opens with."""

    value: str
    label: str


class Ancestor(NamedTuple):
    """A step of a lineage, as text."""

    candidate: int
    title: str
    fitness: str
    gain: str
    direction: str  # "up" or "down"
    change: str


@dataclasses.dataclass(frozen=True)
class Panel:
    """A box of the page.

    Attributes:
        title: of the box.
        text: how to read what is in it.
        wide: whether it takes the whole row.
    """

    kind: ClassVar[str]
    title: str = ""
    text: str = ""
    wide: bool = False


@dataclasses.dataclass(frozen=True)
class Plot(Panel):
    """Figures, of which the tabs above them choose one; ``height`` in pixels."""

    kind = "plot"
    views: Sequence[View] = ()
    height: int | None = None


@dataclasses.dataclass(frozen=True)
class Hero(Panel):
    """The result: an architecture, its numbers, and the commands that give it again."""

    kind = "hero"
    candidate: int = 0
    architecture: str = ""
    measures: Sequence[Measure] = ()
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    commands: Sequence[Command] = ()


@dataclasses.dataclass(frozen=True)
class Lineage(Panel):
    """Ancestors, the founder first."""

    kind = "lineage"
    steps: Sequence[Ancestor] = ()


@dataclasses.dataclass(frozen=True)
class Listing(Panel):
    """A short table."""

    kind = "listing"
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@dataclasses.dataclass(frozen=True)
class Browser(Panel):
    """The table of all candidates, which the page's script fills."""

    kind = "candidates"


@dataclasses.dataclass(frozen=True)
class Config(Panel):
    """Settings as text."""

    kind = "config"
    content: str = ""


class Section(NamedTuple):
    """Panels under one heading; ``anchor`` is its name in links."""

    anchor: str
    title: str
    lead: str
    panels: Sequence[Any]
