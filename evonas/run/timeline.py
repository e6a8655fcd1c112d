"""What each device did, and when: for showing only, beside the history and never a part of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from etils import epath

from evonas.run.workdir import TIMELINE
from evonas.storage import exists, files_in, make_directory, read_whole, write_whole
from evonas.types import Span

SPANS = 1000
"""Of a file, at most."""

SECONDS = 60.0
"""Between two writes: what a crash may lose."""

PAUSE = 60.0
"""Seconds without a span, longer than what a search does between two trainings, after which it was started again."""


class DeviceTimes:
    """Sums over spans, taken in the order in which they ended.

    Attributes:
        devices: that did anything.
        compile_seconds: of all devices.
        train_seconds: of all devices, those alone in which they computed.
    """

    def __init__(self) -> None:
        self.devices: set[int] = set()
        self.compile_seconds, self.train_seconds = 0.0, 0.0
        self._earlier = 0.0  # seconds of the processes before this one
        self._begun = self._ended = 0.0

    def add(self, span: Span) -> None:
        """Take one more."""
        self.devices.add(span.device)
        if span.kind == "compile":
            self.compile_seconds += span.busy
        else:
            self.train_seconds += span.busy
        if span.started > self._ended + PAUSE:
            self._earlier = self.seconds
            self._begun, self._ended = span.started, span.started
        self._begun = min(self._begun, span.started)
        self._ended = max(self._ended, span.started + span.seconds)

    @property
    def seconds(self) -> float:
        """From the first start to the last end, without the time in which no process ran."""
        return self._earlier + self._ended - self._begun

    @property
    def busy(self) -> float:
        """Share of the devices' time, without that of compiling, in which they trained; NaN before the first span."""
        held = len(self.devices) * self.seconds - self.compile_seconds
        return min(1.0, self.train_seconds / held) if held > 0 else float("nan")


class Timeline:
    """The timeline of a run: files of spans in its workdir, one JSON object a line.

    The last file is written again, whole, until it is full, at most once in `SECONDS`: about 120 bytes a training.

    Args:
        directory: of the timeline; None keeps nothing but the sums.

    Attributes:
        times: sums over all spans, those of earlier processes included.

    Raises:
        ValueError: if a file is damaged.
    """

    def __init__(self, directory: epath.Path | None = None):
        self.times = DeviceTimes()
        self._directory, self._spans, self._written = directory, list[Span](), 0  # of the last file
        self._due = time.monotonic() + SECONDS
        self._number = 0
        if directory is not None:
            files = _files(directory)
            self._number = max((int(path.stem) for path in files), default=-1) + 1
            self._sum(span for path in files for span in _read(path))

    def add(self, spans: list[Span]) -> None:
        """Take spans, and write them if it is time.

        Raises:
            OSError: if they can't be written.
        """
        self._sum(spans)
        if self._directory is None:
            return
        self._spans += spans
        while len(self._spans) >= SPANS:
            later, self._spans = self._spans[SPANS:], self._spans[:SPANS]
            self._write()
            self._spans, self._written = later, 0
            self._number += 1
        if time.monotonic() >= self._due:
            self._write()

    def close(self) -> None:
        """Write what is not written yet.

        Raises:
            OSError: if it can't be written.
        """
        self._write()

    def _sum(self, spans: Iterable[Span]) -> None:
        for span in spans:
            self.times.add(span)

    def _write(self) -> None:
        self._due = time.monotonic() + SECONDS
        if self._directory is None or len(self._spans) == self._written:
            return
        make_directory(self._directory)
        write_whole(self._directory / f"{self._number:09d}.jsonl", "".join(map(_line, self._spans)).encode())
        self._written = len(self._spans)


def spans_in(workdir: Any) -> list[Span]:
    """What the devices of a run did, in the order in which it ended; empty where nothing is known of it.

    Args:
        workdir: local or ``gs://``, of a run that may be going on.

    Raises:
        ValueError: if a file is damaged.
    """
    return [span for path in _files(epath.Path(workdir) / TIMELINE) for span in _read(path)]


def _files(directory: epath.Path) -> list[epath.Path]:
    paths = files_in(directory) if exists(directory) else []
    return sorted(path for path in paths if path.name.endswith(".jsonl") and path.stem.isdecimal())


def _line(span: Span) -> str:
    fields = span._asdict() | {name: round(getattr(span, name), 3) for name in ("started", "seconds", "busy")}
    return json.dumps(fields) + "\n"


def _read(path: epath.Path) -> list[Span]:
    try:
        fields = [json.loads(line) for line in read_whole(path).decode().splitlines()]
        return [Span(**each | {"candidates": tuple(each["candidates"])}) for each in fields]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): delete it, a timeline is for looking at only") from error
