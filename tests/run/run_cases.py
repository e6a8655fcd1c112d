"""Quick searches, and what is compared of them."""

import dataclasses

import numpy as np

import evonas
from evonas.spaces import BitString

SPACE = BitString(dim=12)
ALGORITHM = evonas.regularized_evolution(population_size=6, sample_size=3)
BATCH = 5  # does not divide the numbers of evaluations


def fitness(candidates):
    """Numbers with all their digits; about one candidate in nine fails."""
    genomes = np.asarray(candidates.genomes)
    values = np.sin(genomes @ np.arange(1.0, 13.0))
    return np.where(genomes.sum(1) % 9 == 4, np.nan, values)


def search(workdir=None, evaluations=23, **changes):
    settings = {"fitness": fitness, "algorithm": ALGORITHM, "batch_size": BATCH, "seed": 3} | changes
    space = settings.pop("space", SPACE)
    return evonas.search(space, evaluations=evaluations, workdir=workdir, **settings)


def without_times(evaluation):
    """Everything of an evaluation that has to be the same in each run."""
    measurement = evaluation.measurement._replace(seconds=0.0)
    return repr(evaluation._replace(finished=0.0, measurement=measurement))


def history(run):
    """The evaluations in the order of telling."""
    return [without_times(evaluation) for evaluation in run.evaluations]


def files_in(directory):
    """Every file's bytes."""
    return {path.relative_to(directory): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


class Interruption(Exception):  # noqa: N818
    """What ends a process."""


class StopAfter(evonas.Callback):
    """Ends the search when so many evaluations are on disk."""

    def __init__(self, evaluations):
        self._evaluations = evaluations

    def evaluated(self, run, evaluation):
        del evaluation
        if len(run.log) >= self._evaluations:
            raise Interruption


@dataclasses.dataclass
class Counting:
    """A fitness that remembers the ids it was asked for."""

    function: object = fitness
    ids: list = dataclasses.field(default_factory=list)

    def __call__(self, candidates):
        self.ids += [int(candidate) for candidate in candidates.ids]
        return self.function(candidates)
