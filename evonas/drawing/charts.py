"""Charts of a search. Importing this takes matplotlib, so it is imported late."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from evonas.evolution import pareto_front

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError('a plot needs matplotlib: pip install "evonas[plots]"') from error

POINTS = 400
"""Places at which a band is worked out at most."""

QUANTILES = (0.25, 0.5, 0.75)


class Chart(Figure):
    """A matplotlib figure that notebooks show by themselves, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def history_chart(fitness: np.ndarray, window: int, generations: Sequence[Mapping[str, float]]) -> Chart:
    """Fitness of all that was evaluated, and diversity, over evaluations.

    Args:
        fitness: ``[T]``, NaN where a candidate failed.
        window: evaluations whose median and quartiles are shown.
        generations: of each the ``evaluations`` until then, and measures of diversity from 0 to 1.
    """
    panels = 2 if len(generations) > 1 else 1
    chart = Chart(figsize=(7, 3 + 1.5 * panels), dpi=110, layout="constrained")
    axes = chart.subplots(panels, 1, sharex=True, squeeze=False, height_ratios=[2.5, 1][:panels])[:, 0]
    _draw_fitness(axes[0], fitness, window)
    if panels == 2:
        _draw_diversity(axes[1], generations)
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    axes[-1].set_xlabel("evaluations")
    return chart


def _draw_fitness(axis: Axes, fitness: np.ndarray, window: int) -> None:
    told = np.arange(1, len(fitness) + 1)
    failed = ~np.isfinite(fitness)
    axis.plot(told[~failed], fitness[~failed], ".", color="0.65", markersize=5, label="candidates")
    if failed.any():
        # At the lower edge, wherever that is.
        edge, heights = axis.get_xaxis_transform(), np.full(failed.sum(), 0.02)
        axis.plot(told[failed], heights, "x", color="C3", markersize=4, transform=edge, label="failed")
    places, bands = _bands(fitness, window)
    axis.fill_between(places, bands[:, 0], bands[:, 2], color="C0", alpha=0.2, linewidth=0)
    axis.plot(places, bands[:, 1], color="C0", label=f"median and quartiles of the last {window}")
    if not failed.all():
        best = np.fmax.accumulate(fitness)
        axis.plot(told, best, color="C1", drawstyle="steps-post", label="best so far")
    axis.set_ylabel("fitness")


def _draw_diversity(axis: Axes, generations: Sequence[Mapping[str, float]]) -> None:
    told = [generation["evaluations"] for generation in generations]
    for name in generations[0]:
        if name != "evaluations":
            axis.plot(told, [generation[name] for generation in generations], label=name.replace("_", " "))
    axis.set(ylabel="diversity", ylim=(0, 1.05))


def _bands(fitness: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the last ``window`` fitness values at some numbers of evaluations: ``[P]`` and ``[P, 3]``."""
    places = np.unique(np.linspace(1, len(fitness), min(POINTS, len(fitness))).astype(int))
    bands = np.full((len(places), len(QUANTILES)), np.nan)
    for row, place in enumerate(places):
        last = fitness[max(0, place - window) : place]
        if np.isfinite(last).any():
            bands[row] = np.quantile(last[np.isfinite(last)], QUANTILES)
    return places, bands


def pareto_chart(values: np.ndarray, names: tuple[str, str], smaller_is_better: tuple[bool, bool]) -> Chart:
    """All candidates by two values, and the front of those that no other dominates.

    Args:
        values: ``[N, 2]``, finite; the first is drawn upward and the second to the right.
        names: of the two.
        smaller_is_better: of the two.
    """
    signs = np.where(smaller_is_better, -1.0, 1.0)
    front = values[pareto_front((values * signs).astype(np.float32))]
    front = np.unique(front, axis=0)[:, ::-1]
    front = front[np.argsort(front[:, 0], kind="stable")]
    chart = Chart(figsize=(6.5, 4.5), dpi=110, layout="constrained")
    axis = chart.subplots()
    axis.plot(values[:, 1], values[:, 0], ".", color="0.65", label="candidates")
    # A front's step is where what lies beyond it is dominated by the point before, or by the one behind.
    style = "steps-post" if smaller_is_better[1] else "steps-pre"
    axis.plot(*front.T, "o-", color="C1", drawstyle=style, label="Pareto front")
    axis.set(xlabel=names[1], ylabel=names[0])
    axis.grid(alpha=0.3)
    axis.legend(fontsize="small")
    return chart
