"""NAS-Bench-201's results as arrays over `evonas.spaces.NASBench201`'s genomes."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from etils import epath

from evonas.genome import genome_index
from evonas.spaces.nasbench201 import EDGES, OPERATIONS

CELLS = len(OPERATIONS) ** len(EDGES)
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")


def nasbench201(path: Any, column: str, dataset: str = "cifar10") -> np.ndarray:
    """One column of a compact table: ``[15625]``, by `evonas.genome.genome_index`.

    Args:
        path: of an ``.npz`` file with ``ops`` ``[15625, 6]`` (the operation on each edge, in the order of the
            benchmark's text) and columns of one row an architecture.
        column: its name, for instance ``val_acc_12`` or ``test_acc_200``. Trials, if any, are averaged.
        dataset: one of `DATASETS`, for columns that have an axis of them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a table, or has no such column or data set.
    """
    if not epath.Path(path).exists():
        raise FileNotFoundError(f"{path} does not exist: give the path of a compact NAS-Bench-201 table")
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}; expected one of {', '.join(DATASETS)}")
    try:
        with epath.Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in {"ops", column} & set(archive)}
            columns = sorted(archive)
    except (zipfile.BadZipFile, NotImplementedError, TypeError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is not an .npz file, or is damaged: {error}") from error
    if "ops" not in arrays or arrays["ops"].shape != (CELLS, len(EDGES)):
        raise ValueError(f"{path} is no NAS-Bench-201 table: it needs `ops` of shape [{CELLS}, {len(EDGES)}]")
    rows = np.asarray(genome_index(arrays["ops"].astype(np.int32), (len(OPERATIONS),) * len(EDGES)))
    if not np.array_equal(np.sort(rows), np.arange(CELLS)):
        raise ValueError(f"{path} is no NAS-Bench-201 table: its `ops` are not each cell once")
    if column not in arrays or arrays[column].shape[:1] != (CELLS,):
        raise ValueError(f"{path} has no column {column!r}; it has {', '.join(columns)}")
    values = arrays[column].astype(np.float64)
    if values.ndim > 1:
        values = values[:, DATASETS.index(dataset)]
    if values.ndim > 1:
        values = np.nanmean(values, axis=1)
    table = np.empty(CELLS, np.float32)
    table[rows] = values
    return table
