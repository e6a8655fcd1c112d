"""A run's directory: its configuration, and one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from typing import Any

from etils import epath

from evonas.description import completed, differences
from evonas.object_store import is_remote
from evonas.storage import LOCK, exists, lock_directory, make_directory, read_whole, remove_drafts, write_whole

CONFIG, HISTORY, RESULT, GENERATIONS, EXPERIMENT, CHECKPOINTS, TIMELINE = (
    "config.json",
    "history",
    "result.json",
    "generations.json",
    "experiment.py",
    "checkpoints",
    "timeline",
)
"""What lies in a workdir."""

FILES = (CONFIG, RESULT, GENERATIONS, EXPERIMENT)
"""What is written into the workdir itself. Foreign files may lie beside them: a workdir may be any directory."""

EXTENDABLE = ("evaluations", "checkpoint_seconds", "keep_checkpoints")
"""Settings that may change when a run is continued."""


class Workdir:
    """The directory of one run, locked while open.

    Args:
        path: local, or of an object store (``gs://``); made if it does not exist.

    Raises:
        ValueError: if another process has it open, or a file is in its place.
        OSError: if it can't be written.
    """

    def __init__(self, path: Any):
        self.path = epath.Path(path)
        try:
            make_directory(self.path)
        except (FileExistsError, NotADirectoryError) as error:
            raise ValueError(f"{path} can't be a workdir: it, or a part of its path, is a file") from error
        self._lock = lock_directory(self.path)
        remove_drafts(self.path / HISTORY)
        remove_drafts(self.path / TIMELINE)
        for name in FILES:
            remove_drafts(self.path, name)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check(self, config: Mapping[str, Any]) -> None:
        """Check that the run that lies here, if there is one, has this configuration. Nothing is written.

        Raises:
            ValueError: if it differs in more than the number of evaluations and checkpoints, or is damaged.
        """
        if not exists(self.path / CONFIG):
            return
        known, given = read_config(self.path / CONFIG), plain(config)
        known |= {"training": completed(known.get("training"))}
        blocking = [
            name for name in {**known, **given} if known.get(name) != given.get(name) and name not in EXTENDABLE
        ]
        if blocking:
            raise ValueError(
                f"{self.path} holds a run with other settings: {differences(known, given, sorted(blocking))}; "
                "use a new workdir, or the old settings"
            )

    def keep(self, config: Mapping[str, Any]) -> None:
        """Write the configuration, unless it is there, or that of a longer search of which this is the beginning.

        Raises:
            ValueError: if the one that is there is damaged. Then it is left as it is.
            OSError: if it can't be written.
        """
        path, given = self.path / CONFIG, plain(config)
        if exists(path):
            known = read_config(path)
            given["evaluations"] = max(known["evaluations"], given["evaluations"])
            if all(known.get(name) == given[name] for name in EXTENDABLE):
                return
        write_json(path, given)


def read_json(path: Any) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ValueError: if it is missing or damaged.
    """
    path = epath.Path(path)
    try:
        content = read_whole(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist: is {path.parent} the workdir of a run?") from error
    try:
        value = json.loads(content.decode())
    except ValueError as error:
        raise damaged(path, error) from error
    if not isinstance(value, dict):
        raise damaged(path, f"expected an object, got a {type(value).__name__}")
    return value


def damaged(path: Any, reason: object) -> ValueError:
    """What is wrong with a file, and what to do."""
    return ValueError(f"{path} is damaged ({reason}): restore it, or start a new workdir")


def write_json(path: Any, value: Any) -> None:
    """Write a value as JSON for people to read."""
    write_whole(epath.Path(path), (json.dumps(value, indent=2) + "\n").encode())


def read_config(path: epath.Path) -> dict[str, Any]:
    """A configuration, which says how many evaluations it is for.

    Raises:
        ValueError: if it is missing or damaged.
    """
    config = read_json(path)
    if "evaluations" not in config:
        raise damaged(path, "it lacks the number of evaluations")
    evaluations = config["evaluations"]
    if not isinstance(evaluations, int) or isinstance(evaluations, bool):
        raise damaged(path, f"expected an integer for evaluations, got {json.dumps(evaluations)}")
    return config


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from JSON."""
    return json.loads(json.dumps(config))


def is_running(path: Any) -> bool | None:
    """Whether a process has the workdir open; None where that can't be told, on an object store."""
    name = os.path.join(os.fspath(path), LOCK)
    if is_remote(name):
        return None
    if not os.path.exists(name):
        return False
    with open(name, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
