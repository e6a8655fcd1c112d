"""NAS-Bench-101's results as arrays over `evonas.spaces.NASBench101`'s cells."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath
from flax import struct

from evonas.spaces.nasbench101 import NASBench101
from evonas.tables import tfrecord
from evonas.tables.compact import read_arrays
from evonas.tables.trials import draw_trial, present_first

REPEATS = 3


class NASBench101Table(struct.PyTreeNode):
    """A column of the benchmark as a function ``(key, genome) -> number`` for `evonas.simulate`, one trial by chance.

    NaN for cells that the benchmark does not have, which a search takes for failed.
    """

    codes: jax.Array  # [N] int32, ascending: see `evonas.spaces.NASBench101.code`
    values: jax.Array  # [N, T] float32, the trials that there are before those that are NaN

    def __call__(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """The number of a genome ``[26]``."""
        code = NASBench101().code(genome)
        row = jnp.minimum(jnp.searchsorted(self.codes, code), len(self.codes) - 1)
        return jnp.where(self.codes[row] == code, draw_trial(key, self.values[row]), jnp.nan)


def nasbench101(path: Any, column: str = "val_acc_108") -> NASBench101Table:
    """A column of the compact form that ``evonas tables convert`` makes of ``nasbench_only108.tfrecord``.

    Args:
        path: of the ``.npz``.
        column: ``val_acc_108`` or ``test_acc_108`` in percent, ``train_seconds_108``, or ``params``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a table, or has no such column.
    """
    if not epath.Path(path).exists():
        raise FileNotFoundError(f"{path} does not exist: give the path of a converted NAS-Bench-101 table")
    columns = read_arrays(str(path))
    if "codes" not in columns:
        raise ValueError(f"{path} is no converted NAS-Bench-101 table: it needs `codes`; see evonas tables convert")
    if column not in columns or column in ("codes", "genomes"):
        raise ValueError(f"{path} has no column {column!r}; it has {', '.join(sorted(columns))}")
    values, cells = columns[column].astype(np.float32), len(columns["codes"])
    if values.shape[:1] != (cells,):
        raise ValueError(f"{path} has {cells} cells, but {column} is of shape {values.shape}")
    return NASBench101Table(jnp.asarray(columns["codes"]), present_first(jnp.asarray(values.reshape(cells, -1))))


_PARAMETERS, _EVALUATIONS = 2, 1  # fields of the benchmark's `ModelMetrics`
_SECONDS, _VALIDATION, _TEST = 2, 4, 5  # of its `EvaluationData`
_BATCH = 4096


def read_tfrecord(path: Any, epochs: int = 108, progress: Callable[[int], None] | None = None) -> dict[str, np.ndarray]:
    """The columns of ``nasbench_only108.tfrecord``, or of one length of training of ``nasbench_full.tfrecord``.

    Accuracies are in percent. Cells are in the order of their ``codes``: see `evonas.spaces.NASBench101.code`.

    Args:
        path: of the file.
        epochs: of the trainings to read.
        progress: called with the number of records read.

    Raises:
        ValueError: if it is not a file of that benchmark, or has no training of that length.
    """
    space = NASBench101()
    cells: dict[str, tuple[np.ndarray, int, list[tuple[float, ...]]]] = {}
    with epath.Path(path).open("rb") as file:
        for number, record in enumerate(tfrecord.records(file, path), 1):
            name, length, genome, parameters, result = _read(record, space, path)
            if length == epochs:
                cells.setdefault(name, (genome, parameters, []))[2].append(result)
            if progress is not None:
                progress(number)
    if not cells:
        raise ValueError(f"{path} has no training of {epochs} epochs")
    genomes = np.stack([genome for genome, _, _ in cells.values()])
    codes = np.concatenate([_codes(space, genomes[i : i + _BATCH]) for i in range(0, len(genomes), _BATCH)])
    results = np.full((len(cells), REPEATS, 3), np.nan, np.float32)
    for row, (_, _, repeats) in enumerate(cells.values()):
        results[row, : len(repeats)] = repeats[:REPEATS]
    order = np.argsort(codes)
    return {
        "codes": codes[order],
        "genomes": genomes.astype(np.uint8)[order],
        "params": np.array([parameters for _, parameters, _ in cells.values()], np.int32)[order],
        f"train_seconds_{epochs}": results[order, :, 0],
        f"val_acc_{epochs}": 100 * results[order, :, 1],
        f"test_acc_{epochs}": 100 * results[order, :, 2],
    }


def _read(record: bytes, space: NASBench101, path: Any) -> tuple[str, int, np.ndarray, int, tuple[float, ...]]:
    """Hash, epochs, genome, parameters, and seconds, validation and test accuracy of one training."""
    try:
        name, epochs, adjacency, operations, metrics = json.loads(record)
        names = operations.split(",")
        matrix = np.array(list(adjacency), np.int32).reshape(len(names), len(names))
        message = list(tfrecord.fields(base64.b64decode(metrics)))
        parameters = next(value for number, value in message if number == _PARAMETERS)
        evaluations = [dict(tfrecord.fields(value)) for number, value in message if number == _EVALUATIONS]
        last = evaluations[-1]
        return (
            name,
            epochs,
            space.from_matrix(matrix, names),
            parameters,
            (last[_SECONDS], last[_VALIDATION], last[_TEST]),
        )
    except (ValueError, TypeError, KeyError, IndexError, StopIteration) as error:
        raise ValueError(f"{path} has a record that is not one of NAS-Bench-101: {error!r}") from error


@functools.partial(jax.jit, static_argnums=0)
def _codes_of(space: NASBench101, genomes: jax.Array) -> jax.Array:
    return jax.vmap(space.code)(genomes)


def _codes(space: NASBench101, genomes: np.ndarray) -> np.ndarray:
    return np.asarray(_codes_of(space, jnp.asarray(genomes)))
