"""The result: the best architecture, its accuracy with an interval, what it costs, and how to have it again."""

from __future__ import annotations

from evonas.report.analysis import wilson_interval
from evonas.report.formats import duration, label, value_of
from evonas.report.panels import Hero, Measure, Section
from evonas.report.subject import Subject
from evonas.types import NOBODY


def result(subject: Subject) -> Section:
    """The best by the first objective."""
    best = subject.best
    hero = Hero(
        wide=True,
        candidate=best.id,
        architecture=best.architecture,
        measures=_measures(subject),
        facts=_facts(subject),
        commands=subject.commands,
    )
    return Section("result", "Result", "", [hero])


def _measures(subject: Subject) -> list[Measure]:
    """The first objective, and what the test said."""
    objective = subject.objectives[0]
    value = objective.sign * subject.best.fitness[0]
    searched = subject.config.get("training") is not None
    where = " on the validation data, which chose it among " if searched else ": the best of "
    about = f"{objective.name}{where}{len(subject.succeeded):,}"
    measures = [_measure(subject, objective.name, value, "validation", about)]
    if subject.test is not None and (key := objective.name.replace(" ", "_")) in subject.test:
        about = f"{objective.name} on the test data, read once"
        measures.append(_measure(subject, objective.name, float(subject.test[key]), "test", about))
    return measures


def _measure(subject: Subject, name: str, value: float, split: str, about: str) -> Measure:
    """With its interval, where it is a share of examples whose number is known."""
    examples = subject.examples.get(split)
    if name == "accuracy" and not examples:
        about = f"{about}; no interval: the data could not be read"
    elif name == "accuracy" and examples:
        low, high = wilson_interval(round(value * examples), examples)
        about = f"{about}; 95 % interval {100 * low:.1f} to {100 * high:.1f} % ({examples:,} examples)"
    return Measure(value_of(name, value), about)


def _facts(subject: Subject) -> dict[str, str]:
    best = subject.best
    metrics = best.measurement.metrics
    facts = {
        objective.name: value_of(objective.name, objective.sign * value)
        for objective, value in list(zip(subject.objectives, best.fitness, strict=True))[1:]
    }
    for name in ("parameters", "multiply_adds", "loss", "macro_f1"):
        if name in metrics:
            shown = label(name)
            facts[shown] = value_of(shown, float(metrics[name]))
    facts["candidate"] = f"{best.id} of {len(subject.evaluations):,}"
    parents = [str(parent) for parent in best.parents if parent != NOBODY]
    facts["parents"] = ", ".join(parents) or "none: a founder"
    facts["trained in"] = duration(best.measurement.seconds)
    facts["mean of all"] = value_of(subject.objectives[0].name, _mean(subject))
    return facts


def _mean(subject: Subject) -> float:
    values = [evaluation.fitness[0] for evaluation in subject.succeeded]
    return subject.objectives[0].sign * sum(values) / len(values)
