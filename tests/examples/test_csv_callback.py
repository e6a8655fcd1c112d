"""The example of a callback runs, and its file holds the search."""

import csv
import pathlib
import subprocess
import sys

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "csv_callback.py"


def test_the_csv_file_has_a_row_for_each_evaluation_and_the_best_so_far(tmp_path):
    done = subprocess.run([sys.executable, EXAMPLE, "e.csv"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "e.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["evaluation"]) for row in rows] == list(range(1, 101))
    assert sorted(int(row["candidate"]) for row in rows) == list(range(100))
    fitness = [float(row["fitness"]) for row in rows]
    assert [float(row["best"]) for row in rows] == [max(fitness[: end + 1]) for end in range(100)]
    assert max(fitness) > fitness[0]
    best = next(row for row in rows if float(row["fitness"]) == max(fitness))
    assert done.stdout == f"e.csv has 100 rows; the best is {best['architecture']}\n"
