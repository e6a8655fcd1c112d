"""Evaluations as a data frame, one row each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.types import NOBODY

if TYPE_CHECKING:
    import pandas as pd

    from evonas.run.log import Evaluation


def to_dataframe(evaluations: Iterable[Evaluation], genes: Iterable[str] | None = None) -> pd.DataFrame:
    """One row an evaluation, in the order given.

    The columns are those of `evonas.Population.to_dataframe`, and what a run measures besides:

    - ``id``: int64, from 0 in the order of asking.
    - ``architecture``: text, which ``space.parse`` reads.
    - ``fitness``, or of several objectives ``fitness_0`` and so on: float64, maximised; NaN if the candidate failed.
    - ``parent``, ``second_parent``: int64 ids, -1 where there is none.
    - ``failure``: text, why the candidate has no fitness; empty if it has one.
    - ``gene NAME``: int64, which of its choices the gene has, from 0.
    - ``metric NAME``: what else was measured. Int64 of integers, float64 of numbers; missing where it was not measured.
    - ``seconds``: float64, from the start of the candidate's group until its device was done; 0 if it was not trained.
    - ``finished``: time, in UTC.

    Args:
        evaluations: of a history.
        genes: the names, as ``space.genes`` has them; by default 0, 1, and so on.

    Raises:
        ValueError: if there are not as many names as genes.
    """
    import pandas as pd

    rows = list(evaluations)
    genomes = list(zip(*(row.genome for row in rows), strict=True))
    names = list(range(len(genomes)) if genes is None else genes)
    if rows and len(names) != len(genomes):
        raise ValueError(f"expected {len(genomes)} names of genes, got {len(names)}: give those of the run's space")
    return pd.DataFrame(
        {
            "id": np.array([row.id for row in rows], np.int64),
            "architecture": pd.Series([row.architecture for row in rows], dtype="str"),
            **_fitness(rows),
            "parent": np.array([row.parents[0] for row in rows], np.int64),
            "second_parent": np.array([(*row.parents, NOBODY)[1] for row in rows], np.int64),
            "failure": pd.Series([str(row.measurement.failure) for row in rows], dtype="str"),
            **{f"gene {name}": np.array(genomes[place] if rows else (), np.int64) for place, name in enumerate(names)},
            **_metrics([row.measurement.metrics for row in rows]),
            "seconds": np.array([row.measurement.seconds for row in rows], float),
            "finished": pd.to_datetime(np.array([row.finished for row in rows], float), unit="s", utc=True),
        }
    )


def _fitness(rows: Sequence[Evaluation]) -> dict[str, np.ndarray]:
    objectives = max((len(row.fitness) for row in rows), default=0) or 1
    failed = (math.nan,) * objectives
    values = np.array([row.fitness or failed for row in rows], float).reshape(-1, objectives)
    return {"fitness": values[:, 0]} if objectives == 1 else {f"fitness_{i}": values[:, i] for i in range(objectives)}


def _metrics(rows: Sequence[dict[str, Any]]) -> dict[str, pd.Series]:
    """A column a name, in the order in which they first occur."""
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        kinds = {type(value) for value in values} - {type(None)}
        kind = "Int64" if kinds == {int} else "float64" if kinds <= {int, float} else "object"
        columns[f"metric {name}"] = pd.Series(values, dtype=kind)
    return columns
