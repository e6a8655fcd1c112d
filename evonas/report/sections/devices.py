"""What the devices did, and what failed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from evonas.report.formats import duration
from evonas.report.panels import Listing, Panel, Plot, Section, View
from evonas.report.subject import Subject
from evonas.report.theme import COLOURS, figure
from evonas.run.timeline import PAUSE
from evonas.types import Failure, Span

KINDS = {"compile": COLOURS[1], "train": COLOURS[0]}
EXAMPLES = 12
"""Candidates of a kind of failure that are named."""


def devices(subject: Subject) -> Section:
    """The timeline and the failures."""
    panels: list[Panel] = []
    if subject.spans:
        busy = {kind: sum(span.busy for span in subject.spans if span.kind == kind) for kind in KINDS}
        text = ", ".join(f"{kind} {duration(seconds)}" for kind, seconds in busy.items())
        used = sorted({span.device for span in subject.spans})
        panels.append(
            Plot(
                title="Device timeline",
                text=f"{text}, of all devices together, without waiting for each other; what is empty is idle.",
                wide=True,
                views=[View("timeline", _timeline(subject.spans, used))],
                height=130 + 34 * len(used),
            )
        )
    panels.append(_failures(subject))
    return Section("devices", "Devices and failures", "", panels)


def _timeline(spans: Sequence[Span], used: list[int]) -> go.Figure:
    """A row a device, a bar a span."""
    starts = _starts(spans)
    drawn = figure("minutes since the start", "", barmode="overlay", bargap=0.25)
    for kind, colour in KINDS.items():
        rows = [row for row, span in enumerate(spans) if span.kind == kind]
        chosen = [spans[row] for row in rows]
        drawn.add_bar(
            base=starts[rows] / 60,
            x=np.array([span.seconds for span in chosen]) / 60,
            y=[f"device {span.device}" for span in chosen],
            orientation="h",
            name=kind,
            marker={"color": colour, "line": {"width": 0}},
            text=[_who(span) for span in chosen],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    drawn.update_yaxes(categoryorder="array", categoryarray=[f"device {device}" for device in reversed(used)])
    return drawn


def _starts(spans: Sequence[Span]) -> np.ndarray:
    """``[N]`` seconds from the first start to each, without the time in which no process ran."""
    starts, skipped, ended = np.zeros(len(spans)), 0.0, min(span.started for span in spans)
    first = ended
    for row in sorted(range(len(spans)), key=lambda row: spans[row].started):
        span = spans[row]
        if span.started > ended + PAUSE:
            skipped += span.started - ended
        starts[row] = span.started - first - skipped
        ended = max(ended, span.started + span.seconds)
    return starts


def _who(span: Span) -> str:
    names = ", ".join(str(candidate) for candidate in span.candidates[:EXAMPLES])
    who = f"candidate {names}" if span.candidates else "no candidate"
    return f"{span.kind}: {who}, {duration(span.seconds)}"


def _failures(subject: Subject) -> Listing:
    """The kinds of failures, the most frequent first."""
    groups: dict[str, list[int]] = {}
    for evaluation in subject.evaluations:
        if (failure := evaluation.measurement.failure) != Failure.NONE:
            groups.setdefault(str(failure), []).append(evaluation.id)
    rows = [
        (kind, f"{len(ids):,}", f"{100 * len(ids) / len(subject.evaluations):.1f} %", _named(ids))
        for kind, ids in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    text = "" if rows else f"None of the {len(subject.evaluations):,} candidates failed."
    columns = ("failure", "candidates", "share", "which") if rows else ()
    return Listing(title="Failures", wide=True, text=text, columns=columns, rows=rows)


def _named(ids: list[int]) -> str:
    more = f" and {len(ids) - EXAMPLES:,} more" if len(ids) > EXAMPLES else ""
    return ", ".join(map(str, ids[:EXAMPLES])) + more
