"""A search in several processes: ``python process_search.py COORDINATOR PROCESSES PROCESS WORKDIR MISHAP``."""

import sys

import jax
import numpy as np
from run_cases import fitness, search

import evonas

EVALUATIONS = 33


class Awkward(evonas.Callback):
    """Fails amid a round."""

    def evaluated(self, run, evaluation):
        del run
        if evaluation.id == 20:
            raise OSError("no room")


def main(coordinator, processes, process, workdir, mishap):
    jax.distributed.initialize(coordinator, processes, process)

    def unlucky(candidates):
        if mishap == "fitness" and process == 1 and np.max(candidates.ids) > 20:
            raise TimeoutError("no power")
        return fitness(candidates)

    callbacks = [Awkward()] if mishap == "callback" else []
    search(workdir, EVALUATIONS, fitness=unlucky, callbacks=callbacks, duplicates="reuse")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
