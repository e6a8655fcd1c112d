"""The report of one run."""

from __future__ import annotations

import json

from evonas.report.drawings import packed_drawings
from evonas.report.page import render
from evonas.report.panels import Config, Section
from evonas.report.sections.ancestry import ancestry
from evonas.report.sections.candidates import candidates, table_of
from evonas.report.sections.devices import devices
from evonas.report.sections.genes import genes
from evonas.report.sections.progress import progress
from evonas.report.sections.result import result
from evonas.report.sections.tradeoff import tradeoff
from evonas.report.subject import Subject

SECTIONS = (result, progress, genes, tradeoff, ancestry, devices, candidates)


def report(subject: Subject) -> str:
    """One HTML file that tells of a run, and needs nothing else to be looked at.

    Raises:
        ValueError: if no candidate has a fitness yet.
    """
    sections = [section for make in SECTIONS if (section := make(subject)) is not None]
    shown = Config(wide=True, content=json.dumps(subject.config, indent=2))
    sections.append(Section("config", "Config", "", [shown]))
    drawn = [(subject.space, evaluation) for evaluation in subject.evaluations]
    data = {"table": table_of(subject), "drawings": packed_drawings(drawn)}
    return render(subject.title, _subtitle(subject), sections, data)


def _subtitle(subject: Subject) -> str:
    config = subject.config
    done = f"{len(subject.evaluations):,} of {config['evaluations']:,} evaluations, seed {config['seed']}"
    return f"{subject.workdir}: {done}. {subject.space or ''}"
