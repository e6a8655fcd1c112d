"""The test measurement of a run's best, which is read once and kept."""

from __future__ import annotations

from typing import Any

from etils import epath

from evonas.run.log import Evaluation
from evonas.run.workdir import RESULT, damaged, read_json, write_json
from evonas.storage import exists


def kept_test(workdir: Any, candidate: int) -> dict[str, Any] | None:
    """Test metrics of a candidate, where they were measured before.

    Raises:
        ValueError: if the file is damaged.
    """
    path = epath.Path(workdir) / RESULT
    if not exists(path):
        return None
    result = read_json(path)
    if not (result.keys() >= {"best", "test"} and isinstance(result["test"], dict)):
        raise damaged(path, "it has no best or no test")
    return result["test"] if result["best"] == candidate else None


def keep_test(workdir: Any, best: Evaluation, metrics: dict[str, Any]) -> None:
    """Write them into the workdir."""
    result = {"best": best.id, "architecture": best.architecture, "test": metrics}
    write_json(epath.Path(workdir) / RESULT, result)
