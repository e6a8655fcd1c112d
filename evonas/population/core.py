"""`Population`: ask and tell around the pure core, with a history of all that was told."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from evonas.arguments import require_instance, require_seed
from evonas.evolution import Algorithm, State, pareto_front
from evonas.evolution.algorithm import resampling_key
from evonas.population import rows
from evonas.population.batches import fitness_rows, with_failures
from evonas.population.engine import Engine
from evonas.population.history import History
from evonas.population.pending import Pending
from evonas.population.proposals import check_of_space, repeats
from evonas.population.records import Record, to_dataframe
from evonas.spaces.base import Space
from evonas.threefry import seeded_key
from evonas.types import Candidates, Failure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ATTEMPTS = 10
"""Rounds of new proposals for candidates that repeat a known architecture."""


class Population:
    """A population under evolution: ask for candidates, evaluate them anywhere, tell their fitness.

    Asks and tells may overlap and come back out of order or in part. The same seed and the same order of calls give
    the same candidates, on any device.

    Args:
        space: where the genomes live.
        algorithm: for instance `evonas.regularized_evolution()`.
        seed: of all randomness, from 0 to 2^32 - 1.
        duplicates: "allow" proposals whose architecture is known, or "resample" them: up to `ATTEMPTS` times, as a
            small space may have nothing new left.
    """

    def __init__(
        self,
        space: Space,
        algorithm: Algorithm,
        *,
        seed: int = 0,
        duplicates: Literal["allow", "resample"] = "allow",
    ):
        require_instance("space", space, Space)
        require_instance("algorithm", algorithm, Algorithm)
        if duplicates not in ("allow", "resample"):
            raise ValueError(f'duplicates is "allow" or "resample", got {duplicates!r}')
        self.space, self.algorithm, self.duplicates = space, algorithm, duplicates
        self.seed = require_seed(seed)
        self._key = seeded_key(self.seed)
        self._engine = Engine(space, algorithm, self._key)
        self._canonical = jax.jit(jax.vmap(space.canonical))
        self._choices = np.array(space.cardinalities, np.uint32)
        self._pending = Pending()
        self._known: dict[bytes, int] | None = None  # canonical form to the id that first had it, once it is needed
        self.history = History(space.cardinalities)
        self.generations: list[dict[str, float]] = []

    def __repr__(self) -> str:
        best = "no fitness yet" if self.history.best is None else f"best {self.best.fitness}: {self.best.architecture}"
        return (
            f"Population({type(self.space).__name__}, seed={self.seed}: {self.evaluations} told, "
            f"{len(self._pending)} pending; {best})"
        )

    def _repr_html_(self) -> str:
        from evonas.population.pictures import as_card

        return as_card(self, len(self._pending))

    @property
    def evaluations(self) -> int:
        """Candidates told so far, failed ones included."""
        return len(self.history)

    @property
    def pending(self) -> Candidates | None:
        """Candidates asked for and not told yet, by id; None if there are none."""
        return self._pending.candidates()

    def ask(self, n: int = 1) -> Candidates:
        """The next ``n`` candidates to evaluate.

        Raises:
            ValueError: if ``n`` is not positive, or the algorithm proposes what is not of the space.
        """
        n = operator.index(n)
        if n < 1:
            raise ValueError(f"ask for at least 1 candidate, got {n}")
        proposals, forms = self._engine.ask(n)
        if self.duplicates == "resample":
            self._resample(proposals, forms)
        check_of_space(proposals, self.space, self._choices)
        if self._known is not None:
            for form, row in zip(forms, proposals, strict=True):
                self._known.setdefault(form.tobytes(), int(row[0]))
        self._pending.add(proposals)
        return rows.unpacked(proposals.copy())

    def tell(self, candidates: Candidates, fitness: Any, failures: Sequence[Failure] | None = None) -> None:
        """Give the results of candidates, all or part of what was asked for, in any order.

        Args:
            candidates: from `ask`, whole or indexed.
            fitness: ``[N]`` or ``[N, M]``, maximised. A number that is not finite means that the candidate failed.
            failures: why, a value a candidate; those that failed for no given reason "diverged".

        Raises:
            ValueError: if the shapes do not fit, a candidate is not pending, or the algorithm compares one objective
                and got several.
        """
        require_instance("candidates", candidates, Candidates)
        values = fitness_rows(candidates, fitness)
        widens = values.shape[1] != self.history.objectives
        if widens:
            self._check_objectives(values.shape[1])
        told = self._pending.rows_of(candidates)
        values, reasons = with_failures(values, failures)
        if not len(told):
            return
        if widens:
            self._widen(values.shape[1])
        self._pending.remove(told)
        self.history.append(told, values, reasons)
        self._engine.tell(told, values)
        self._record_generation(len(told))

    @property
    def best(self) -> Record:
        """The best of all told, by the first objective; of equals the first told.

        Raises:
            ValueError: if no candidate has a fitness yet.
        """
        best = self.history.best
        if best is None:
            told = f"{self.evaluations} were told, and all of them failed" if self.evaluations else "none was told"
            raise ValueError(f"no candidate has a fitness yet: {told}")
        return self._record(best)

    def pareto_front(self) -> list[Record]:
        """All told candidates that no other dominates, best first by the first objective."""
        rows = np.flatnonzero(pareto_front(self.history.fitness))
        rows = rows[np.argsort(-self.history.fitness[rows, 0], kind="stable")]
        return [self._record(int(row)) for row in rows]

    def diversity(self) -> dict[str, float]:
        """Mean distance, unique share and gene entropy of the living population, each from 0 to 1."""
        return {name: float(value) for name, value in self._engine.measure()._asdict().items()}

    def lineage(self, candidate: int) -> list[Record]:
        """The candidate and its ancestors along first parents, back to a founder."""
        return [self._record(row) for row in self.history.lineage(candidate)]

    def known(self, candidates: Candidates) -> np.ndarray:
        """For each candidate the id that first had its architecture, itself if it is new: ``[N]`` int64."""
        forms, first = np.asarray(self._canonical(jnp.asarray(candidates.genomes))), self._first_ids()
        return np.array([first[form.tobytes()] for form in forms], np.int64)

    def records(self) -> list[Record]:
        """All told candidates, in the order of telling."""
        return [self._record(row) for row in range(self.evaluations)]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a told candidate: id, architecture, fitness (one column an objective), parents, failure, genes."""
        return to_dataframe(self.space, self.history)

    def plot(self) -> Figure:
        """Fitness of all that was told, with the best so far and the living generation's quartiles; and diversity.

        Returns:
            A matplotlib figure of its own, which notebooks show and ``savefig`` writes.

        Raises:
            ImportError: if matplotlib is not installed.
            ValueError: if nothing was told yet.
        """
        from evonas.population.pictures import plotted

        return plotted(self)

    def save(self, path: Any) -> None:
        """Write everything to one file, pending candidates included, so that `load` goes on from here."""
        from evonas.population.files import save

        save(self, path)

    @staticmethod
    def load(path: Any, *, space: Space | None = None, algorithm: Algorithm | None = None) -> Population:
        """Read a population that `save` wrote.

        Args:
            path: of the file.
            space: needed only where the space is not one of evonas's own.
            algorithm: needed only where one of its parts is not evonas's own.

        Raises:
            ValueError: if the file is not a population's, or one of another space or algorithm.
        """
        from evonas.population.files import load

        return load(path, space, algorithm)

    @property
    def state(self) -> State:
        """The pure core's state."""
        return self._engine.state

    def restore(
        self,
        *,
        state_leaves: Sequence[np.ndarray],
        history: History,
        pending: Candidates | None,
        generations: list[dict[str, float]],
    ) -> None:
        """Take over what `evonas.population.files` read.

        Raises:
            ValueError: if the arrays are not those of this space and algorithm.
        """
        self._engine = Engine(self.space, self.algorithm, self._key, history.objectives)
        expected = self._engine.state
        shapes = [leaf.shape for leaf in jax.tree.leaves(expected)]
        if shapes != [leaf.shape for leaf in state_leaves]:
            raise ValueError(f"the saved state has arrays {[leaf.shape for leaf in state_leaves]}, expected {shapes}")
        leaves = [jnp.asarray(leaf) for leaf in state_leaves]
        self._engine.state = jax.tree.unflatten(jax.tree.structure(expected), leaves)
        self.history, self.generations = history, list(generations)
        self._pending, self._known = Pending(), None
        if pending is not None:
            self._pending.add(rows.packed(pending))

    def _first_ids(self) -> dict[bytes, int]:
        """Each architecture's canonical form, and the id that first had it."""
        if self._known is None:
            ids, genomes = self.history.ids, self.history.genomes.astype(np.int32)
            if (pending := self.pending) is not None:
                ids, genomes = np.concatenate([ids, pending.ids]), np.concatenate([genomes, pending.genomes])
            self._known = {}
            forms = np.asarray(self._canonical(genomes)) if len(ids) else genomes
            for row in np.argsort(ids):
                self._known.setdefault(forms[row].tobytes(), int(ids[row]))
        return self._known

    def _resample(self, proposals: np.ndarray, forms: np.ndarray) -> None:
        """Put other proposals in place of those that repeat a known architecture, in both arrays."""
        for attempt in range(1, ATTEMPTS + 1):
            known = repeats(forms, self._first_ids())
            if not known.any():
                break
            again, other_forms = self._engine.ask_again(resampling_key(self._key, attempt), len(proposals))
            proposals[known], forms[known] = again[known], other_forms[known]

    def _check_objectives(self, objectives: int) -> None:
        """Raises: ValueError: if fitness can't change to this number of objectives."""
        if self.history.best is not None:
            raise ValueError(f"earlier candidates were told {self.history.objectives} objectives, got {objectives}")
        if objectives > 1 and not self.algorithm.several_objectives:
            raise ValueError(
                f"this algorithm compares one objective, got {objectives}; use evonas.nsga2(), or tell one number"
            )

    def _widen(self, objectives: int) -> None:
        """Make room for another number of objectives, while nothing but failures was told."""
        old = self._engine.state
        self._engine = Engine(self.space, self.algorithm, self._key, objectives)
        empty = self._engine.state
        self._engine.state = old.replace(
            members=old.members.replace(fitness=empty.members.fitness),
            brood=old.brood.replace(fitness=empty.brood.fitness),
        )
        failed = {"fitness": np.full((self.evaluations, objectives), np.nan, np.float32)}
        self.history = History.from_arrays(self.space.cardinalities, self.history.to_arrays() | failed)

    def _record_generation(self, n: int) -> None:
        """Diversity once for every ``population_size`` evaluations."""
        size = self.algorithm.population_size
        if self.evaluations // size > (self.evaluations - n) // size:
            self.generations.append({"evaluations": self.evaluations, **self.diversity()})

    def _record(self, row: int) -> Record:
        return Record.of(self.space, self.history, row)
