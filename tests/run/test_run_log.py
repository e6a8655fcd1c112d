"""The history on disk: whole or refused, whatever happened to its files."""

import errno
import json
import os
import random
import shutil

import pytest
from etils import epath
from run_cases import files_in

from evonas.run import Evaluation, RunLog
from evonas.run.log import JOINS, SEGMENTS_LOOSE
from evonas.types import Failure, Measurement


def evaluation(number):
    if number % 7 == 3:
        measurement = Measurement((), {"epochs": 1.0}, Failure.DIVERGED, 0.25)
    else:
        measurement = Measurement(
            (number / 3, -1e-300), {"accuracy": number / 7, "parameters": 10**12}, Failure.NONE, 0.1
        )
    return Evaluation(number, (0, number % 5), f"|ünï {number}|", (-1, number - 1), measurement, 1e9 + number / 3)


def written(directory, sizes):
    """A history of files of so many evaluations each."""
    log, number = RunLog(epath.Path(directory)), 0
    for size in sizes:
        log.append([evaluation(number + i) for i in range(size)])
        number += size
    return log


def read(directory):
    return list(RunLog(epath.Path(directory)))


def refused(directory, match):
    """Reading fails with a message, and changes nothing."""
    before = files_in(directory)
    with pytest.raises(ValueError, match=match) as caught:
        read(directory)
    assert files_in(directory) == before
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_sync(monkeypatch):
    """Power loss is not simulated, and waiting for the disk takes most of these tests' time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def test_what_was_appended_is_read_back_to_the_last_bit(tmp_path):
    log = written(tmp_path, [1, 5, 3])
    assert read(tmp_path) == list(log) == [evaluation(i) for i in range(9)]
    assert log.get(4) == evaluation(4)
    assert log.get(9) is None


def test_a_history_in_memory_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = RunLog(None)
    log.append([evaluation(0)])
    assert list(log) == [evaluation(0)]
    assert not files_in(tmp_path)


def test_reading_a_history_that_is_not_there_makes_nothing(tmp_path):
    assert read(tmp_path / "history") == []
    assert not (tmp_path / "history").exists()


def test_a_new_history_is_on_disk_before_its_first_file_is_there(tmp_path, monkeypatch):
    steps, replace = [], os.replace

    def replaced(source, target):
        steps.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda number: steps.append(os.fstat(number).st_ino))
    monkeypatch.setattr(os, "replace", replaced)
    log = written(tmp_path / "history", [2])
    assert tmp_path.stat().st_ino in steps[: steps.index("000000000.jsonl")]
    steps.clear()
    log.append([evaluation(2)])
    assert tmp_path.stat().st_ino not in steps


def test_appending_nothing_writes_nothing(tmp_path):
    log = written(tmp_path, [2])
    before = files_in(tmp_path)
    log.append([])
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("size", [1, 8, 100])
def test_ten_thousand_evaluations_lie_in_a_bounded_number_of_files(tmp_path, size):
    log, most = RunLog(epath.Path(tmp_path)), 0
    for start in range(0, 10_000, size):
        log.append([evaluation(number) for number in range(start, start + size)])
        if start % 1_000 == 0:
            most = max(most, len(list(tmp_path.iterdir())))
    joined_or_loose = 10_000 // SEGMENTS_LOOSE**JOINS + JOINS * SEGMENTS_LOOSE
    assert max(most, len(list(tmp_path.iterdir()))) <= joined_or_loose
    assert read(tmp_path) == [evaluation(number) for number in range(10_000)]


def test_a_history_goes_on_after_each_of_many_restarts(tmp_path):
    for start in range(0, 300, 3):
        RunLog(epath.Path(tmp_path)).append([evaluation(start + i) for i in range(3)])
    assert read(tmp_path) == [evaluation(i) for i in range(300)]
    assert len(files_in(tmp_path)) < 100


def test_evaluations_written_one_at_a_time_are_joined_to_ever_larger_files(tmp_path):
    number = 2 * SEGMENTS_LOOSE**2 + 3 * SEGMENTS_LOOSE + 5
    written(tmp_path, [1] * number)
    lines = [path.read_bytes().count(b"\n") for path in sorted(tmp_path.iterdir())]
    assert lines == [SEGMENTS_LOOSE**2] * 2 + [SEGMENTS_LOOSE] * 3 + [1] * 5
    assert read(tmp_path) == [evaluation(i) for i in range(number)]


@pytest.mark.parametrize("seed", range(5))
def test_files_of_all_sizes_are_joined_in_order_whenever_the_process_is_started_again(tmp_path, seed):
    draw, number, log = random.Random(seed), 0, RunLog(epath.Path(tmp_path))
    for _ in range(300):
        size = draw.choices([1, 5, SEGMENTS_LOOSE, 500, SEGMENTS_LOOSE**2], [200, 100, 60, 10, 1])[0]
        log.append([evaluation(number + i) for i in range(size)])
        number += size
        if draw.random() < 0.02:
            log = RunLog(epath.Path(tmp_path))
    assert read(tmp_path) == [evaluation(i) for i in range(number)]
    assert len(files_in(tmp_path)) < 200


def stopped_while_joining(directory, monkeypatch, deletions, size=1):
    """A history whose process died while it deleted what it had joined."""
    log, deleted, unlink = written(directory, [size] * (SEGMENTS_LOOSE - 1)), [], os.unlink

    def dies(path, *args, **kwargs):
        if len(deleted) == deletions:
            raise OSError(errno.EIO, "died")
        deleted.append(path)
        unlink(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", dies)
        patch.setattr(type(epath.Path(directory)), "unlink", lambda path, missing_ok=False: dies(path) and missing_ok)
        with pytest.raises(OSError, match="died"):
            log.append([evaluation(size * (SEGMENTS_LOOSE - 1) + i) for i in range(size)])
    return log


@pytest.mark.parametrize("deletions", [0, 1, 30, SEGMENTS_LOOSE - 2])
def test_an_interrupted_join_loses_nothing_and_doubles_nothing(tmp_path, monkeypatch, deletions):
    stopped_while_joining(tmp_path, monkeypatch, deletions)
    assert len(files_in(tmp_path)) == SEGMENTS_LOOSE - deletions
    expected = [evaluation(i) for i in range(SEGMENTS_LOOSE)]
    assert read(tmp_path) == expected
    again = RunLog(epath.Path(tmp_path))
    for i in range(SEGMENTS_LOOSE, 3 * SEGMENTS_LOOSE):
        again.append([evaluation(i)])
    assert read(tmp_path) == [evaluation(i) for i in range(3 * SEGMENTS_LOOSE)]


def test_the_same_process_goes_on_after_a_join_that_failed(tmp_path, monkeypatch):
    log = stopped_while_joining(tmp_path, monkeypatch, 10)
    for i in range(SEGMENTS_LOOSE, SEGMENTS_LOOSE + 5):
        log.append([evaluation(i)])
    assert read(tmp_path) == list(log) == [evaluation(i) for i in range(SEGMENTS_LOOSE + 5)]


@pytest.mark.parametrize("deletions", [0, 1, SEGMENTS_LOOSE - 2])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_second_join_that_failed_loses_nothing_and_doubles_nothing(tmp_path, monkeypatch, deletions, restarted):
    log = stopped_while_joining(tmp_path, monkeypatch, deletions, size=SEGMENTS_LOOSE)
    known = SEGMENTS_LOOSE**2
    assert read(tmp_path) == [evaluation(i) for i in range(known)]
    log = RunLog(epath.Path(tmp_path)) if restarted else log
    for i in range(known, known + 2 * SEGMENTS_LOOSE):
        log.append([evaluation(i)])
    assert read(tmp_path) == list(log) == [evaluation(i) for i in range(known + 2 * SEGMENTS_LOOSE)]


def test_a_history_can_be_read_while_its_process_joins(tmp_path, monkeypatch):
    log = written(tmp_path, [1] * (SEGMENTS_LOOSE - 1))
    read_file = RunLog._read
    joins = iter([lambda: log.append([evaluation(SEGMENTS_LOOSE - 1)])])

    def join_after_the_first_file(reader, start, path):
        read_file(reader, start, path)
        next(joins, lambda: None)()

    monkeypatch.setattr(RunLog, "_read", join_after_the_first_file)
    assert read(tmp_path) == [evaluation(i) for i in range(SEGMENTS_LOOSE)]


def test_a_draft_that_a_kill_left_behind_is_passed_over(tmp_path):
    written(tmp_path, [2, 2])
    (tmp_path / "000000004.jsonl.123.part").write_bytes(b'{"id": 4, "gen')
    assert read(tmp_path) == [evaluation(i) for i in range(4)]


def test_an_append_that_fails_leaves_the_history_as_it_was(tmp_path, monkeypatch):
    log = written(tmp_path, [2])
    before = files_in(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            log.append([evaluation(2)])
    assert files_in(tmp_path) == before
    assert len(log) == 2
    log.append([evaluation(2)])
    assert read(tmp_path) == [evaluation(i) for i in range(3)]


def test_a_missing_file_is_named(tmp_path):
    written(tmp_path, [2, 3, 1])
    (tmp_path / "000000002.jsonl").unlink()
    message = refused(tmp_path, "lacks evaluations 2 to 4")
    assert "restore the file 000000002.jsonl" in message
    assert str(tmp_path) in message


def test_a_missing_first_file_is_named(tmp_path):
    written(tmp_path, [2, 3])
    (tmp_path / "000000000.jsonl").unlink()
    assert "restore the file 000000000.jsonl" in refused(tmp_path, "lacks evaluations 0 to 1")


GOOD = evaluation(2).to_json()


def changed(**fields):
    return json.dumps(json.loads(GOOD) | fields).encode() + b"\n"


DAMAGE = {
    "cut off": (lambda content: content[:-9], "its last line is cut off"),
    "without its last newline": (lambda content: content[:-1], "its last line is cut off"),
    "empty": (lambda _: b"", "it is empty"),
    "garbage": (lambda _: bytes(range(256)) + b"\n", "damaged at line 1"),
    "zeros": (lambda content: bytes(len(content)), "its last line is cut off"),
    "zeros amid": (lambda content: content[:20] + bytes(40) + content[60:], "damaged at line 1"),
    "not text": (lambda _: b"\xff\xfe\n", "damaged at line 1"),
    "an empty line": (lambda content: content + b"\n", "damaged at line 4"),
    "another document": (lambda _: b"[1, 2]\n", "damaged at line 1"),
    "a number": (lambda _: b"5\n", "damaged at line 1"),
    "a line without a field": (lambda content: content + b'{"id": 9}\n', "damaged at line 4"),
    "an unknown failure": (lambda _: changed(failure="tired"), "tired"),
    "a genome of text": (lambda _: changed(genome=["a", "b"]), "damaged at line 1"),
    "a fitness of text": (lambda _: changed(fitness=["good"]), "damaged at line 1"),
    "no fitness": (lambda _: changed(fitness=None), "damaged at line 1"),
    "metrics that are none": (lambda _: changed(metrics=3), "damaged at line 1"),
    "an id that is none": (lambda _: changed(id=None), "damaged at line 1"),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_damaged_file_is_named_with_the_line_and_the_remedy_and_nothing_is_changed(tmp_path, kind, place):
    written(tmp_path, [2, 3, 3])
    path = tmp_path / f"{place:09d}.jsonl"
    content = path.read_bytes()
    if place == 0 and kind in ("an empty line", "a line without a field"):
        content += changed(id=1)  # three lines, as in the others
    damage, match = DAMAGE[kind]
    path.write_bytes(damage(content))
    message = refused(tmp_path, match)
    assert str(path) in message
    assert "restore it, or delete it and all files after it to repeat their evaluations" in message


def test_the_remedy_for_damage_works(tmp_path):
    written(tmp_path, [2, 3, 3])
    (tmp_path / "000000002.jsonl").write_bytes(b"?")
    refused(tmp_path, "damaged")
    for name in ("000000002.jsonl", "000000005.jsonl"):
        (tmp_path / name).unlink()
    assert read(tmp_path) == [evaluation(0), evaluation(1)]


@pytest.mark.parametrize("name", ["notes.jsonl", "000000000 (copy).jsonl", "²³.jsonl"])
def test_a_foreign_file_is_named(tmp_path, name):
    written(tmp_path, [2])
    shutil.copy(tmp_path / "000000000.jsonl", tmp_path / name)
    message = refused(tmp_path, "is not a file of a history: move it out of")
    assert name in message


def test_a_file_of_another_kind_is_passed_over(tmp_path):
    written(tmp_path, [2])
    (tmp_path / ".DS_Store").write_bytes(b"?")
    assert len(read(tmp_path)) == 2
