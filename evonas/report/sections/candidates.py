"""All candidates as columns, which the page's script shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas.report.formats import label
from evonas.report.panels import Browser, Section
from evonas.report.subject import Subject
from evonas.types import NOBODY

COSTS = ("parameters", "multiply_adds")


def candidates(subject: Subject) -> Section:
    """The place of the table."""
    del subject
    lead = "Click a row for its drawing, a column's name to sort; the arrow keys go from row to row."
    return Section("candidates", "All candidates", lead, [Browser(wide=True)])


def table_of(subject: Subject) -> dict[str, Any]:
    """The columns: names, labels, how they are shown, and their values by row of the history."""
    evaluations = subject.evaluations
    columns = [numbers("id", "id", [evaluation.id for evaluation in evaluations], width="4.5rem")]
    for place, objective in enumerate(subject.objectives):
        values = subject.values(place)
        whole = not np.any(np.nan_to_num(values) % 1)
        shown = [_rounded(value) for value in values]
        columns.append(
            numbers(
                f"objective{place}",
                objective.name,
                shown,
                digits=None if whole else 4,
                descending=place == 0 and objective.sign > 0,
            )
        )
    for name in COSTS:
        values = subject.metric(name)
        if np.isfinite(values).any() and label(name) not in {objective.name for objective in subject.objectives}:
            columns.append(numbers(name, label(name), [_rounded(value) for value in values]))
    seconds = [round(evaluation.measurement.seconds, 1) for evaluation in evaluations]
    parents = [", ".join(str(id_) for id_ in evaluation.parents if id_ != NOBODY) for evaluation in evaluations]
    columns += [
        numbers("seconds", "seconds", seconds, digits=1, width="5.5rem"),
        texts("parents", "parents", parents, width="5.5rem"),
        texts("failure", "failure", [str(one.measurement.failure) for one in evaluations], width="6.5rem"),
        texts("architecture", "architecture", [one.architecture for one in evaluations], width="auto"),
    ]
    return {"columns": columns}


def numbers(
    name: str,
    shown_as: str,
    values: list[Any],
    *,
    digits: int | None = None,
    descending: bool = False,
    width: str = "7.5rem",
) -> dict[str, Any]:
    """A column of numbers: a digit group for thousands, or so many digits behind the point."""
    shown = {"numeric": True, "digits": digits, "descending": descending, "width": width}
    return {"name": name, "label": shown_as, "values": values} | shown


def texts(name: str, shown_as: str, values: list[str], width: str) -> dict[str, Any]:
    """A column of texts."""
    shown = {"numeric": False, "digits": None, "descending": False, "width": width}
    return {"name": name, "label": shown_as, "values": values} | shown


def _rounded(value: float) -> float | int | None:
    """As JSON may hold it, in few digits."""
    if not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")
