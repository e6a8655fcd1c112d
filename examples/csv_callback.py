"""A logger of one's own: a callback that writes a row of a CSV file for each evaluation.

Command:  python examples/csv_callback.py [FILE.csv]
Time:     some seconds; the fitness is a formula, nothing is trained
"""

import csv
import sys
from pathlib import Path

import evonas

COLUMNS = ["evaluation", "candidate", "fitness", "best", "failure", "seconds", "architecture"]


class CsvLogger(evonas.Callback):
    """Writes a file with a row for each evaluation; a search that is resumed writes it anew, from the first one on.

    Args:
        path: of the file.
    """

    def __init__(self, path):
        self.path = Path(path)

    def started(self, run):
        """Before the first evaluation of this process: open the file, and write what earlier ones left."""
        self.best, self.number = float("-inf"), 0
        self.file = self.path.open("w", newline="")
        self.rows = csv.writer(self.file)
        self.rows.writerow(COLUMNS)
        for evaluation in run.log:
            self.write(evaluation)

    def evaluated(self, run, evaluation):
        """After each evaluation, which is on disk already."""
        del run
        self.write(evaluation)
        self.file.flush()

    def finished(self, run):
        """After the last one; a search that is interrupted does not come here."""
        del run
        self.file.close()

    def write(self, evaluation):
        """One row; a failed candidate has no fitness, but a reason."""
        fitness = evaluation.fitness[0] if evaluation.fitness else ""
        self.best = max([self.best, *evaluation.fitness[:1]])
        self.number += 1
        measured = evaluation.measurement
        row = [self.number, evaluation.id, fitness, self.best, measured.failure, measured.seconds]
        self.rows.writerow([*row, evaluation.architecture])


def main(path):
    run = evonas.search(
        evonas.spaces.NASBench201(),
        fitness=lambda candidates: (candidates.genomes == 3).mean(axis=1),  # the share of 3x3 convolutions
        algorithm=evonas.regularized_evolution(population_size=20, sample_size=5),
        evaluations=100,
        callbacks=[CsvLogger(path)],
    )
    print(f"{path} has {run.population.evaluations} rows; the best is {run.best.architecture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "evaluations.csv")
