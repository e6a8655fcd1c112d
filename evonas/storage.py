"""Files that are there whole or not at all, and the directories that they lie in."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Any

from etils import epath

LOCK = ".lock"
"""The file in a directory that its lock is on."""

LOCK_PATIENCE = 0.2
"""Seconds to wait for a lock. Who asks whether a directory is in use holds its lock for an instant, too."""

LOCK_INTERVAL = 0.01
"""Seconds between two attempts to get a lock."""


def write_whole(path: epath.Path, content: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old content or the new, and the new survives power loss.

    A local file is written beside its place, synced, and renamed. Object stores have no rename, and their writes are
    whole by themselves.

    Raises:
        OSError: if it can't be written: the disk is full, say. What was there is still there.
    """
    local = _local_name(path)
    if local is None:
        path.write_bytes(content)
        return
    draft = f"{local}.{os.getpid()}.part"
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, local)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    _sync_directory(os.path.dirname(local) or ".")


def remove_drafts(directory: epath.Path, names: str = "*") -> None:
    """Remove what killed processes left of their writes. Nobody may be writing there.

    Args:
        directory: where they wrote; nothing is done if there is none, or in an object store.
        names: pattern of the files' names, for a directory in which foreign files may lie, too.

    Raises:
        OSError: if a draft can't be removed.
    """
    if _local_name(directory) is not None and directory.is_dir():
        for draft in directory.glob(f"{names}.[0-9]*.part"):
            draft.unlink(missing_ok=True)


def make_directory(path: epath.Path) -> None:
    """Make a directory, and those above it, unless they are there; when this returns they survive power loss.

    Raises:
        FileExistsError: if it is a file.
        NotADirectoryError: if a part of its path is a file.
        OSError: if it can't be made.
    """
    local = _local_name(path)
    if local is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    missing = _missing(local)
    os.makedirs(local, exist_ok=True)
    for name in missing:
        _sync_directory(os.path.dirname(name) or ".")


def lock_directory(path: Any) -> int | None:
    """Take a directory's advisory lock, which the system lets go when the process dies.

    Returns:
        What to close (`os.close`) to let go of it; None for an object store, which has no locks.

    Raises:
        ValueError: if another process has it.
        OSError: if the directory does not exist, or can't be written.
    """
    local = _local_name(path)
    if local is None:
        return None
    handle = os.open(os.path.join(local, LOCK), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        _wait_for_lock(handle, local)
    except BaseException:
        os.close(handle)
        raise
    return handle


def absolute(path: Any) -> epath.Path:
    """The path from the root, as Orbax asks for; an object store's is that already."""
    name = os.fspath(path)
    return epath.Path(name if "://" in name else os.path.abspath(name))


def _local_name(path: Any) -> str | None:
    name = os.fspath(path)
    return None if "://" in name else name


def _missing(name: str) -> list[str]:
    """The directory and those above it, as far as they do not exist."""
    missing = []
    while name and not os.path.exists(name):
        missing.append(name)
        name = os.path.dirname(name)
    return missing


def _wait_for_lock(handle: int, directory: str) -> None:
    """Lock a directory's file.

    Raises:
        ValueError: if another process keeps it locked.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                message = f"another process is running in {directory}: wait for it, or stop it first"
                raise ValueError(message) from error
        time.sleep(LOCK_INTERVAL)


def _sync_directory(name: str) -> None:
    directory = os.open(name, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
