"""How an architecture came about, ancestor by ancestor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evonas.report.analysis.genomes import changed_genes, describe_changes
from evonas.run.log import Evaluation
from evonas.spaces.base import Space
from evonas.types import NOBODY

FOUNDER, UNCHANGED = "founder", "no change"


class Step(NamedTuple):
    """A candidate, and what it has that its first parent has not."""

    evaluation: Evaluation
    changed: str  # as ``0->1: none -> skip_connect``; "founder" of a random genome, "no change" of an equal one


def lineage(evaluations: Sequence[Evaluation], candidate: int, space: Space | None = None) -> list[Step]:
    """The candidate and its ancestors along first parents, back to a founder: as `evonas.Population.lineage`.

    What came from a second parent is marked ``crossover with 7``, 7 being its id.

    Args:
        evaluations: the history.
        candidate: its id.
        space: names the genes and their values; without it they are numbers.

    Raises:
        ValueError: if the candidate, or an ancestor, is not among the evaluations.
    """
    known = {evaluation.id: evaluation for evaluation in evaluations}
    steps: list[Step] = []
    while candidate != NOBODY:
        if candidate not in known:
            who = f"the parent of candidate {steps[-1].evaluation.id}" if steps else "the one asked for"
            raise ValueError(f"candidate {candidate}, {who}, is not among the evaluations: give the whole history")
        child = known[candidate]
        candidate = child.parents[0]
        steps.append(Step(child, _changed(space, known.get(candidate), child)))
    return steps


def _changed(space: Space | None, parent: Evaluation | None, child: Evaluation) -> str:
    if parent is None:
        return FOUNDER
    genes = changed_genes(parent.genome, child.genome)
    text = describe_changes(space, genes, parent.genome, child.genome) or UNCHANGED
    others = [str(other) for other in child.parents[1:] if other != NOBODY]
    return f"crossover with {', '.join(others)}: {text}" if others else text
