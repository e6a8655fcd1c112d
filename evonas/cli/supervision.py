"""One of several processes of a search, watched by a parent: JAX ends it without a word of ours when another dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from evonas.preemption import AGAIN, GRACE

PIPE = "EVONAS_SUPERVISOR"
"""Environment variable of the watched process: a file that ends when its parent does."""


def is_supervised() -> bool:
    """Whether this process has such a parent."""
    return PIPE in os.environ


def supervise(arguments: Sequence[str]) -> int:
    """Run the command line in a process of its own; its exit code, or `AGAIN` where JAX or we ended it.

    SIGTERM and Ctrl-C are passed on. A process that has not ended `GRACE` seconds after SIGTERM is killed: it compiles,
    or waits for another one.
    """
    reader, writer = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-m", "evonas", *arguments],
        env=os.environ | {PIPE: str(reader)},
        pass_fds=[reader],
        start_new_session=True,  # else Ctrl-C would reach it twice
    )
    told = threading.Event()

    def pass_on(number: int, _: object) -> None:
        if number == signal.SIGTERM and not told.is_set():
            told.set()
            killer = threading.Timer(GRACE, child.kill)
            killer.daemon = True
            killer.start()
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    code = child.wait()
    os.close(writer)
    if code >= 0:
        return code
    print(f"evonas: {_reason(-code, told.is_set())}", file=sys.stderr)
    return AGAIN if told.is_set() or -code == signal.SIGABRT else 128 - code


def _reason(number: int, told: bool) -> str:
    again = "the same command, in all processes, goes on from the workdir"
    if told:
        return f"told to end, and ended within {GRACE} s: {again}"
    if number == signal.SIGABRT:
        return f"another process of the search died or does not answer; JAX says more above: {again}"
    return f"killed by {signal.Signals(number).name}: {again}"


def end_with_parent() -> None:
    """From here on this process ends when its parent does, however that ends."""
    reader = int(os.environ.pop(PIPE))  # what this process starts has another parent

    def wait() -> None:
        os.read(reader, 1)  # nothing is ever written
        os._exit(AGAIN)

    threading.Thread(target=wait, daemon=True, name="evonas-parent").start()
