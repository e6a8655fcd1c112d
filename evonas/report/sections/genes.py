"""What helped: which mutations, and which choice of each gene."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from evonas.report.analysis import Effect, MutationKind, main_effects, mutation_success, wilson_interval
from evonas.report.formats import value_of, without_tags
from evonas.report.panels import Plot, Section, View
from evonas.report.subject import Subject
from evonas.report.theme import COLOURS, figure

BARS, GENES = 24, 24
"""What a plot shows at most: the mutations tried most, and the genes that matter most."""


def genes(subject: Subject) -> Section | None:
    """Mutations and main effects; None without the space."""
    if subject.space is None:
        return None
    kinds = mutation_success(subject.space, subject.evaluations)
    effects = _most_telling(main_effects(subject.space, subject.evaluations))
    objective = subject.objectives[0].name
    height = 130 + 20 * max(len(effects), min(BARS, len(kinds)))
    panels = []
    if kinds:
        pooled = _pooled(kinds)
        panels.append(
            Plot(
                title="Mutations that helped",
                text=f"How often a child with this change was better than its parent. Shown: the {BARS} tried most.",
                views=[
                    View("by change", success(pooled[:BARS])),
                    View("by gene and change", success(kinds[:BARS])),
                ],
                height=height,
            )
        )
    if effects:
        panels.append(
            Plot(
                title="Genes that matter",
                text=f"Mean {objective} of the candidates with each choice, and its 95 % interval. A search samples "
                "its best region most, so this is no controlled experiment.",
                views=[View("effects", _effects(subject, effects))],
                height=height,
            )
        )
    return Section("genes", "What helped", "", panels) if panels else None


def _pooled(kinds: list[MutationKind]) -> list[MutationKind]:
    """The same change of different genes as one kind, the most tried first."""
    groups: dict[str, list[MutationKind]] = {}
    for kind in kinds:
        groups.setdefault(kind.name.partition(": ")[2] or kind.name, []).append(kind)
    pooled = [
        MutationKind(
            name,
            sum(kind.tried for kind in group),
            sum(kind.improved for kind in group),
            float(np.average([kind.mean_gain for kind in group], weights=[kind.tried for kind in group])),
        )
        for name, group in groups.items()
    ]
    return sorted(pooled, key=lambda kind: -kind.tried)


def success(kinds: list[MutationKind]) -> go.Figure:
    """Bars; on top what surely helps most, by the lower end of the rate's interval: so few trials do not lead."""
    kinds = sorted(kinds, key=lambda kind: (wilson_interval(kind.improved, kind.tried)[0], -kind.tried))
    most = max(kind.success_rate for kind in kinds)
    drawn = figure("children better than their parent, %", "", xaxis_range=[0, 115 * max(most, 0.1)])
    drawn.add_bar(
        x=[100 * kind.success_rate for kind in kinds],
        y=[without_tags(kind.name) for kind in kinds],
        orientation="h",
        marker={"color": COLOURS[0]},
        text=[f"{kind.improved} of {kind.tried}" for kind in kinds],
        textposition="outside",
        cliponaxis=False,
        customdata=[kind.mean_gain for kind in kinds],
        hovertemplate="%{y}: %{text}<br>mean gain %{customdata:.4g}<extra></extra>",
        name="success rate",
    )
    return drawn


def _effects(subject: Subject, effects: list[Effect]) -> go.Figure:
    """A point a choice with its interval, the choices of a gene under each other."""
    sign, name = subject.objectives[0].sign, subject.objectives[0].name
    drawn = figure(name, "", xaxis_range=_range(effects, sign))
    for place, (gene, choices) in enumerate(groupby(effects[::-1], key=lambda effect: effect.gene)):
        rows = list(choices)
        edges = [sorted((sign * row.low, sign * row.high)) for row in rows]
        drawn.add_scatter(
            x=[sign * row.mean for row in rows],
            y=[[without_tags(gene)] * len(rows), [without_tags(row.choice) for row in rows]],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - sign * row.mean for row, (_, high) in zip(rows, edges, strict=True)],
                "arrayminus": [sign * row.mean - low for row, (low, _) in zip(rows, edges, strict=True)],
                "thickness": 1.5,
                "width": 0,
            },
            mode="markers",
            marker={"size": 8, "color": COLOURS[place % len(COLOURS)]},
            text=[f"{value_of(name, sign * row.mean)}, {row.count} candidates" for row in rows],
            hovertemplate="%{text}<extra></extra>",
            name=gene,
            showlegend=False,
        )
    return drawn


def _range(effects: list[Effect], sign: float) -> list[float]:
    """All means, and the half of the intervals that is shorter: those of two or three candidates go beyond it."""
    means = [sign * effect.mean for effect in effects]
    widths = [effect.high - effect.mean for effect in effects if np.isfinite(effect.high)]
    room = 1.5 * float(np.median(widths)) if widths else 0.0
    room += 0.05 * (max(means) - min(means))
    return [min(means) - room, max(means) + room]


def _most_telling(effects: Iterable[Effect]) -> list[Effect]:
    """All choices of the genes whose choices differ most, as many as fit; in the order of the genome."""
    by_gene = [list(group) for _, group in groupby(effects, key=lambda effect: effect.gene)]
    by_gene = [group for group in by_gene if len(group) > 1]
    spread = [max(effect.mean for effect in group) - min(effect.mean for effect in group) for group in by_gene]
    ranked = sorted(range(len(by_gene)), key=lambda place: -spread[place])
    kept: list[int] = []
    for place in ranked:
        if sum(len(by_gene[other]) for other in [*kept, place]) <= 2 * GENES:
            kept.append(place)
    return [effect for place in sorted(kept) for effect in by_gene[place]]
