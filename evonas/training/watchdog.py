"""A device that never answers: its process ends, so that the others of a search do not wait for it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import threading
from collections.abc import Iterator

import jax

from evonas.preemption import AGAIN

LONGEST = 3600.0
"""Seconds that a compilation, or some seconds' worth of training, may take."""


@contextlib.contextmanager
def watched(what: str) -> Iterator[None]:
    """A block in which devices work. Of several processes, one that is in it for `LONGEST` says so, and ends.

    Its exit code is `AGAIN`, and JAX ends the others. A process alone keeps nobody waiting, and may have been suspended
    for a night.

    Args:
        what: is done, for the message.
    """
    if not jax.distributed.is_initialized():
        yield
        return
    timer = threading.Timer(LONGEST, _end, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(what: str) -> None:
    os.write(2, f"evonas: {what} for {LONGEST:.0f} s: taken for hung, and ended; the same command goes on\n".encode())
    faulthandler.dump_traceback(all_threads=True)
    os._exit(AGAIN)
