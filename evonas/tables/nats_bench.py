"""NATS-Bench's topology results as their authors publish them, as columns."""

from __future__ import annotations

import bz2
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from etils import epath

from evonas.genome import genome_index
from evonas.spaces.nasbench201 import EDGES, OPERATIONS, NASBench201
from evonas.tables import plain_pickle

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
TRIALS = 3
"""At most; a short training has those of other seeds than a long one."""
CELLS = len(OPERATIONS) ** len(EDGES)

_SCHEDULES = {"12": ("12", "less"), "200": ("200", "full")}
"""Epochs, and what they are called in NATS-Bench and in NAS-Bench-201."""
_SOURCES = {
    "cifar10": (("cifar10-valid", "x-valid"), ("cifar10", "ori-test")),
    "cifar100": (("cifar100", "x-valid"), ("cifar100", "x-test")),
    "ImageNet16-120": (("ImageNet16-120", "x-valid"), ("ImageNet16-120", "x-test")),
}
"""Of validation and test accuracy: what was trained on, and measured on."""


def read_folder(path: Any, progress: Callable[[int], None] | None = None) -> dict[str, np.ndarray]:
    """The columns of a folder such as ``NATS-tss-v1_0-3ffb9-simple``: a compressed pickle for each architecture.

    Args:
        path: of the folder.
        progress: called with the number of files read.

    Raises:
        ValueError: if a file is missing, or is not a record of that benchmark.
    """
    folder = epath.Path(path)

    def each() -> Iterable[Mapping[str, Any]]:
        for index in range(CELLS):
            file = folder / f"{index:06d}.pickle.pbz2"
            if not file.exists():
                raise ValueError(f"{path} has no {file.name}: a complete folder has {CELLS} of them")
            try:
                packed = bz2.decompress(file.read_bytes())
            except (OSError, ValueError, EOFError) as error:
                raise ValueError(f"{file} is not compressed as NATS-Bench's files are: {error}") from error
            yield plain_pickle.load(io.BytesIO(packed), file)
            if progress is not None:
                progress(index + 1)

    return _columns(each(), path)


def read_torch(path: Any) -> dict[str, np.ndarray]:
    """The columns of a file such as ``NAS-Bench-201-v1_1-096897.pth``.

    Raises:
        ValueError: if it is not a file of that benchmark.
    """
    with epath.Path(path).open("rb") as file:
        whole = plain_pickle.load_torch(file, path)
    if not isinstance(whole, dict) or "arch2infos" not in whole:
        raise ValueError(f"{path} is not a file of NAS-Bench-201: it has no 'arch2infos'")
    records = whole["arch2infos"]
    return _columns((records[index] for index in sorted(records)), path)


def _columns(records: Iterable[Mapping[str, Any]], path: Any) -> dict[str, np.ndarray]:
    space = NASBench201()
    shape = (CELLS, len(DATASETS))
    columns: dict[str, np.ndarray] = {
        "ops": np.zeros((CELLS, len(EDGES)), np.uint8),
        "params": np.zeros(shape, np.int32),
        "flops_m": np.zeros(shape, np.float64),
        "latency_s": np.full(shape, np.nan, np.float32),
        "valid_seconds": np.full(shape, np.nan, np.float32),
    }
    for epochs in _SCHEDULES:
        columns[f"train_seconds_{epochs}"] = np.full(shape, np.nan, np.float32)
        columns[f"val_acc_{epochs}"] = np.full((*shape, TRIALS), np.nan, np.float32)
        columns[f"test_acc_{epochs}"] = np.full((*shape, TRIALS), np.nan, np.float32)
    row = -1
    for row, record in enumerate(records):
        try:
            _fill(columns, row, record, space)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"record {row} of {path} has not the form of NATS-Bench's: {error!r}") from error
    if row != CELLS - 1:
        raise ValueError(f"{path} has {row + 1} architectures, expected {CELLS}")
    order = np.argsort(np.asarray(genome_index(columns["ops"].astype(np.int32), space.cardinalities)))
    return {name: column[order] for name, column in columns.items()}


def _fill(columns: dict[str, np.ndarray], row: int, record: Mapping[str, Any], space: NASBench201) -> None:
    for epochs, names in _SCHEDULES.items():
        results = record[names[0]] if names[0] in record else record[names[1]]
        columns["ops"][row] = space.parse(results["arch_str"])
        for place, dataset in enumerate(DATASETS):
            for column, (trained_on, part) in zip(("val_acc", "test_acc"), _SOURCES[dataset], strict=True):
                trials = _trials(results["all_results"], trained_on)
                last = f"{part}@{int(epochs) - 1}"
                accuracies = [trial["eval_acc1es"][last] for trial in trials]
                columns[f"{column}_{epochs}"][row, place, : len(trials)] = accuracies
                if column == "val_acc":
                    seconds = [sum(trial["train_times"].values()) for trial in trials]
                    columns[f"train_seconds_{epochs}"][row, place] = np.mean(seconds)
                if column == "val_acc" and epochs == "200":
                    _fill_costs(columns, row, place, trials, last)


def _trials(results: Mapping[Any, Any], trained_on: str) -> list[Mapping[str, Any]]:
    """The trainings on a data set, by their seeds."""
    seeds = sorted(seed for name, seed in results if name == trained_on)
    return [results[trained_on, seed] for seed in seeds[:TRIALS]]


def _fill_costs(
    columns: dict[str, np.ndarray], row: int, place: int, trials: list[Mapping[str, Any]], last: str
) -> None:
    """From the long trainings: parameters in units, multiply-adds in millions, seconds of a batch and a validation."""
    columns["params"][row, place] = round(trials[0]["params"] * 1e6)
    columns["flops_m"][row, place] = trials[0]["flop"]
    latencies = [second for trial in trials for second in trial["latency"] or ()]
    columns["latency_s"][row, place] = np.mean(latencies) if latencies else np.nan
    validations = [trial["eval_times"][last] for trial in trials if trial.get("eval_times")]
    columns["valid_seconds"][row, place] = np.mean(validations) if validations else np.nan
