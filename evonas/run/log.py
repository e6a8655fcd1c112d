"""The durable history of a run: every evaluation, in files that are only ever there whole."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from etils import epath

from evonas.run.frame import to_dataframe
from evonas.storage import exists, files_in, make_directory, read_whole, remove, write_new, write_whole
from evonas.types import Measurement

if TYPE_CHECKING:
    import pandas as pd

SEGMENTS_LOOSE = 64
"""Files of a size that may lie about before they are joined into one."""

JOINS = 2
"""How often an evaluation is joined to others: a file of `SEGMENTS_LOOSE` to this power of them is left as it is."""

READS = 5
"""Attempts to read a history that another process is joining."""


class Evaluation(NamedTuple):
    """One evaluated candidate, a line of the history."""

    id: int
    genome: tuple[int, ...]
    architecture: str  # the genome as the space's text
    parents: tuple[int, ...]  # ids; NOBODY where there is none
    measurement: Measurement
    finished: float  # seconds since 1970

    @property
    def fitness(self) -> tuple[float, ...]:
        """One number an objective; empty if the candidate failed."""
        return self.measurement.fitness

    def to_json(self) -> str:
        """One line."""
        fields = self._asdict() | self.measurement._asdict()
        return json.dumps({name: value for name, value in fields.items() if name != "measurement"})

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read `to_json`'s line.

        Raises:
            ValueError: if it is not one.
        """
        fields = json.loads(line)
        try:
            genome, parents = (
                tuple(operator.index(number) for number in fields[name]) for name in ("genome", "parents")
            )
            candidate, finished = operator.index(fields["id"]), float(fields["finished"])
            return cls(candidate, genome, str(fields["architecture"]), parents, Measurement.of(fields), finished)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an evaluation: {error!r}") from error


class _Segment(NamedTuple):
    """A file of the history."""

    start: int  # evaluations before its first
    stop: int  # and up to its last
    path: epath.Path


class RunLog:
    """The history directory of a workdir.

    Each file is named by the number of evaluations before its first, and is written whole. Now and then those of a few
    evaluations are joined, and joined ones once more, so that a long history is not a file for every few evaluations:
    the joined file takes the first one's name, and the rest, which it now contains, are deleted. A reader passes over a
    file whose evaluations it has already, so a crash in between does no harm.

    Args:
        directory: of the history; None keeps it in memory only.

    Raises:
        ValueError: if a file is damaged or missing.
    """

    def __init__(self, directory: epath.Path | None):
        self._directory = directory
        self._evaluations: list[Evaluation] = []
        self._loose = _no_segments()
        if directory is not None and exists(directory):
            self._read_all(directory)
        self._by_id = {evaluation.id: evaluation for evaluation in self._evaluations}

    def __len__(self) -> int:
        return len(self._evaluations)

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self._evaluations)

    def get(self, candidate: int) -> Evaluation | None:
        """The evaluation of an id, if there is one."""
        return self._by_id.get(candidate)

    def to_dataframe(self, genes: Iterable[str] | None = None) -> pd.DataFrame:
        """One row an evaluation, in the order of finishing; the columns are described at `evonas.run.to_dataframe`.

        Args:
            genes: their names, as ``space.genes`` has them; by default 0, 1, and so on.
        """
        return to_dataframe(self, genes)

    def append(self, evaluations: Iterable[Evaluation]) -> None:
        """Add evaluations; when this returns they survive a crash.

        Raises:
            FileExistsError: if another process writes to this history, too, in an object store, which has no locks.
            OSError: if they can't be written. Then none of them is in the history.
        """
        new = list(evaluations)
        if not new:
            return
        if self._directory is not None:
            make_directory(self._directory)
            start = len(self._evaluations)
            path = _segment_path(self._directory, start)
            try:
                write_new(path, _encode(new))
            except FileExistsError as error:
                raise FileExistsError(f"{error}: another process is running there: stop one, and resume") from error
            self._keep(_Segment(start, start + len(new), path))
        self._evaluations += new
        self._by_id |= {evaluation.id: evaluation for evaluation in new}
        self._join()

    def _read_all(self, directory: epath.Path) -> None:
        """Read every file; once more from the start if the run, which may be going on, joins some meanwhile."""
        for attempt in range(READS):
            self._evaluations, self._loose = [], _no_segments()
            try:
                for start, path in _segments(directory):
                    self._read(start, path)
                return
            except FileNotFoundError:
                if attempt == READS - 1:
                    raise

    def _read(self, start: int, path: epath.Path) -> None:
        if start < len(self._evaluations):
            return
        if start > len(self._evaluations):
            raise ValueError(
                f"the history in {self._directory} lacks evaluations {len(self._evaluations)} to {start - 1}: "
                f"restore the file {_segment_path(path.parent, len(self._evaluations)).name}, or start a new workdir"
            )
        lines = read_whole(path).split(b"\n")
        if lines == [b""]:
            raise _damaged(path, 1, "it is empty")
        if lines.pop() != b"":
            raise _damaged(path, len(lines) + 1, "its last line is cut off")
        for number, line in enumerate(lines, 1):
            try:
                self._evaluations.append(Evaluation.from_json(line.decode()))
            except ValueError as error:
                raise _damaged(path, number, str(error)) from error
        self._keep(_Segment(start, start + len(lines), path))

    def _keep(self, segment: _Segment) -> None:
        """Remember a file that comes after all others, if it is to be joined; smaller ones before it are, with it."""
        evaluations = segment.stop - segment.start
        joined = next((join for join in range(JOINS) if evaluations < SEGMENTS_LOOSE ** (join + 1)), JOINS)
        before = [smaller for loose in reversed(self._loose[:joined]) for smaller in loose]
        self._loose[:joined] = _no_segments()[:joined]
        if joined < JOINS:
            self._loose[joined] += [*before, segment]

    def _join(self) -> None:
        """Join as many as may not lie about any more, the smallest first."""
        for segments in self._loose:
            if len(segments) < SEGMENTS_LOOSE:
                continue
            joined = _Segment(segments[0].start, segments[-1].stop, segments[0].path)
            write_whole(joined.path, _encode(self._evaluations[joined.start : joined.stop]))
            for segment in segments[1:]:
                remove(segment.path)
            segments.clear()
            self._keep(joined)


def best_of(evaluations: Iterable[Evaluation]) -> Evaluation | None:
    """The best by the first objective; of equals the one of the lowest id."""
    succeeded = [evaluation for evaluation in evaluations if evaluation.fitness]
    return max(succeeded, key=lambda evaluation: (evaluation.fitness[0], -evaluation.id), default=None)


def _no_segments() -> list[list[_Segment]]:
    """Files to be joined, the smallest first; those of a list come before those of the lists before it."""
    return [[] for _ in range(JOINS)]


def _segment_path(directory: epath.Path, start: int) -> epath.Path:
    return directory / f"{start:09d}.jsonl"


def _segments(directory: epath.Path) -> list[tuple[int, epath.Path]]:
    paths = [path for path in files_in(directory) if path.name.endswith(".jsonl")]
    for path in paths:
        if not path.stem.isdecimal():
            raise ValueError(f"{path} is not a file of a history: move it out of {directory}")
    return sorted((int(path.stem), path) for path in paths)


def _encode(evaluations: list[Evaluation]) -> bytes:
    return "".join(evaluation.to_json() + "\n" for evaluation in evaluations).encode()


def _damaged(path: Any, line: int, reason: str) -> ValueError:
    return ValueError(
        f"{path} is damaged at line {line} ({reason}): restore it, or delete it and all files after it to repeat "
        "their evaluations"
    )
