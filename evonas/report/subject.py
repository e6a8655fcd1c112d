"""What a report is about: a run, as its workdir tells it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from evonas.report.formats import label
from evonas.report.panels import Command
from evonas.run import Evaluation, best_of
from evonas.spaces import Space
from evonas.training.settings import OBJECTIVES
from evonas.types import Span


class Objective(NamedTuple):
    """One number of the fitness, as people read it."""

    name: str
    sign: float  # fitness = sign * value

    @property
    def better(self) -> str:
        """Which way is better."""
        return "higher is better" if self.sign > 0 else "lower is better"


@dataclasses.dataclass(frozen=True)
class Subject:
    """A run.

    Attributes:
        workdir: where it lies.
        config: its settings, as ``config.json`` has them.
        evaluations: its history.
        space: fitted to the data; None where it is of a program that is not here.
        examples: number of examples of each split; empty where the data can't be read.
        test: metrics of the best on the test data, where they were measured.
        commands: that give the best again.
        spans: what the devices did; empty where nothing is known of it.
    """

    workdir: str
    config: Mapping[str, Any]
    evaluations: Sequence[Evaluation]
    space: Space | None
    examples: Mapping[str, int]
    test: Mapping[str, Any] | None
    commands: Sequence[Command]
    spans: Sequence[Span] = ()

    @cached_property
    def succeeded(self) -> list[Evaluation]:
        """Evaluations that have a fitness."""
        return [evaluation for evaluation in self.evaluations if evaluation.fitness]

    @cached_property
    def best(self) -> Evaluation:
        """The best by the first objective; of equals the one of the lowest id.

        Raises:
            ValueError: if no candidate has a fitness.
        """
        if (best := best_of(self.evaluations)) is None:
            raise ValueError(f"no candidate of {self.workdir} has a fitness yet: a report needs one")
        return best

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What the numbers of the fitness are."""
        training = self.config.get("training") or {}
        names = tuple(training.get("objectives", ()))
        if not names and training:
            names = ("accuracy" if "accuracy" in self.best.measurement.metrics else "mean_absolute_error",)
        if names:
            return tuple(Objective(label(name), OBJECTIVES[name]) for name in names)
        count = len(self.best.fitness)
        return tuple(Objective("fitness" if count == 1 else f"objective {place + 1}", 1.0) for place in range(count))

    @property
    def title(self) -> str:
        """What was searched, on what."""
        space, data = _type(self.config["space"]), self.config.get("data")
        return f"{space} on {data.get('name', _type(data))}" if isinstance(data, dict) else space

    @property
    def population_size(self) -> int:
        """Members of the population."""
        return int(self.config["algorithm"]["population_size"])

    @property
    def seconds(self) -> np.ndarray:
        """``[N]`` device seconds spent up to the end of each evaluation."""
        return np.cumsum([evaluation.measurement.seconds for evaluation in self.evaluations])

    def values(self, objective: int = 0) -> np.ndarray:
        """``[N]`` the values of an objective, NaN where there is none."""
        sign = self.objectives[objective].sign
        return np.array(
            [sign * evaluation.fitness[objective] if evaluation.fitness else np.nan for evaluation in self.evaluations]
        )

    def metric(self, name: str) -> np.ndarray:
        """``[N]`` a metric, NaN where it was not measured."""
        return np.array([_number(evaluation.measurement.metrics.get(name)) for evaluation in self.evaluations])


def _type(description: Any) -> str:
    """The class that a description is of."""
    return str(description.get("type", "")).rpartition(":")[2] if isinstance(description, dict) else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
