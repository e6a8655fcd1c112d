"""Files that are there whole or not at all, and the directories that they lie in."""

from __future__ import annotations

import fcntl
import io
import os
import time
from typing import IO, Any

from etils import epath

from evonas import object_store
from evonas.object_store import is_remote

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
    if is_remote(path):
        object_store.write(path, content)
        return
    local = os.fspath(path)
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


def write_new(path: epath.Path, content: bytes) -> None:
    """The same for a file of which there is none. Local ones are written under a lock, which object stores do not have.

    Raises:
        FileExistsError: if an object store has one, with another content: somebody else is writing there.
        OSError: if it can't be written.
    """
    if is_remote(path):
        object_store.create(path, content)
    else:
        write_whole(path, content)


def read_whole(path: epath.Path) -> bytes:
    """The content of a file.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if it can't be read.
    """
    return object_store.read(path) if is_remote(path) else path.read_bytes()


def open_whole(path: epath.Path) -> IO[bytes]:
    """A file to read in any order; of an object store, all of it in memory, had by one request.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if it can't be read.
    """
    return io.BytesIO(object_store.read(path)) if is_remote(path) else path.open("rb")


def exists(path: epath.Path) -> bool:
    """Whether there is a file or directory.

    Raises:
        OSError: if an object store does not tell.
    """
    return object_store.exists(path) if is_remote(path) else path.exists()


def files_in(directory: epath.Path) -> list[epath.Path]:
    """What lies in a directory, as it is now.

    Raises:
        FileNotFoundError: if there is no such directory.
        OSError: if it can't be listed.
    """
    return (
        [directory / name for name in object_store.names(directory)] if is_remote(directory) else [*directory.iterdir()]
    )


def remove(path: epath.Path) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: if it can't be removed.
    """
    if is_remote(path):
        object_store.remove(path)
    else:
        path.unlink(missing_ok=True)


def remove_tree(path: epath.Path) -> None:
    """Remove a directory with all that is in it, if it is there.

    Raises:
        OSError: if it can't be removed.
    """
    if is_remote(path):
        object_store.remove(path, recursive=True)
        return
    while path.exists():
        try:
            path.rmtree()
        except FileNotFoundError:  # another process is removing it, too
            continue


def remove_drafts(directory: epath.Path, names: str = "*") -> None:
    """Remove what killed processes left of their writes. Nobody may be writing there.

    Args:
        directory: where they wrote; nothing is done if there is none, or in an object store.
        names: pattern of the files' names, for a directory in which foreign files may lie, too.

    Raises:
        OSError: if a draft can't be removed.
    """
    if not is_remote(directory) and directory.is_dir():
        for draft in directory.glob(f"{names}.[0-9]*.part"):
            draft.unlink(missing_ok=True)


def make_directory(path: epath.Path) -> None:
    """Make a directory, and those above it, unless they are there; when this returns they survive power loss.

    Object stores have none: there, nothing is done.

    Raises:
        FileExistsError: if it is a file.
        NotADirectoryError: if a part of its path is a file.
        OSError: if it can't be made.
    """
    if is_remote(path):
        return
    local = os.fspath(path)
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
    if is_remote(path):
        return None
    local = os.fspath(path)
    handle = os.open(os.path.join(local, LOCK), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        _wait_for_lock(handle, local)
    except BaseException:
        os.close(handle)
        raise
    return handle


def absolute(path: Any) -> epath.Path:
    """The path from the root, as Orbax asks for; an object store's is that already, and its listings are new."""
    if not is_remote(path):
        return epath.Path(os.path.abspath(os.fspath(path)))
    object_store.prepare_epath()
    return epath.Path(path)


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
