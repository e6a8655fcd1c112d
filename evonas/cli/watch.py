"""Signs of life between the processes of a search, so that none waits for one that is no more."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import jax

PULSE = 5.0
"""Seconds between two signs of life."""

SILENCE = 60.0
"""Seconds without one after which a process counts as dead: JAX itself takes 100, and ends with a trace."""

SIGNS, LEFT = "evonas/alive", "left"


@contextlib.contextmanager
def watching(exit_code: int) -> Iterator[None]:
    """A block in which this process ends, with a sentence, once another one gives no sign of life.

    It ends from a thread, since the main one may be in a computation that waits for the other. What the first process
    has written is whole at any moment, so that nothing is lost. Where the first itself dies, JAX ends the others at
    once, by SIGABRT: exit code 134 of a shell.

    Args:
        exit_code: to end with.
    """
    if not jax.distributed.is_initialized():
        yield
        return
    # JAX's store of keys and values for all processes, to which it has no public way; nor does `jax.process_index` do,
    # which asks for devices, whose number may still be set.
    from jax._src.distributed import global_state

    client: Any = global_state.client
    own = f"{SIGNS}/{global_state.process_id}"
    finished = threading.Event()
    watch = threading.Thread(target=_watch, args=(client, own, finished, exit_code), daemon=True)
    watch.start()
    try:
        yield
    finally:
        finished.set()
        watch.join()
        client.key_value_set(own, LEFT, allow_overwrite=True)


def _watch(client: Any, own: str, finished: threading.Event, exit_code: int) -> None:
    heard: dict[str, tuple[str, float]] = {}  # the last sign of each process, and when it was new
    pulse = 0
    while not finished.wait(PULSE):
        pulse += 1
        client.key_value_set(own, str(pulse), allow_overwrite=True)
        now = time.monotonic()
        for process, sign in client.key_value_dir_get(SIGNS):
            if process not in heard or heard[process][0] != sign:
                heard[process] = (sign, now)
        silent = [each for each, (sign, since) in heard.items() if sign != LEFT and now - since > SILENCE]
        if silent:
            names = ", ".join(process.rpartition("/")[2] for process in sorted(silent))
            print(
                f"evonas: no sign of life from process {names} for {SILENCE:.0f} s: start all of them again, and the "
                "search goes on from its workdir",
                file=sys.stderr,
                flush=True,
            )
            os._exit(exit_code)
