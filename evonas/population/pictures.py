"""What notebooks show of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.notebook import card

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from evonas.population.core import Population


def as_card(population: Population, pending: int) -> str:
    """Numbers, and the best with its picture, as HTML."""
    from evonas.drawing import draw

    failed = int((~np.isfinite(population.history.fitness[:, 0])).sum())
    rows = {
        "space": population.space,
        "told": f"{population.evaluations:,}, of which {failed:,} failed",
        "pending": f"{pending:,}",
        "seed": population.seed,
    }
    picture = ""
    if population.generations:
        measures = population.generations[-1].items()
        rows["diversity"] = ", ".join(
            f"{name.replace('_', ' ')} {value:.3f}" for name, value in measures if name != "evaluations"
        )
    if population.history.best is not None:
        best = population.best
        rows |= {"best": f"candidate {best.id}: {best.architecture}", "fitness": as_text(best.fitness)}
        picture = draw(population.space, best.genome).svg
    return card(f"Population of {type(population.space).__name__}", rows, picture)


def as_text(fitness: tuple[float, ...]) -> str:
    """A number an objective, in as many digits as matter."""
    return ", ".join(f"{value:.5g}" for value in fitness)


def plotted(population: Population) -> Figure:
    """See `Population.plot`."""
    from evonas.drawing.charts import history_chart

    if not population.evaluations:
        raise ValueError("there is nothing to plot yet: tell the fitness of candidates first")
    fitness = population.history.fitness[:, 0]
    return history_chart(fitness, population.algorithm.population_size, population.generations)
