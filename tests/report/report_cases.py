"""Runs to report on."""

import dataclasses

import numpy as np

import evonas
from evonas.report.panels import Command
from evonas.report.subject import Subject
from evonas.types import Span

EVIL = "</script><script>alert(1)</script><img/src=x/onerror=alert(2)>"

CONFIG = {
    "space": {"type": "evonas.spaces.nasbench201:NASBench201"},
    "data": None,
    "algorithm": {"population_size": 20, "reproduce": {"sample_size": 5}},
    "training": None,
    "evaluations": 60,
    "seed": 0,
}


@dataclasses.dataclass(frozen=True)
class EvilSpace(evonas.spaces.Space):
    """A space whose texts would be scripts, if anything let them."""

    @property
    def genes(self):
        return {"<b>gene</b>": ("plain", EVIL), "other": (1, 2, 3), "third": (1, 2, 3)}


def fitness(candidates):
    """Convolutions are good; a candidate in nine fails."""
    genomes = np.asarray(candidates.genomes)
    values = (genomes == genomes.max()).mean(1) + 0.01 * genomes.sum(1)
    return np.where(genomes.sum(1) % 9 == 4, np.nan, values)


def subject(space=None, evaluations=60, seed=0, workdir="runs/one", **changes):
    """A search by a function, as a report sees it."""
    space = space or evonas.spaces.NASBench201()
    algorithm = evonas.regularized_evolution(population_size=20, sample_size=5)
    run = evonas.search(space, algorithm=algorithm, fitness=fitness, evaluations=evaluations, seed=seed)
    told = [one._replace(measurement=one.measurement._replace(seconds=1.5)) for one in run.evaluations]
    settings = {
        "workdir": workdir,
        "config": CONFIG | {"evaluations": evaluations, "seed": seed},
        "evaluations": told,
        "space": space,
        "examples": {},
        "test": None,
        "commands": [Command("see it in a terminal", f"evonas best {workdir}")],
        "spans": spans(told),
    }
    return Subject(**settings | changes)


def spans(evaluations):
    """Two devices that take turns, after one compilation."""
    compiled = [Span("compile", device, 0.0, 5.0, 5.0, ()) for device in range(2)]
    trained = [Span("train", row % 2, 5.0 + row // 2, 0.9, 0.9, (one.id,)) for row, one in enumerate(evaluations)]
    return [*compiled, *trained]
