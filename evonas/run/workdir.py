"""A run's directory: its configuration, and one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from typing import Any

from etils import epath

from evonas.storage import write_whole

CONFIG, HISTORY, RESULT, GENERATIONS, EXPERIMENT = (
    "config.json",
    "history",
    "result.json",
    "generations.json",
    "experiment.py",
)
"""What lies in a workdir."""

EXTENDABLE = ("evaluations",)
"""Settings that may change when a run is continued."""


class Workdir:
    """The directory of one run, locked while open.

    Args:
        path: local, or of an object store (``gs://``); made if it does not exist.

    Raises:
        ValueError: if another process has it open.
        OSError: if it can't be written.
    """

    def __init__(self, path: Any):
        self.path = epath.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.path)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def agree(self, config: Mapping[str, Any]) -> None:
        """Write the configuration of a new run, or check that it is that of the run that lies here.

        Raises:
            ValueError: if it differs in more than the number of evaluations; nothing is changed then.
        """
        path = self.path / CONFIG
        written = json.loads(json.dumps(config))
        if path.exists():
            known = read_json(path)
            changed = [name for name in {**known, **written} if known.get(name) != written.get(name)]
            if blocking := [name for name in changed if name not in EXTENDABLE]:
                raise ValueError(
                    f"{self.path} holds a run with other settings: {_differences(known, written, sorted(blocking))}; "
                    "use a new workdir, or the old settings"
                )
            if not changed:
                return
        write_json(path, written)


def read_json(path: Any) -> Any:
    """A JSON file's value.

    Raises:
        ValueError: if it is missing or damaged.
    """
    path = epath.Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: is {path.parent} the workdir of a run?")
    try:
        return json.loads(path.read_bytes().decode())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): restore it, or start a new workdir") from error


def write_json(path: Any, value: Any) -> None:
    """Write a value as JSON for people to read."""
    write_whole(epath.Path(path), (json.dumps(value, indent=2) + "\n").encode())


def _differences(known: Mapping[str, Any], given: Mapping[str, Any], names: list[str]) -> str:
    found = []
    for name in names:
        old, new = known.get(name), given.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            parts = sorted({part for part in {**old, **new} if old.get(part) != new.get(part)})
            found.append(_differences(old, new, parts).replace("; ", ", ") if parts else name)
        else:
            found.append(f"{name} was {json.dumps(old)}, now {json.dumps(new)}")
    return "; ".join(found)


def _lock(path: epath.Path) -> int | None:
    """An advisory lock, let go by the system when the process dies. Object stores have none."""
    name = os.fspath(path)
    if "://" in name:
        return None
    handle = os.open(os.path.join(name, ".lock"), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise ValueError(f"another process is running in {name}: wait for it, or stop it first") from error
    return handle


def is_running(path: Any) -> bool | None:
    """Whether a process has the workdir open; None where that can't be told, on an object store."""
    name = os.path.join(os.fspath(path), ".lock")
    if "://" in name:
        return None
    if not os.path.exists(name):
        return False
    with open(name, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
