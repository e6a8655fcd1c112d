"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from typing import Any

from etils import epath


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


def remove_drafts(directory: epath.Path) -> None:
    """Remove what killed processes left of their writes. Nobody may be writing there."""
    if _local_name(directory) is not None and directory.is_dir():
        for draft in directory.glob("*.part"):
            draft.unlink()


def absolute(path: Any) -> epath.Path:
    """The path from the root, as Orbax asks for; an object store's is that already."""
    name = os.fspath(path)
    return epath.Path(name if "://" in name else os.path.abspath(name))


def _local_name(path: Any) -> str | None:
    name = os.fspath(path)
    return None if "://" in name else name


def _sync_directory(name: str) -> None:
    directory = os.open(name, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
