"""Which changes of a genome made better children."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evonas.report.analysis.fitness import first_fitness
from evonas.report.analysis.genomes import changed_genes, describe_changes
from evonas.run.log import Evaluation
from evonas.spaces.base import Space
from evonas.types import NOBODY


class MutationKind(NamedTuple):
    """How children that came about in one way did, against their parents."""

    name: str
    tried: int  # children, failed ones included
    improved: int  # of them, those better than their parent: of two parents, than both
    mean_gain: float  # fitness of those that did not fail less their better parent's; NaN if all failed

    @property
    def success_rate(self) -> float:
        """Share of the children that are better than their parent."""
        return self.improved / self.tried


def mutation_success(space: Space, evaluations: Sequence[Evaluation]) -> list[MutationKind]:
    """How often each kind of change made a child that is better than its parent.

    What a mutation did is read off the genomes: one gene that changed is a kind for each gene and each of its changes,
    as ``0->1: none -> skip_connect``; more of them are a kind for each number of genes, as ``2 genes at once``. Others
    are ``no change`` and, with two parents, ``crossover``.

    Args:
        space: names the genes.
        evaluations: the history; children without a parent in it that has a fitness are passed over.

    Returns:
        The kinds that occur, the most tried first.
    """
    fitness = first_fitness(evaluations)
    row_of = {evaluation.id: row for row, evaluation in enumerate(evaluations)}
    gains: dict[str, list[float]] = defaultdict(list)
    for row, child in enumerate(evaluations):
        parents = [row_of[parent] for parent in child.parents if parent in row_of]
        known = [fitness[parent] for parent in parents if not math.isnan(fitness[parent])]
        if known:
            kind = _kind(space, evaluations[parents[0]], child)
            gains[kind].append(fitness[row] - max(known))
    kinds = [_summary(name, np.array(values)) for name, values in gains.items()]
    return sorted(kinds, key=lambda kind: (-kind.tried, kind.name))


def _kind(space: Space, parent: Evaluation, child: Evaluation) -> str:
    if sum(known != NOBODY for known in child.parents) > 1:
        return "crossover"
    genes = changed_genes(parent.genome, child.genome)
    if len(genes) == 1:
        return describe_changes(space, genes, parent.genome, child.genome)
    return f"{len(genes)} genes at once" if genes else "no change"


def _summary(name: str, gains: np.ndarray) -> MutationKind:
    succeeded = gains[~np.isnan(gains)]
    mean = float(succeeded.mean()) if succeeded.size else math.nan
    return MutationKind(name, len(gains), int((succeeded > 0).sum()), mean)
