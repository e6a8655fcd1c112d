"""From what a user names to a data set."""

from __future__ import annotations

import os
from typing import Any

from evonas.data.arrays import Arrays
from evonas.data.dataset import Dataset, Source
from evonas.data.digits import Digits
from evonas.data.npz import Npz
from evonas.data.tfds import TFDS

ACCEPTED = '"digits", "tfds:NAME", "path/to/file.npz", a tuple (inputs, targets), an evonas.data source or a Dataset'


def resolve(data: Any) -> Dataset:
    """The data set that ``data`` names, loaded.

    Args:
        data: ``"digits"``; ``"tfds:NAME"``; the path of an ``.npz`` file; a tuple ``(inputs, targets)`` of arrays; a
            source, which is anything with ``load()``, such as `evonas.data.Arrays`, which takes validation and test
            examples, too; or a `Dataset`, which is returned as it is.

    Raises:
        FileNotFoundError: if the file or the prepared data set is missing.
        ValueError: if it is none of these, or its data are not accepted.
    """
    if isinstance(data, Dataset):
        return data
    source = as_source(data)
    loaded = source.load()
    if not isinstance(loaded, Dataset):
        raise ValueError(f"{type(source).__name__}.load() must return an evonas.data.Dataset, got {_kind(loaded)}")
    return loaded


def as_source(data: Any) -> Source:
    """The source that ``data`` names, not yet loaded; as `resolve`, but not for a `Dataset`.

    Raises:
        ValueError: if it names none.
    """
    if isinstance(data, Source) and not isinstance(data, type):
        return data
    if isinstance(data, tuple) and len(data) == 2:
        return Arrays(*data)
    if isinstance(data, str | os.PathLike):
        text = os.fspath(data)
        if text == "digits":
            return Digits()
        if text.startswith("tfds:") and text != "tfds:":
            return TFDS(text.removeprefix("tfds:"))
        if text.endswith(".npz"):
            return Npz(text)
    raise ValueError(f"data must be {ACCEPTED}; got {_kind(data)}")


def _kind(data: Any) -> str:
    if isinstance(data, type):
        return f"the class {data.__name__} (call it: {data.__name__}())"
    if isinstance(data, str):
        return repr(data)
    return f"a tuple of {len(data)}" if isinstance(data, tuple) else f"a {type(data).__name__}"
