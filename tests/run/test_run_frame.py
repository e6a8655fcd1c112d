"""A history as a data frame: every field, in columns of fixed types."""

import math

import numpy as np
import pandas as pd
import pytest
from run_cases import SPACE, search

from evonas.run import Evaluation, RunLog, to_dataframe
from evonas.types import Failure, Measurement

EVALUATIONS = [
    Evaluation(
        4, (0, 3), "|a|", (-1, -1), Measurement((0.1, -2.0), {"loss": 0.5, "parameters": 2**60 + 1}, seconds=1.5), 0.0
    ),
    Evaluation(3, (1, 0), "|b|", (4, 2), Measurement((), {"epochs": 1}, Failure.DIVERGED, 0.25), 1e9 + 0.25),
    Evaluation(5, (2, 1), "|c|", (4, -1), Measurement((0.3, -1.0), {"loss": 1, "parameters": 7, "repeats": 4}), 2.0),
]


def test_each_field_has_its_column():
    table = to_dataframe(EVALUATIONS, ["op", "width"])
    expected = {
        "id": [4, 3, 5],
        "architecture": ["|a|", "|b|", "|c|"],
        "fitness_0": [0.1, math.nan, 0.3],
        "fitness_1": [-2.0, math.nan, -1.0],
        "parent": [-1, 4, 4],
        "second_parent": [-1, 2, -1],
        "failure": ["", "diverged", ""],
        "gene op": [0, 1, 2],
        "gene width": [3, 0, 1],
        "metric loss": [0.5, math.nan, 1.0],
        "metric parameters": pd.array([2**60 + 1, None, 7], "Int64"),
        "metric epochs": pd.array([None, 1, None], "Int64"),
        "metric repeats": pd.array([None, None, 4], "Int64"),
        "seconds": [1.5, 0.25, 0.0],
        "finished": pd.to_datetime([0, 1e9 + 0.25, 2], unit="s", utc=True),
    }
    assert list(table) == list(expected)
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected), check_dtype=False)
    kinds = {name: str(kind) for name, kind in table.dtypes.items() if name != "finished"}
    assert kinds == {
        **dict.fromkeys(["id", "parent", "second_parent", "gene op", "gene width"], "int64"),
        **dict.fromkeys(["fitness_0", "fitness_1", "metric loss", "seconds"], "float64"),
        **dict.fromkeys(["metric parameters", "metric epochs", "metric repeats"], "Int64"),
        **dict.fromkeys(["architecture", "failure"], "str"),
    }
    assert str(table["finished"].dtype).endswith("UTC]")


def test_genes_without_names_are_counted():
    log = RunLog(None)
    log.append(EVALUATIONS)
    table = log.to_dataframe()
    assert [name for name in table if name.startswith("gene")] == ["gene 0", "gene 1"]
    pd.testing.assert_frame_equal(log.to_dataframe(["0", "1"]), table)


def test_metrics_that_are_no_numbers_stay_what_they_are():
    evaluations = [EVALUATIONS[0]._replace(measurement=Measurement((1.0,), {"curve": [1, 2], "note": "x"}))]
    table = to_dataframe(evaluations)
    assert (table["metric curve"][0], table["metric note"][0]) == ([1, 2], "x")


def test_an_empty_history_has_the_columns_and_no_row():
    table = RunLog(None).to_dataframe(["op"])
    assert len(table) == 0
    assert list(table)[:7] == ["id", "architecture", "fitness", "parent", "second_parent", "failure", "gene op"]


def test_genes_of_another_number_are_refused():
    with pytest.raises(ValueError, match="expected 2 names of genes, got 1"):
        to_dataframe(EVALUATIONS, ["op"])


def test_a_runs_table_is_its_populations_and_more():
    run = search()
    table, told = run.to_dataframe(), run.population.to_dataframe()
    assert list(table)[: len(told.columns)] == list(told)
    pd.testing.assert_frame_equal(table[list(told)], told, check_dtype=False)
    assert (table["fitness"].isna() == (table["failure"] != "")).all()
    architectures = [SPACE.parse(text) for text in table["architecture"]]
    genes = [f"gene {name}" for name in SPACE.genes]
    np.testing.assert_array_equal(table[genes].to_numpy(), architectures)
