"""Files of an object store (``gs://``): read, written and removed whole, again and again while the store fails.

An object store has no directories, no rename, no append and no locks; what it has is that a write is there whole or not
at all, and that a file can be written on condition that there is none of its name. Everything here is safe to repeat,
since an answer that is lost tells nothing of whether the request was carried out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from etils import epath

if TYPE_CHECKING:
    import aiohttp
    import fsspec

SCHEME = "gs://"

PATIENCE = 120.0
"""Seconds for which a call that fails in passing is begun again. Each beginning is up to six requests of gcsfs's."""

SILENCE = 60.0
"""Seconds without a byte after which a request is given up, and sent again."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a call is begun again: the mean of the first pause, which doubles, and its bound."""

T = TypeVar("T")


def is_remote(path: Any) -> bool:
    """Whether a path is one of an object store."""
    return "://" in os.fspath(path)


def read(path: Any) -> bytes:
    """The content of a file, of one moment.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    return _persistently("read", path, lambda store, name: store.cat_file(name))


def write(path: Any, content: bytes) -> None:
    """Write a file, in place of the one that may be there.

    Raises:
        FileNotFoundError: if there is no such bucket.
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    try:
        _persistently("written", path, lambda store, name: store.pipe_file(name, content))
    except FileNotFoundError as error:
        raise _no_bucket(path) from error


def create(path: Any, content: bytes) -> None:
    """Write a file of which there is none yet, or which has this very content, as after a lost answer.

    Raises:
        FileExistsError: if there is one with another content. It is left as it is.
        FileNotFoundError: if there is no such bucket.
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    try:
        _persistently("written", path, lambda store, name: store.pipe_file(name, content, mode="create"))
    except FileNotFoundError as error:
        raise _no_bucket(path) from error
    except FileExistsError as error:
        if read(path) != content:
            raise FileExistsError(f"{os.fspath(path)} is there already, with another content") from error


def exists(path: Any) -> bool:
    """Whether there is a file, or one below.

    Raises:
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    try:
        _persistently("looked up", path, lambda store, name: store.info(name))
    except FileNotFoundError:
        return False
    return True


def names(path: Any) -> list[str]:
    """Names of what is in a directory, as it is now.

    Raises:
        FileNotFoundError: if there is nothing.
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    return [
        os.path.basename(name)
        for name in _persistently("listed", path, lambda store, name: store.ls(name, detail=False))
    ]


def remove(path: Any, recursive: bool = False) -> None:
    """Remove a file, or all that is below, if it is there.

    Raises:
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    try:
        _persistently("removed", path, lambda store, name: store.rm(name, recursive=recursive))
    except FileNotFoundError:
        return  # by the request whose answer was lost, perhaps


def bound(path: Any, limit: int) -> None:
    """Remove the oldest files of a directory, if there is one, until the others have at most so many bytes.

    Raises:
        OSError: if the store refuses, or does not answer for `PATIENCE`: then a TimeoutError.
    """
    try:
        entries = _persistently("listed", path, lambda store, name: store.ls(name, detail=True))
    except FileNotFoundError:
        return
    kept = 0
    files = [entry for entry in entries if entry["type"] == "file"]
    for entry in sorted(files, key=lambda entry: entry["updated"], reverse=True):
        kept += entry["size"]
        if kept > limit:
            remove(f"{SCHEME}{entry['name']}")


def prepare_epath() -> None:
    """Have `epath.Path`, and with it Orbax, list directories anew, and give up requests without an answer.

    By themselves they keep what they have listed once, and wait without end.
    """
    from etils.epath import backend

    store = backend.fsspec_backend.fs(SCHEME)
    store.requests_timeout = _silence()
    store.invalidate_cache()


def _store(path: Any) -> fsspec.AbstractFileSystem:
    """The store's client, which keeps no listings.

    Raises:
        ImportError: if it is not installed.
        ValueError: if the path is of a store that evonas does not know.
    """
    if not os.fspath(path).startswith(SCHEME):
        raise ValueError(f"{os.fspath(path)} is of no object store that evonas knows: give a local path, or {SCHEME}")
    try:
        import fsspec

        return fsspec.filesystem("gcs", use_listings_cache=False, requests_timeout=_silence())
    except ImportError as error:
        raise ImportError(f'{os.fspath(path)} needs the package gcsfs: pip install "evonas[gcs]"') from error


def _silence() -> aiohttp.ClientTimeout:
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)


def _persistently(what: str, path: Any, call: Callable[[fsspec.AbstractFileSystem, str], T]) -> T:
    """What a call gives, begun again while it fails in passing.

    Raises:
        FileNotFoundError: as the call does.
        FileExistsError: as the call does.
        TimeoutError: if it fails in passing for longer than `PATIENCE`.
        OSError: if the store refuses.
    """
    store, name = _store(path), os.fspath(path)
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry

    retry = Retry(predicate=_is_passing, initial=FIRST_PAUSE, maximum=LONGEST_PAUSE, timeout=PATIENCE)
    try:
        return retry(call)(store, name)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name} does not exist") from error
    except FileExistsError:
        raise
    except RetryError as error:
        reason = f"the store does not answer ({_sentence(error.cause)}): look at the network, and repeat"
        raise TimeoutError(f"{name} can't be {what}: {reason}") from error
    except Exception as error:  # gcsfs, aiohttp and google-auth have errors of their own
        reason = f"{_sentence(error)}: look at the path, its rights, and whether you are logged in"
        raise OSError(f"{name} can't be {what}: {reason}") from error


def _is_passing(error: BaseException) -> bool:
    from gcsfs.retry import is_retriable

    return isinstance(error, TimeoutError) or is_retriable(error)


def _no_bucket(path: Any) -> FileNotFoundError:
    bucket = epath.Path(path).parts[2]
    return FileNotFoundError(f"{os.fspath(path)} can't be written: there is no bucket {bucket}: make it first")


def _sentence(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
