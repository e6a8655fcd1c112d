"""Pickles of published benchmarks, read without running what they say.

A pickle is a program. This reader knows the plain types alone, builds NumPy's scalars itself, and refuses all else.
"""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C


def load(file: IO[bytes], name: Any) -> Any:
    """The next object of a file, made of Python's plain types, ordered dictionaries and NumPy's scalars.

    Args:
        file: open for reading; it is left behind the object.
        name: of the file, for messages.

    Raises:
        ValueError: if it needs another type, or is damaged.
    """
    try:
        return _Plain(file).load()
    except _RefusedError as error:
        raise ValueError(f"{name}: {error}") from error
    except _DAMAGE as error:
        raise ValueError(f"{name} is no pickle, or is damaged: {error}") from error


def load_torch(file: IO[bytes], name: Any) -> Any:
    """The object of a file that ``torch.save`` wrote, in its older form or as a zip archive; it may have no tensors.

    Raises:
        ValueError: as `load`, or if it is no such file.
    """
    if zipfile.is_zipfile(file):
        return load(io.BytesIO(_only_pickle(file, name)), name)
    file.seek(0)
    if load(file, name) != _TORCH_MAGIC:
        raise ValueError(f"{name} is not a file of torch.save")
    load(file, name), load(file, name)  # the format's version, and the machine's number formats
    return load(file, name)


def _only_pickle(file: IO[bytes], name: Any) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.namelist() if member.endswith("data.pkl")]
            if len(members) == 1:
                return archive.read(members[0])
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ValueError(f"{name} is a damaged zip archive: {error}") from error
    raise ValueError(f"{name} is a zip archive, but not one of torch.save")


class _RefusedError(Exception):
    """A pickle needs what is not admitted."""


_DAMAGE = (
    *(pickle.UnpicklingError, EOFError, IndexError, KeyError, AttributeError, TypeError, ImportError),
    *(ValueError, OverflowError, MemoryError),
)


class _Function:
    """What an admitted name stands for: a pickle may call it, and not change it."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise _RefusedError("a pickle that changes a function is refused")


class _Number:
    """What stands for a `numpy.dtype` until its byte order is known."""

    def __init__(self, kind: str, *_: Any):
        if kind[:1] not in "biuf" or not kind[1:].isdigit():
            raise _RefusedError(f"a pickle with numbers of type {kind!r} is refused: only plain ones are read")
        self.kind, self.order = kind, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1] if state[1] in ("<", ">", "|", "=") else "="


def _scalar(dtype: _Number, data: bytes | str = b"") -> Any:
    raw = data.encode("latin-1") if isinstance(data, str) else data
    return np.frombuffer(raw, np.dtype(dtype.order + dtype.kind), 1)[0].item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise _RefusedError(f"a pickle with text encoded as {encoding!r} is refused")
    return text.encode("latin-1")


_ADMITTED = {
    ("collections", "OrderedDict"): _Function(collections.OrderedDict),
    ("builtins", "set"): _Function(set),
    ("__builtin__", "set"): _Function(set),
    ("numpy", "dtype"): _Function(_Number),
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy._core.multiarray", "scalar"): _Function(_scalar),
    ("_codecs", "encode"): _Function(_encode),
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """A type that is admitted."""
        found = _ADMITTED.get((module, name))
        if found is None:
            raise _RefusedError(f"a pickle that needs {module}.{name} is refused: only plain types are read")
        return found

    def persistent_load(self, pid: Any) -> Any:
        """Tensors would be such."""
        raise _RefusedError(f"a pickle that refers to data outside of it is refused: {str(pid)[:80]}")
