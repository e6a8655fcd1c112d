"""`evonas export`: the history of a workdir as one table."""

import pandas as pd
import pytest
from etils import epath

from evonas.run import RunLog

WORKDIR = "gs://bucket/run"


def test_a_history_is_written_as_csv_and_as_parquet(evonas_here, finished):
    outcome = evonas_here("export", "w", "--csv", "run.csv", "--parquet", "run.parquet")
    assert outcome.code == 0, outcome
    assert "run.csv: 10 evaluations" in outcome.out
    table = pd.read_parquet("run.parquet")
    log = sorted(RunLog(epath.Path(finished) / "history"))
    assert table["id"].tolist() == [evaluation.id for evaluation in log] == list(range(10))
    assert table["fitness"].tolist() == [evaluation.fitness[0] for evaluation in log]
    assert table["metric accuracy"].tolist() == [evaluation.measurement.metrics["accuracy"] for evaluation in log]
    assert {f"gene bit{bit}" for bit in range(64)} < set(table)
    read = pd.read_csv("run.csv", parse_dates=["finished"], dtype={"architecture": "str", "failure": "str"})
    pd.testing.assert_frame_equal(read.fillna({"failure": ""}), table, check_dtype=False, check_exact=True)


def test_a_run_whose_space_is_the_programs_own_has_numbers_for_names(evonas_here, finished):
    (finished / "experiment.py").unlink()
    outcome = evonas_here("export", "w", "--csv", "run.csv")
    assert outcome.code == 0, outcome
    assert {f"gene {bit}" for bit in range(64)} < set(pd.read_csv("run.csv"))


def test_without_a_file_to_write_it_says_which(evonas_here, finished):
    outcome = evonas_here("export", finished)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "give --csv FILE, --parquet FILE, or both" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere", "--csv", "run.csv"), "nowhere/config.json does not exist"),
        (("w", "--csv", "missing/run.csv"), "missing/run.csv"),
    ],
)
def test_what_can_not_be_read_or_written_is_one_sentence(arguments, says, evonas_here, finished):
    outcome = evonas_here("export", *arguments)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert says in outcome.err
    assert {path.name for path in finished.parent.iterdir()} == {"w", "pixels.py"}


def test_from_a_bucket_to_a_bucket(evonas_here, finished, object_store):
    for path in sorted(finished.rglob("*")):
        if path.is_file() and path.name != ".lock":
            copy = epath.Path(WORKDIR) / path.relative_to(finished)
            copy.write_bytes(path.read_bytes())
    outcome = evonas_here("export", WORKDIR, "--csv", "run.csv", "--parquet", "gs://bucket/tables/run.parquet")
    assert outcome.code == 0, outcome
    assert "tables/run.parquet" in object_store.names()
    table = pd.read_csv("run.csv")
    (object_copy := finished.parent / "copy.parquet").write_bytes(
        epath.Path("gs://bucket/tables/run.parquet").read_bytes()
    )
    assert table["id"].tolist() == pd.read_parquet(object_copy)["id"].tolist() == list(range(10))
