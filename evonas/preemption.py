"""The notice that this process is to end soon: SIGTERM, as clouds and schedulers give it before they take a machine."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator

import jax

AGAIN = 75
"""Exit code of a process that was told to end: the same command goes on. EX_TEMPFAIL of BSD's sysexits.h."""

GRACE = 25
"""Seconds from the notice until the process is ended, whatever it does: clouds give 30."""

LONGEST_SILENCE = 3600
"""Seconds that may pass between two questions of several processes for the notice."""

LATE = f"evonas: told to end, and {GRACE} s later still compiling or training: ended; the same command goes on\n"

Notice = Callable[[], bool]
"""Whether the notice was given."""


class Preempted(SystemExit):
    """The process was told to end, and what was under way is kept. Where nobody catches it, the exit code is 75."""

    def __init__(self) -> None:
        super().__init__(AGAIN)

    def __str__(self) -> str:
        return "told to end: what was under way is kept, and the same command goes on"


def never() -> bool:
    """No notice."""
    return False


@contextlib.contextmanager
def noticing() -> Iterator[Notice]:
    """A function that says whether the notice was given; while it is open, SIGTERM does not end the process at once.

    Of several processes it is that of any of them, by JAX's preemption service. Otherwise nothing is noticed outside of
    the main thread, or where the program has a handler for SIGTERM of its own. A process that does not listen in time,
    since it compiles, say, is ended. Processes that are forked meanwhile end by SIGTERM as ever.

    Raises:
        Preempted: at its end, if the notice was given and nobody has taken it.
    """
    if jax.distributed.is_initialized():
        yield _OfAnyProcess()
        return
    handler = signal.getsignal(signal.SIGTERM)
    if isinstance(handler, _Told):  # within a wider one
        yield handler.is_set
        return
    if handler != signal.SIG_DFL or threading.current_thread() is not threading.main_thread():
        yield never
        return
    _forget_in_children()
    told = _Told()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=_end_in_time, args=(reader,), daemon=True, name="evonas-notice").start()
    # Python runs a handler between two of its own steps, but writes to this at once, amid a compilation too.
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, told)
    try:
        yield told.is_set
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(before)
        os.close(writer)
    if told.is_set():
        raise Preempted


class _Told(threading.Event):
    """Set by the signal that it handles."""

    def __call__(self, *_: object) -> None:
        self.set()


@functools.cache
def _forget_in_children() -> None:
    """Once a process: there is no way to take it back."""
    os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    if isinstance(signal.getsignal(signal.SIGTERM), _Told):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)  # else a child would tell its parent


def _end_in_time(reader: int) -> None:
    """End the process so long after the first SIGTERM, unless nobody listens any more: then there is an end to read."""
    deadline = None
    while True:
        left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        if not select.select([reader], [], [], left)[0]:
            os.write(2, LATE.encode())
            os._exit(AGAIN)
        if not (number := os.read(reader, 1)):
            os.close(reader)
            return
        if number[0] == signal.SIGTERM and deadline is None:
            deadline = time.monotonic() + GRACE


class _OfAnyProcess:
    """JAX's service agrees on a step at which all processes know of a notice; here steps are seconds of the clock.

    It is the one after the last that any process has asked for: 1 if none has, and perhaps long ago, if they have
    compiled since. The backend must not be started before it is asked, so the first question is for all of these.
    """

    def __init__(self) -> None:
        self._asked, self._told = 0, False

    def __call__(self) -> bool:
        from orbax.checkpoint.multihost import reached_preemption  # here: importing it takes longer than all of evonas

        now = int(time.time())
        seconds = range(self._asked + 1, now + 1) if self._asked else [1, *range(now - LONGEST_SILENCE, now + 1)]
        for second in seconds:  # each must be asked for: it is true of one
            self._told |= reached_preemption(second)
        self._asked = max(self._asked, now)
        return self._told
