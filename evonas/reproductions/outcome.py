"""What a reproduction found, beside what was published."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Published(NamedTuple):
    """A published mean.

    Attributes:
        mean: as printed.
        deviation: of the repeats; 0 where none was printed.
        repeats: of it.
        rounding: half of its last digit.
        text: what a table shows of it.
    """

    mean: float
    deviation: float
    repeats: int
    rounding: float
    text: str

    def band(self, repeats: int) -> tuple[float, float]:
        """Where as many repeats of the same have their mean, but in three of a thousand cases."""
        width = 3 * self.deviation * math.sqrt(1 / self.repeats + 1 / repeats) + self.rounding
        return self.mean - width, self.mean + width


@dataclasses.dataclass(frozen=True)
class Finding:
    """One figure.

    Attributes:
        quantity: what it is of.
        published: the figure, as text; empty where none was published.
        mean: ours.
        error: standard error of the mean; NaN for a single value.
        deviation: standard deviation of the repeats; NaN for a single value.
        repeats: independent ones.
        band: where ours is expected to lie, or None.
        remark: why it lies elsewhere, or anything else a reader should know.
    """

    quantity: str
    published: str
    mean: float
    error: float
    deviation: float
    repeats: int
    band: tuple[float, float] | None = None
    remark: str = ""

    @staticmethod
    def of(quantity: str, values: Any, published: Published | None = None, remark: str = "") -> Finding:
        """The finding of repeats ``[R]``; the remark is for one outside the published mean's band."""
        repeats = np.asarray(values, np.float64)
        deviation = float(repeats.std(ddof=1)) if len(repeats) > 1 else math.nan
        error = deviation / math.sqrt(len(repeats))
        band = None if published is None else published.band(len(repeats))
        text = "" if published is None else published.text
        mean = float(repeats.mean())
        outside = band is not None and not band[0] <= mean <= band[1]
        return Finding(quantity, text, mean, error, deviation, len(repeats), band, remark if outside else "")

    @property
    def within(self) -> bool | None:
        """Whether it lies in its band; None if it has none."""
        return None if self.band is None else self.band[0] <= self.mean <= self.band[1]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """All figures of an experiment.

    Attributes:
        name: as on the command line.
        paper: whose figures are reproduced.
        findings: the figures.
        panels: of the plot.
        command: that gives these figures again; the command line fills it in.
        made: when, on what, and in what time; likewise.
    """

    name: str
    paper: str
    findings: tuple[Finding, ...]
    panels: tuple[Panel, ...] = ()
    command: str = ""
    made: str = ""

    def to_json(self) -> str:
        """As text that `from_json` reads."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> Outcome:
        """The outcome of a text."""
        found = json.loads(text)
        findings = (
            Finding(**(each | {"band": None if each["band"] is None else tuple(each["band"])}))
            for each in found.pop("findings")
        )
        panels = tuple(Panel.stored(each) for each in found.pop("panels"))
        return Outcome(**found, findings=tuple(findings), panels=panels)


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a plot, with a band of one standard error or deviation to each side; or points, not joined."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    width: Sequence[float] = ()
    joined: bool = True

    @staticmethod
    def of(name: str, curves: np.ndarray, first: int = 1) -> Line:
        """The mean of repeats ``[R, N]`` over `first` to N, with its standard error where there are several."""
        shown = curves[:, first - 1 :]
        width = shown.std(0, ddof=1) / math.sqrt(len(shown)) if len(shown) > 1 else np.zeros(0)
        return Line(name, list(range(first, curves.shape[1] + 1)), shown.mean(0).tolist(), width.tolist())


@dataclasses.dataclass(frozen=True)
class Panel:
    """One pair of axes: our lines, and the points that were published."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    published: tuple[tuple[float, float], ...] = ()

    @staticmethod
    def stored(fields: dict[str, Any]) -> Panel:
        """The panel of JSON's lists and dictionaries."""
        lines = tuple(Line(**line) for line in fields["lines"])
        return Panel(fields["title"], fields["x"], fields["y"], lines, tuple(map(tuple, fields.get("published", ()))))


def table(outcome: Outcome) -> str:
    """The findings as columns of text."""
    head = ("", "published", "ours", "repeats", "in the band")
    rows = [head, *(_cells(finding) for finding in outcome.findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(outcomes: Sequence[Outcome], pictures: Sequence[str], notes: Sequence[str]) -> str:
    """The findings of all outcomes as a page; a picture and a note each, or "" for none."""
    parts = [
        "# Reproduced experiments\n\nMade by `evonas reproduce --page FILE.md DIR ...` of what `evonas reproduce` "
        "wrote. A band is where the mean of as many repeats is expected: to each side of the published mean three "
        "standard errors of the difference, by the published deviation, and the published rounding. s.e. is the "
        "standard error of the mean.\n",
        *_summary(outcomes),
    ]
    for outcome, picture, note in zip(outcomes, pictures, notes, strict=True):
        parts.append(f"\n## {outcome.name}\n\n{outcome.paper}.\n\n`{outcome.command}`: {outcome.made}.\n")
        parts += [f"![{outcome.name}]({picture})\n"] if picture else []
        parts.append("| | published | ours | repeats | in the band |\n| --- | ---: | ---: | ---: | --- |")
        for finding in outcome.findings:
            cells = (cell.replace("|", "\\|") for cell in _cells(finding))
            parts.append(f"| {' | '.join(cells)} |")
        parts += [f"\n{finding.quantity}: {finding.remark}" for finding in outcome.findings if finding.remark]
        parts += [f"\n{note}"] if note else []
    return "\n".join(parts) + "\n"


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    rows = ["| experiment | of | in the band | repeats |", "| --- | --- | ---: | ---: |"]
    for outcome in outcomes:
        banded = [finding.within for finding in outcome.findings if finding.band is not None]
        within = f"{sum(map(bool, banded))} of {len(banded)}" if banded else "no figure at this size"
        repeats = max(finding.repeats for finding in outcome.findings)
        rows.append(f"| [{outcome.name}](#{outcome.name}) | {outcome.paper} | {within} | {repeats} |")
    return rows


def _cells(finding: Finding) -> tuple[str, ...]:
    digits = max(0, 2 - math.floor(math.log10(max(abs(finding.mean), 1e-9)))) if abs(finding.mean) < 10 else 2
    ours = f"{finding.mean:.{digits}f}"
    if finding.repeats > 1:
        ours += f" +- {finding.deviation:.{digits}f} (s.e. {finding.error:.{digits + 1}f})"
    within = {True: "yes", False: "NO", None: ""}[finding.within]
    if finding.band is not None:
        within += f" [{finding.band[0]:.4g}, {finding.band[1]:.4g}]"
    return finding.quantity, finding.published, ours, str(finding.repeats), within.strip()
