"""A program of one search, for tests that kill it: ``python killed_search.py WORKDIR DIARY EVALUATIONS KILLS SEED``.

It starts the search in a child process, kills that with SIGKILL at a random moment, and starts the next one, so many
times; the last one may finish. Children are forked, since loading JAX each time would take longer than the search.
"""

import os
import random
import signal
import sys
import time

import numpy as np
from run_cases import fitness, search

import evonas


class Diary(evonas.Callback):
    """Writes what happens into a file, by one system call each, which a kill can't take back."""

    def __init__(self, path):
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def write(self, *words):
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())

    def started(self, run):
        self.write("started", len(run.log))

    def evaluated(self, run, evaluation):
        assert run.log.get(evaluation.id)
        self.write("told", evaluation.id)

    def slow_fitness(self, candidates):
        self.write("asked", *np.asarray(candidates.ids))
        time.sleep(0.02)
        return fitness(candidates)


def child(workdir, diary, evaluations):
    book = Diary(diary)
    search(workdir, evaluations, fitness=book.slow_fitness, callbacks=[book])
    book.write("finished")


def started_searches(diary):
    return open(diary).read().count("started") if os.path.exists(diary) else 0


def main(workdir, diary, evaluations, kills, seed):
    dice = random.Random(seed)
    for remaining in range(kills, -1, -1):
        before = started_searches(diary)
        process = os.fork()
        if not process:
            status = 1
            try:
                child(workdir, diary, evaluations)
                status = 0
            finally:
                os._exit(status)
        if remaining:
            if dice.random() < 0.9:  # the others are killed wherever they are, most of them while they start
                while started_searches(diary) == before and not os.waitpid(process, os.WNOHANG)[0]:
                    time.sleep(0.005)
            time.sleep(dice.random() * 0.35)
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        expected = -signal.SIGKILL if remaining else 0
        if os.waitstatus_to_exitcode(status) != expected:
            sys.exit(f"a search ended with {status}, {remaining} kills before the end")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
