"""Where the best came from, ancestor by ancestor."""

from __future__ import annotations

from evonas.report.analysis import lineage
from evonas.report.formats import difference_of, value_of
from evonas.report.panels import Ancestor, Lineage, Section
from evonas.report.subject import Objective, Subject
from evonas.run import Evaluation


def ancestry(subject: Subject) -> Section:
    """The lineage along first parents, the founder first."""
    steps = lineage(subject.evaluations, subject.best.id, subject.space)[::-1]
    objective = subject.objectives[0]
    ancestors, before = [], None
    for place, step in enumerate(steps):
        ancestors.append(_ancestor(objective, place, step.evaluation, step.changed, before))
        before = step.evaluation
    changes = len(steps) - 1
    lead = f"{changes} step{'' if changes == 1 else 's'} from a random founder to the best." if changes else ""
    lead = lead or "The best is a random founder."
    return Section("lineage", "Lineage of the best", lead, [Lineage(wide=True, steps=ancestors)])


def _ancestor(
    objective: Objective, place: int, evaluation: Evaluation, changed: str, before: Evaluation | None
) -> Ancestor:
    value = _value(objective, evaluation)
    gain, direction = "", "up"
    if before is not None and value is not None and (previous := _value(objective, before)) is not None:
        difference = value - previous
        gain = difference_of(objective.name, difference)
        direction = "up" if difference * objective.sign >= 0 else "down"
    return Ancestor(
        candidate=evaluation.id,
        title=f"{'founder' if place == 0 else f'step {place}'}: candidate {evaluation.id}",
        fitness="failed" if value is None else value_of(objective.name, value),
        gain=gain,
        direction=direction,
        change=changed,
    )


def _value(objective: Objective, evaluation: Evaluation) -> float | None:
    return objective.sign * evaluation.fitness[0] if evaluation.fitness else None
