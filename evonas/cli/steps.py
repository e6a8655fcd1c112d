"""Plans and single commands of other programs, shown and run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from etils import epath

from evonas.launch import Plan, as_line
from evonas.storage import make_directory, write_whole

HOMES = {
    "gcloud": "install the Google Cloud CLI, https://cloud.google.com/sdk/docs/install",
    "xpk": "install it with pip install xpk",
}
"""What to do where a program is missing."""


def carry_out(plan: Plan) -> None:
    """Write the files of a plan, then run its steps; what they print is shown.

    Raises:
        ValueError: if a program is missing, or at the first step that fails.
    """
    for path, content in plan.files.items():
        make_directory(epath.Path(path).parent)
        write_whole(epath.Path(path), content.encode())
    for step in plan.steps:
        print(f"# {step.purpose}\n{as_line(step.command)}", flush=True)
        code = _run(step.command).returncode
        if code != 0:
            raise ValueError(
                f"could not {step.purpose}: {step.command[0]} ended with exit code {code} and said why, above; nothing "
                "after it was done: mend this, and run the same command again"
            )


def answer(command: Sequence[str]) -> str | None:
    """What a command prints; None where it says that there is no such thing.

    Raises:
        ValueError: if the program is missing, or fails for another reason.
    """
    done = _run(command, capture_output=True)
    if done.returncode == 0:
        return done.stdout.strip()
    if any(sign in done.stderr for sign in ("NOT_FOUND", "not found", "matched no objects")):
        return None
    raise ValueError(f"{' '.join(command[:4])} failed:\n{done.stderr.strip()}")


def _run(command: Sequence[str], *, capture_output: bool = False) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, check=False, text=True, capture_output=capture_output)
    except FileNotFoundError as error:
        remedy = HOMES.get(command[0], "install it")
        raise ValueError(f"the program {command[0]} is not on the PATH: {remedy}") from error
