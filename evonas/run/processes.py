"""One search in several JAX processes: each measures its share of the candidates, and all learn every result.

All of them run the same evolution from the same seed, and so ask for the same candidates; the first alone has the
workdir. What they exchange are measurements, as text: a few hundred bytes a candidate.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from evonas.preemption import Notice, Preempted
from evonas.types import Candidates, Measurement, Span

if TYPE_CHECKING:
    from evonas.run.loop import Evaluator

PATIENCE = 24 * 3600
"""Seconds that a process waits for the others: more than the longest training. JAX itself finds those that died."""


TOLD = "_told_to_other_processes"
"""The attribute of an error of which the other processes know."""


class OtherProcessError(RuntimeError):
    """The search ended because another process of it failed.

    Attributes:
        again: whether it may succeed when it is started again: an object store did not answer.
    """

    def __init__(self, failures: dict[int, str]):
        super().__init__("; ".join(f"process {process}: {failure}" for process, failure in failures.items()))
        self.again = all(failure.startswith(f"{TimeoutError.__name__}:") for failure in failures.values())


class NoAnswerError(RuntimeError):
    """Another process of the search has ended, or did not answer in time."""


def is_first() -> bool:
    """Whether this is the process that writes, and calls back."""
    return jax.process_index() == 0


@contextlib.contextmanager
def together() -> Iterator[None]:
    """A block, or a function, that ends in all processes alike: where it fails in one, it fails in all.

    Blocks may be nested. Until the first exchange it does not ask JAX for devices, whose number may still be set.

    Raises:
        OtherProcessError: if another process failed.
        NoAnswerError: if one did not answer.
    """
    if not jax.distributed.is_initialized():
        yield
        return
    try:
        yield
    except (OtherProcessError, NoAnswerError, Preempted, GeneratorExit):
        raise
    except BaseException as error:
        if not hasattr(error, TOLD):
            setattr(error, TOLD, True)
            with contextlib.suppress(OtherProcessError, NoAnswerError):  # where several fail, each says so itself
                _meet(f"{type(error).__name__}: {error}")
        raise
    _meet()


def from_first(compute: Callable[[], Any]) -> Any:
    """What the first process computes, a value of JSON, in all of them; to be called in `together`, by all."""
    from jax.experimental.multihost_utils import broadcast_one_to_all

    if jax.process_count() == 1:
        return compute()
    message = json.dumps(compute() if is_first() else None).encode()
    lengths = _meet(length=len(message))
    return json.loads(broadcast_one_to_all(_padded(message, lengths))[: lengths[0]].tobytes())


class Rounds:
    """Has candidates measured, by one process or by several together, until the notice is given.

    Args:
        evaluator: of this process.
        notice: whether the processes are to end.

    Attributes:
        held_seconds: of the devices of all processes while candidates are trained, or other processes are waited for;
            without compiling.
        trained_seconds: of those, the ones in which a device trained a candidate.
    """

    def __init__(self, evaluator: Evaluator, notice: Notice):
        self._evaluator, self._notice = evaluator, notice
        self.held_seconds, self.trained_seconds = 0.0, 0.0
        self._spans: list[Span] = []  # of all processes, in the first

    def take_spans(self) -> list[Span]:
        """What the devices did since the last call; those of other processes are known in the first, after a round."""
        spans, self._spans = self._spans + self._evaluator.take_spans(), []
        return spans

    def measure(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        """Rows of the candidates and their measurements as they get done; to be called in `together`, by all processes.

        Groups that the evaluator measures together go to the processes in turn, a round at a time, and after it all
        know its results. They come in the order that one process has.

        Raises:
            Preempted: if the notice is given, in all processes; all that is measured has been yielded before.
        """
        if jax.process_count() > 1:
            yield from self._measure_together(candidates)
            return
        yield from self._evaluator(candidates)
        self.held_seconds, self.trained_seconds = self._evaluator.held_seconds, self._evaluator.trained_seconds
        if self._notice():
            raise Preempted

    def _measure_together(self, candidates: Candidates) -> Iterator[tuple[np.ndarray, list[Measurement]]]:
        count = jax.process_count()
        place = {int(row): number for number, row in enumerate(itertools.chain(*self._evaluator.groups(candidates)))}
        groups = self._evaluator.groups(candidates, count)
        for start in range(0, len(groups), count):
            answers = _exchange(self._own_round(candidates, groups[start : start + count]))
            self._add_times(answers)
            if is_first():
                self._spans += [Span(*span)._replace(candidates=tuple(span[-1])) for span in _all(answers, "spans")]
            found = sorted(_all(answers, "found"), key=lambda pair: place[pair[0]])
            if found:
                yield np.array([row for row, _ in found]), [Measurement.of(fields) for _, fields in found]
            if any(answer["told"] for answer in answers):
                raise Preempted

    def _own_round(self, candidates: Candidates, groups: list[np.ndarray]) -> dict[str, Any]:
        """What this process measures of a round: its group, which is empty if the round has too few."""
        held, trained = self._evaluator.held_seconds, self._evaluator.trained_seconds
        found: list[tuple[int, dict[str, Any]]] = []
        told = False
        try:
            for rows in groups[jax.process_index() :][:1]:
                for part, measurements in self._evaluator(candidates[rows]):
                    found += [(int(rows[row]), each._asdict()) for row, each in zip(part, measurements, strict=True)]
            told = self._notice()
        except Preempted:
            told = True
        return {
            "found": found,
            "told": told,
            "spans": self._evaluator.take_spans(),
            "held": self._evaluator.held_seconds - held,
            "trained": self._evaluator.trained_seconds - trained,
            "ended": time.time(),
            "devices": jax.local_device_count(),
        }

    def _add_times(self, answers: list[dict[str, Any]]) -> None:
        """Those of the processes' devices, and of their waiting for the last one."""
        last = max(answer["ended"] for answer in answers)
        for answer in answers:
            self.held_seconds += answer["held"] + answer["devices"] * (last - answer["ended"])
            self.trained_seconds += answer["trained"]


def _all(answers: list[dict[str, Any]], name: str) -> Iterator[Any]:
    """What the lists of this name hold, one after the other."""
    return itertools.chain.from_iterable(answer[name] for answer in answers)


def _exchange(value: Any) -> list[Any]:
    """The values of all processes."""
    message = json.dumps(value).encode()
    return [json.loads(text) for text in _gather(message, _meet(length=len(message)))]


def _meet(failure: str = "", length: int = 0) -> np.ndarray:
    """Wait for all processes; the lengths of their next messages.

    Raises:
        OtherProcessError: if some failed.
        NoAnswerError: if one does not come.
        ValueError: if the processes have other devices than each other. All of them see that by themselves.
    """
    from jax.experimental.multihost_utils import process_allgather

    _check_devices()
    _wait_for_all()
    text = failure.encode()
    failures, lengths = process_allgather(np.array([len(text), length], np.int32)).T
    if failures.any():
        texts = [each.decode() for each in _gather(text, failures)]
        raise OtherProcessError({process: text for process, text in enumerate(texts) if text})
    return lengths


def _check_devices() -> None:
    each = Counter((device.process_index, device.device_kind) for device in jax.devices())
    if len(each) != jax.process_count() or len({(kind, number) for (_, kind), number in each.items()}) > 1:
        found = ", ".join(f"{number} {kind} in process {process}" for (process, kind), number in sorted(each.items()))
        raise ValueError(f"the processes of a search need equal devices, got {found}: see --cpu-devices for CPUs")


def _wait_for_all() -> None:
    """A collective of JAX's does not wait for long, so that there is a barrier before each."""
    from orbax.checkpoint import multihost  # here, since importing it takes longer than all of evonas

    try:
        multihost.get_barrier_sync_fn()(key="evonas", timeout_ms=1000 * PATIENCE)
    except jax.errors.JaxRuntimeError as error:
        raise NoAnswerError(
            f"other processes of the search have ended, or did not answer within {PATIENCE} s: start all of them "
            f"again, and it goes on from its workdir ({str(error).splitlines()[0]})"
        ) from error


def _gather(message: bytes, lengths: np.ndarray) -> list[bytes]:
    from jax.experimental.multihost_utils import process_allgather

    gathered = process_allgather(_padded(message, lengths))
    return [row[:length].tobytes() for row, length in zip(gathered, lengths, strict=True)]


def _padded(message: bytes, lengths: np.ndarray) -> np.ndarray:
    """Zeros up to a power of two, so that few lengths, each of which is a program, are compiled."""
    padded = np.zeros(1 << int(lengths.max()).bit_length(), np.uint8)
    padded[: len(message)] = np.frombuffer(message, np.uint8)
    return padded
