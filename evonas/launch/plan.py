"""Files to write and commands to run, as values; also as one script."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

END = "END_OF_FILE"


class Step(NamedTuple):
    """A command, and what it is for."""

    purpose: str
    command: tuple[str, ...]


class Plan(NamedTuple):
    """What to do, in this order.

    Attributes:
        files: contents by path, written first; their directories are made.
        steps: run one after the other, until one fails.
    """

    files: Mapping[str, str]
    steps: tuple[Step, ...]


def as_line(command: Sequence[str]) -> str:
    """A command to be copied into a shell, an option a line."""
    line = shlex.quote(command[0])
    for word in command[1:]:
        line += f" \\\n  {shlex.quote(word)}" if word.startswith("--") else f" {shlex.quote(word)}"
    return line


def as_script(plan: Plan) -> str:
    """The plan as a bash script that does the same; in a subshell, so that it may be pasted into a terminal."""
    parts = ["(set -e"]
    for directory in sorted({os.path.dirname(path) for path in plan.files}):
        parts.append(shlex.join(["mkdir", "-p", directory]))
    for path, content in plan.files.items():
        parts.append(f"cat >{shlex.quote(path)} <<'{END}'\n{content.rstrip()}\n{END}")
    for step in plan.steps:
        parts.append(f"# {step.purpose}\n{as_line(step.command)}")
    return "\n\n".join([*parts, ")"]) + "\n"
