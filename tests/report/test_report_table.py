"""Tables as files: read back, they are what was written."""

import sys

import pandas as pd
import pytest
from analysis_cases import random_history

from evonas.report.table import write_csv, write_parquet
from evonas.run import to_dataframe
from evonas.types import Measurement


@pytest.fixture
def table():
    """A history in which candidates failed and measured different things, with text that has to be quoted."""
    history = random_history(20)
    history[3] = history[3]._replace(
        architecture='a "quoted", ünï\ntext',
        measurement=Measurement((1 / 3,), {"accuracy": 1 / 7, "parameters": 2**60}),
    )
    return to_dataframe(history)


def test_csv_is_read_back_to_the_last_digit(table, tmp_path):
    write_csv(table, tmp_path / "run.csv")
    read = pd.read_csv(tmp_path / "run.csv", parse_dates=["finished"], dtype={"metric parameters": "Int64"})
    pd.testing.assert_frame_equal(read.fillna({"failure": ""}), table, check_exact=True, check_dtype=False)


def test_parquet_keeps_the_types(table, tmp_path):
    write_parquet(table, tmp_path / "run.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "run.parquet"), table, check_exact=True)


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_an_empty_history_is_a_table_without_rows(write, tmp_path):
    write(to_dataframe([], ["op"]), tmp_path / "file")
    read = pd.read_csv if write is write_csv else pd.read_parquet
    assert list(read(tmp_path / "file"))[:7] == [
        "id",
        "architecture",
        "fitness",
        "parent",
        "second_parent",
        "failure",
        "gene op",
    ]


def test_without_pyarrow_the_message_says_what_to_install(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "evonas\[report\]"'):
        write_parquet(table, tmp_path / "run.parquet")
    assert not list(tmp_path.iterdir())
