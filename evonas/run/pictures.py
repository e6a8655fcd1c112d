"""What notebooks show of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.notebook import card
from evonas.population.pictures import as_text
from evonas.training.settings import OBJECTIVES
from evonas.types import Failure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from evonas.run.loop import Run


def as_card(run: Run) -> str:
    """How far it is, and the best with its metrics and its picture, as HTML."""
    from evonas.drawing import draw

    failed = sum(evaluation.measurement.failure != Failure.NONE for evaluation in run.evaluations)
    rows = {
        "space": run.population.space,
        "evaluations": f"{run.population.evaluations:,} of {run.budget:,}, of which {failed:,} failed",
        "device seconds": f"{run.device_seconds:,.1f}",
        "workdir": "none: kept in memory" if run.workdir is None else run.workdir,
    }
    picture = ""
    if run.population.history.best is not None:
        best = run.best
        rows |= {"best": f"candidate {best.id}: {best.architecture}", "fitness": as_text(best.fitness)}
        rows |= {name: _number(value) for name, value in best.measurement.metrics.items()}
        picture = draw(run.population.space, best.genome).svg
    return card("Run", rows, picture)


def pareto(run: Run, cost: str | None) -> Figure:
    """See `Run.plot_pareto`."""
    from evonas.drawing.charts import pareto_chart

    succeeded = [evaluation for evaluation in run.evaluations if evaluation.fitness]
    objectives = getattr(run.evaluator, "objectives", ())
    first, *others = objectives or [f"objective {n + 1}" for n in range(run.population.history.objectives)]
    if cost is None and others:
        values = np.array([evaluation.fitness[:2] for evaluation in succeeded]).reshape(-1, 2)
        names = (first, others[0])
    else:
        cost = cost or "parameters"
        values = np.array(
            [
                (evaluation.fitness[0], evaluation.measurement.metrics[cost])
                for evaluation in succeeded
                if cost in evaluation.measurement.metrics
            ]
        ).reshape(-1, 2)
        names = (first, cost)
    if not len(values):
        known = sorted({name for evaluation in succeeded for name in evaluation.measurement.metrics})
        raise ValueError(f"no evaluation has a metric {cost!r}; there are: {', '.join(known) or 'none'}")
    # Fitness is maximised: objectives that are costs are in it with the other sign.
    signs = np.array([OBJECTIVES.get(first, 1.0), OBJECTIVES.get(names[1], 1.0) if others and cost is None else 1.0])
    return pareto_chart(values * signs, names, (signs[0] < 0, cost is not None or signs[1] < 0))


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
