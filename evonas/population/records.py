"""The history's rows as people read them: records and data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from evonas.population.history import History
from evonas.spaces.base import Space
from evonas.types import NOBODY, Failure

if TYPE_CHECKING:
    import pandas as pd


class Record(NamedTuple):
    """One evaluated candidate."""

    id: int
    genome: np.ndarray  # [L] int32
    architecture: str  # the genome as the space's text
    fitness: tuple[float, ...]  # one number an objective; NaN if it failed
    parents: tuple[int, ...]  # ids
    failure: Failure

    @classmethod
    def of(cls, space: Space, history: History, row: int) -> Self:
        """The record of one row."""
        genome = history.genomes[row].astype(np.int32)
        return cls(
            id=int(history.ids[row]),
            genome=genome,
            architecture=space.format(genome),
            fitness=tuple(float(value) for value in history.fitness[row]),
            parents=tuple(int(parent) for parent in history.parents[row] if parent != NOBODY),
            failure=history.failure(row),
        )


def to_dataframe(space: Space, history: History) -> pd.DataFrame:
    """See `Population.to_dataframe`."""
    import pandas as pd

    objectives = history.objectives
    names = ["fitness"] if objectives == 1 else [f"fitness_{i}" for i in range(objectives)]
    return pd.DataFrame(
        {
            "id": history.ids,
            "architecture": [space.format(genome.astype(np.int32)) for genome in history.genomes],
            **{name: history.fitness[:, i] for i, name in enumerate(names)},
            "parent": history.parents[:, 0],
            "second_parent": history.parents[:, 1],
            "failure": [str(history.failure(row)) for row in range(len(history))],
            **{f"gene {name}": history.genomes[:, i] for i, name in enumerate(space.genes)},
        }
    )
