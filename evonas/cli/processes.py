"""``--distributed``: the same command in several processes, those of a TPU slice for instance, is one search."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator

import jax

from evonas.run.processes import NoAnswerError, is_first

FLAGS = """options of run, resume and reproduce nasnet_search, given in every process, as on all hosts of a TPU slice:
  --distributed                    the processes search together: each trains its share, the first writes and prints
  --coordinator HOST:PORT          where the first listens; Cloud TPU and Slurm tell this and the next two
  --num-processes N                how many there are
  --process-id I                   which of them this is, from 0"""


def join_processes(arguments: list[str]) -> list[str]:
    """Join the other processes, where the arguments ask for it, before anything computes; the remaining arguments.

    Raises:
        ValueError: if the options are wrong, or too few.
        NoAnswerError: if they can't be joined.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--distributed", action="store_true")
    parser.add_argument("--coordinator")
    parser.add_argument("--num-processes", type=int)
    parser.add_argument("--process-id", type=int)
    try:
        flags, rest = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise ValueError(f"{error}: see evonas --help") from error
    given = (flags.coordinator, flags.num_processes, flags.process_id)
    if not flags.distributed:
        if any(value is not None for value in given):
            raise ValueError("--coordinator, --num-processes and --process-id go with --distributed")
        return rest
    if flags.coordinator is not None and not re.fullmatch(r".+:[0-9]+", flags.coordinator):
        raise ValueError(f"--coordinator is HOST:PORT, got {flags.coordinator!r}")
    # Else SIGTERM would be taken for a notice, and end nothing.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(*given)
    except ValueError as error:
        raise ValueError(
            f"the processes could not be joined ({error}): give --coordinator HOST:PORT, --num-processes N and "
            "--process-id I where the machine does not tell them"
        ) from error
    except RuntimeError as error:
        raise NoAnswerError(
            "the processes could not be joined: start all of them within 5 minutes, and see that HOST:PORT can be "
            f"reached from each ({str(error).splitlines()[0]})"
        ) from error
    return rest


@contextlib.contextmanager
def printing_once() -> Iterator[None]:
    """Only the first of several processes prints; what goes to stderr, all show."""
    if is_first():
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
