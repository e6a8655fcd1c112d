"""A population as one file: an `.npz` archive with a JSON header, no pickle."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import jax
import numpy as np
from etils import epath

from evonas.description import describe, rebuild
from evonas.evolution import Algorithm
from evonas.population.core import Population
from evonas.population.history import History
from evonas.spaces.base import Space
from evonas.storage import read_whole, write_whole
from evonas.types import Candidates

FORMAT = 1

_HEADER = {"space", "algorithm", "seed", "duplicates", "generations"}
_COLUMNS = {f"history.{name}" for name in History((2,)).to_arrays()}
_NO_CANDIDATE = Candidates(ids=0, genomes=0, parents=0, replaces=0)  # type: ignore[arg-type]


def save(population: Population, path: Any) -> None:
    """See `Population.save`."""
    header = {
        "format": FORMAT,
        "space": describe(population.space),
        "algorithm": describe(population.algorithm),
        "seed": population.seed,
        "duplicates": population.duplicates,
        "generations": population.generations,
    }
    arrays = {f"history.{name}": column for name, column in population.history.to_arrays().items()}
    arrays |= {f"state.{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(population.state))}
    if (pending := population.pending) is not None:
        arrays |= {f"pending.{i}": leaf for i, leaf in enumerate(jax.tree.leaves(pending))}
    buffer = io.BytesIO()
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(epath.Path(path), buffer.getvalue())


def load(path: Any, space: Space | None, algorithm: Algorithm | None) -> Population:
    """See `Population.load`."""
    arrays, header = _read(path)
    space = _given_or_rebuilt(space, header["space"], "space", path)
    algorithm = _given_or_rebuilt(algorithm, header["algorithm"], "algorithm", path)
    population = Population(space, algorithm, seed=header["seed"], duplicates=header["duplicates"])
    population.restore(
        state_leaves=_numbered(arrays, "state"),
        history=History.from_arrays(space.cardinalities, _named(arrays, "history")),
        pending=_pending(_numbered(arrays, "pending")),
        generations=header["generations"],
    )
    return population


def _read(path: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    content = io.BytesIO(read_whole(epath.Path(path)))
    if not zipfile.is_zipfile(content):
        raise ValueError(f"{path} is not a saved population, or is damaged: give a file that `Population.save` wrote")
    try:
        with np.load(content, allow_pickle=False) as archive:
            arrays = dict(archive)
        header = dict(json.loads(arrays.pop("header").tobytes()))
    except (zipfile.BadZipFile, NotImplementedError, TypeError, ValueError, KeyError, EOFError) as error:
        raise ValueError(f"{path} is not a saved population, or is damaged: {error}") from error
    if header.get("format") != FORMAT:
        raise ValueError(f"{path} has format {header.get('format')}; this version of evonas reads {FORMAT}")
    missing = _HEADER - header.keys() | _COLUMNS - arrays.keys()
    if missing:
        raise ValueError(f"{path} is not a saved population, or is damaged: it has no {', '.join(sorted(missing))}")
    if len({len(arrays[name]) for name in _COLUMNS}) > 1:
        raise ValueError(f"{path} is damaged: the columns of its history have different lengths")
    return arrays, header


def _given_or_rebuilt(given: Any, description: Any, what: str, path: Any) -> Any:
    if given is None:
        return rebuild(description)
    if describe(given) != description:
        raise ValueError(f"{path} is of the {what} {description}, not of {describe(given)}")
    return given


def _named(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(f"{prefix}."): array for name, array in arrays.items() if name.startswith(f"{prefix}.")}


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    named = _named(arrays, prefix)
    if named.keys() != {str(i) for i in range(len(named))}:
        raise ValueError(f"a saved population is damaged: of its {prefix} it has only {', '.join(sorted(named))}")
    return [named[str(i)] for i in range(len(named))]


def _pending(leaves: list[np.ndarray]) -> Candidates | None:
    return jax.tree.unflatten(jax.tree.structure(_NO_CANDIDATE), leaves) if leaves else None
