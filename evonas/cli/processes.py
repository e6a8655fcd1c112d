"""``--distributed``: the same command in several processes, those of a TPU slice for instance, is one search."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator

import jax

from evonas.run.processes import NoAnswerError, is_first

PATIENCE = 100
"""Seconds without a sign of life until JAX takes a process for dead, by default."""

FLAGS = """options of run, resume, doctor and reproduce nasnet_search, in every process, as on all hosts of a TPU slice:
  --distributed                    the processes search together: each trains its share, the first writes and prints
  --coordinator HOST:PORT          where the first listens; Cloud TPU and Slurm tell this and the next two
  --num-processes N                how many there are
  --process-id I                   which of them this is, from 0
  --patience SECONDS               until one that is not heard of any more counts as dead, and all end; else 100"""


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
    parser.add_argument("--patience", type=int, default=PATIENCE)
    try:
        flags, rest = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise ValueError(f"{error}: see evonas --help") from error
    given = (flags.coordinator, flags.num_processes, flags.process_id)
    if not flags.distributed:
        if any(value is not None for value in given) or flags.patience != PATIENCE:
            raise ValueError("--coordinator, --num-processes, --process-id and --patience go with --distributed")
        return rest
    if flags.coordinator is not None and not re.fullmatch(r".+:[0-9]+", flags.coordinator):
        raise ValueError(f"--coordinator is HOST:PORT, got {flags.coordinator!r}")
    if flags.patience < 1:
        raise ValueError(f"--patience is a number of seconds from 1 on, got {flags.patience}")
    try:
        jax.distributed.initialize(*given, heartbeat_timeout_seconds=flags.patience)
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
