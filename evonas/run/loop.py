"""The search itself: ask, evaluate, tell. It knows nothing of how a candidate is evaluated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from etils import epath

from evonas.population import Population
from evonas.preemption import Notice, never
from evonas.run.callback import Callback
from evonas.run.frame import to_dataframe
from evonas.run.log import Evaluation, RunLog
from evonas.run.processes import Rounds, is_first
from evonas.run.result import keep_test, kept_test
from evonas.run.timeline import Timeline
from evonas.types import FAILED, NOBODY, Candidates, Failure, Measurement, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Evaluator(Protocol):
    """Measures candidates: a training program, a table, a function of the user's.

    Attributes:
        held_seconds: of its devices while candidates are trained, for showing; 0 where none are.
        trained_seconds: of those, the ones in which a device trained a candidate.
    """

    held_seconds: float
    trained_seconds: float

    def __call__(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        """Yield rows of the candidates and their measurements as they get done; in the end each row once."""

    def groups(self, candidates: Candidates, processes: int = 1) -> list[np.ndarray]:
        """Groups of rows to measure together, those first that take longest.

        Args:
            candidates: to be measured.
            processes: that take a group each at a time.
        """

    def told(self, ids: Sequence[int], fitness: Sequence[float]) -> None:
        """Take notice of candidates that are in the history now: ids, and the first fitness, -inf of what failed."""

    def take_spans(self) -> list[Span]:
        """What its devices did since the last call."""

    def test(self, candidate: int, genome: np.ndarray) -> Measurement:
        """Measure one candidate on data that the search does not see; ValueError where there are none."""


class Run:
    """A search with all that it found.

    Attributes:
        population: the population, its history included.
        log: every evaluation.
        evaluator: what measures candidates.
        budget: evaluations to do.
        workdir: the directory, or None.
        rounds: what has candidates measured, and knows how long devices waited.
        timeline: what the devices do, for showing.
    """

    def __init__(
        self,
        population: Population,
        log: RunLog,
        evaluator: Evaluator,
        budget: int,
        workdir: epath.Path | None = None,
        notice: Notice = never,
        timeline: Timeline | None = None,
    ):
        self.population, self.log, self.evaluator = population, log, evaluator
        self.budget, self.workdir = budget, workdir
        self.rounds = Rounds(evaluator, notice)
        self.timeline = Timeline() if timeline is None else timeline

    def __repr__(self) -> str:
        told = self.population.history.best is not None
        best = f"best {self.best.fitness}: {self.best.architecture}" if told else "no fitness yet"
        place = "" if self.workdir is None else f", in {self.workdir}"
        return f"Run({self.population.evaluations} of {self.budget} evaluations{place}; {best})"

    def _repr_html_(self) -> str:
        from evonas.run.pictures import as_card

        return as_card(self)

    def plot_pareto(self, cost: str | None = None) -> Figure:
        """All evaluations by fitness and cost, and the front of those that no other beats in both.

        Args:
            cost: a metric to be small, such as "parameters", "multiply_adds" or "loss". By default the second objective
                if there are several, else the parameters.

        Returns:
            A matplotlib figure of its own, which notebooks show and ``savefig`` writes.

        Raises:
            ImportError: if matplotlib is not installed.
            ValueError: if no evaluation has that metric.
        """
        from evonas.run.pictures import pareto

        return pareto(self, cost)

    @property
    def best(self) -> Evaluation:
        """The best evaluation: id, genome, architecture, measurement.

        Raises:
            ValueError: if none has succeeded.
        """
        best = self.log.get(self.population.best.id)
        assert best is not None
        return best

    @property
    def evaluations(self) -> list[Evaluation]:
        """All that was told to the population, in the order of telling."""
        return [evaluation for candidate in self.population.history.ids if (evaluation := self.log.get(int(candidate)))]

    def to_dataframe(self) -> pd.DataFrame:
        """One row an evaluation, in the order of telling; the columns are described at `evonas.run.to_dataframe`."""
        return to_dataframe(self.evaluations, self.population.space.genes)

    @property
    def device_seconds(self) -> float:
        """Time of all evaluations on their devices, those of earlier processes included."""
        return sum(evaluation.measurement.seconds for evaluation in self.evaluations)

    @property
    def founders_fitness(self) -> np.ndarray:
        """First fitness of the random founders, those before the first child, that did not fail: ``[F]``.

        Of random search, which has no children, as many as its population.
        """
        children = [evaluation.id for evaluation in self.evaluations if set(evaluation.parents) != {NOBODY}]
        first = min(children, default=self.population.algorithm.population_size)
        return np.array([found.fitness[0] for found in self.evaluations if found.id < first and found.fitness])

    def test(self) -> dict[str, Any]:
        """Test metrics of the best, trained exactly as in the search. In a workdir they are measured but once.

        Raises:
            ValueError: if none has succeeded, there are no test data, or the training failed this time.
        """
        best = self.best
        kept = None if self.workdir is None else kept_test(self.workdir, best.id)
        if kept is not None:
            return kept
        measurement = self.evaluator.test(best.id, np.array(best.genome))
        if measurement.failure != Failure.NONE:
            raise ValueError(
                f"candidate {best.id} could not be trained again for its test ({measurement.failure}): free memory, "
                "or use the device and versions of the search, and repeat"
            )
        if self.workdir is not None and len(self.log) <= self.budget:  # the best of its beginning is not the run's
            keep_test(self.workdir, best, measurement.metrics)
        return measurement.metrics


def search_loop(run: Run, *, batch_size: int, reuse_repeats: bool, callbacks: Sequence[Callback] = ()) -> Run:
    """Evaluate until the budget is spent.

    Rounds are always asked for whole: where the budget ends within one, its rest stays pending, so that a longer
    budget later continues as if it had been there from the start. What the log holds already is not evaluated again.

    Args:
        run: new, or with a log of earlier processes.
        batch_size: candidates asked for at once.
        reuse_repeats: whether a known architecture is answered from its first evaluation.
        callbacks: told what happens, in the first of several processes.

    Raises:
        ValueError: if the log is not the history of this search.
        Preempted: if the notice is given.
    """
    callbacks = callbacks if is_first() else ()
    for callback in callbacks:
        callback.started(run)
    population = run.population
    if len(run.log) < run.budget:  # else what is left of them is of an interrupted test
        _tell_evaluator(run, run.log)
    while population.evaluations < run.budget:
        pending = population.pending
        candidates = population.ask(batch_size) if pending is None else pending
        candidates = candidates[: run.budget - population.evaluations]
        known = len(run.log)
        _evaluate(run, candidates, reuse_repeats, callbacks)
        _tell(run, candidates)
        if len(run.log) > known:
            _tell_evaluator(run, filter(None, (run.log.get(int(candidate)) for candidate in candidates.ids)))
    for callback in callbacks:
        callback.finished(run)
    return run


def _evaluate(run: Run, candidates: Candidates, reuse_repeats: bool, callbacks: Sequence[Callback]) -> None:
    """Bring the log up to all of the candidates."""
    for row in range(len(candidates)):
        _check_known(run, candidates, row)
    first = run.population.known(candidates) if reuse_repeats else candidates.ids
    missing = [row for row in range(len(candidates)) if run.log.get(int(candidates.ids[row])) is None]
    fresh = np.array([row for row in missing if first[row] == candidates.ids[row]], int)
    if fresh.size:
        try:
            for rows, measurements in run.rounds.measure(candidates[fresh]):
                run.timeline.add(run.rounds.take_spans())
                _check_count_of_objectives(run, measurements)
                _record(run, candidates, fresh[rows], measurements, callbacks)
        finally:
            run.timeline.add(run.rounds.take_spans())
    for row in missing:
        if first[row] != candidates.ids[row]:
            known = run.log.get(int(first[row])).measurement  # type: ignore[union-attr]
            answer = known._replace(metrics=known.metrics | {"repeats": int(first[row])}, seconds=0.0)
            _record(run, candidates, [row], [answer], callbacks)


def _record(
    run: Run,
    candidates: Candidates,
    rows: Sequence[int] | np.ndarray,
    measurements: list[Measurement],
    callbacks: Sequence[Callback],
) -> None:
    now = time.time()
    evaluations = [
        Evaluation(
            id=int(candidates.ids[row]),
            genome=tuple(int(gene) for gene in candidates.genomes[row]),
            architecture=run.population.space.format(candidates.genomes[row]),
            parents=tuple(int(parent) for parent in candidates.parents[row]),
            measurement=measurement,
            finished=now,
        )
        for row, measurement in zip(rows, measurements, strict=True)
    ]
    run.log.append(evaluations)
    for evaluation in evaluations:
        for callback in callbacks:
            callback.evaluated(run, evaluation)


def _tell(run: Run, candidates: Candidates) -> None:
    measurements = [run.log.get(int(candidate)).measurement for candidate in candidates.ids]  # type: ignore[union-attr]
    objectives = max((len(measurement.fitness) for measurement in measurements), default=0)
    objectives = objectives or run.population.history.objectives
    fitness = np.full((len(candidates), objectives), np.nan, np.float32)
    for row, measurement in enumerate(measurements):
        if measurement.failure == Failure.NONE:
            fitness[row] = measurement.fitness
    run.population.tell(candidates, fitness, [measurement.failure for measurement in measurements])


def _tell_evaluator(run: Run, evaluations: Iterable[Evaluation]) -> None:
    known = [(each.id, each.fitness[0] if each.fitness else FAILED) for each in evaluations]
    run.evaluator.told([candidate for candidate, _ in known], [fitness for _, fitness in known])


def _check_count_of_objectives(run: Run, measurements: list[Measurement]) -> None:
    """Refuse what can't be told, before it is in the history for good."""
    first = next((len(evaluation.fitness) for evaluation in run.log if evaluation.fitness), None)
    for objectives in (len(measurement.fitness) for measurement in measurements if measurement.fitness):
        if objectives > 1 and not run.population.algorithm.several_objectives:
            raise ValueError(
                f"this algorithm compares one objective, got {objectives}: use evonas.nsga2(), or measure one"
            )
        first = first or objectives
        if objectives != first:
            raise ValueError(f"a fitness has {objectives} objectives, those before it had {first}")


def _check_known(run: Run, candidates: Candidates, row: int) -> None:
    known = run.log.get(int(candidates.ids[row]))
    if known is not None and known.genome != tuple(int(gene) for gene in candidates.genomes[row]):
        raise ValueError(
            f"the history's candidate {known.id} is {known.architecture}, but this search proposes "
            f"{run.population.space.format(candidates.genomes[row])}: the workdir {run.workdir} belongs to another "
            "search, to another version of evonas or JAX, or its history was edited; restore it or use a new workdir"
        )
