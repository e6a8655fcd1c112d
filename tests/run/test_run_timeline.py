"""The timeline: whole files of spans, their sums, and nothing of it in the history."""

import json
import math

import pytest
from etils import epath
from run_cases import files_in

from evonas.run import timeline
from evonas.run.timeline import DeviceTimes, Timeline, spans_in
from evonas.types import Span


def train(device, started, seconds, busy=None, candidate=0):
    return Span("train", device, float(started), float(seconds), float(seconds if busy is None else busy), (candidate,))


def spans(number, start=0):
    return [train(each % 2, 1000 + 10 * each, 9.5, 9.25, each) for each in range(start, start + number)]


def kept(workdir, *parts):
    timeline = Timeline(epath.Path(workdir) / "timeline")
    for part in parts:
        timeline.add(part)
    timeline.close()
    return timeline


def test_spans_come_back_as_they_were_in_files_of_at_most_so_many(tmp_path, monkeypatch):
    monkeypatch.setattr(timeline, "SPANS", 10)
    kept(tmp_path, spans(4), spans(21, start=4))
    files = files_in(tmp_path / "timeline")
    assert [content.count(b"\n") for content in files.values()] == [10, 10, 5]
    assert spans_in(tmp_path) == spans(25)
    line = json.loads(next(iter(files.values())).splitlines()[3])
    assert line == {"kind": "train", "device": 1, "started": 1030, "seconds": 9.5, "busy": 9.25, "candidates": [3]}


def test_the_last_file_grows_when_it_is_time_and_not_before(tmp_path, monkeypatch):
    growing = Timeline(epath.Path(tmp_path) / "timeline")
    growing.add(spans(3))
    assert spans_in(tmp_path) == []
    monkeypatch.setattr(timeline, "SECONDS", 0.0)
    growing._due = 0.0
    growing.add(spans(2, start=3))
    growing.add(spans(1, start=5))
    assert len(files_in(tmp_path)) == 1
    assert spans_in(tmp_path) == spans(6)


def test_another_process_goes_on_in_a_file_of_its_own_and_knows_the_sums(tmp_path):
    first = kept(tmp_path, spans(4))
    before = files_in(tmp_path)
    second = kept(tmp_path, spans(3, start=4))
    assert before.items() < files_in(tmp_path).items()
    assert spans_in(tmp_path) == spans(7)
    assert (first.times.train_seconds, second.times.train_seconds) == (4 * 9.25, 7 * 9.25)


def test_a_process_without_spans_writes_nothing(tmp_path):
    kept(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
    assert spans_in(tmp_path) == []


def test_a_timeline_in_an_object_store(object_store):
    workdir = "gs://bucket/run"
    kept(workdir, spans(3))
    kept(workdir, spans(2, start=3))
    assert spans_in(workdir) == spans(5)
    assert object_store.names() == ["run/timeline/000000000.jsonl", "run/timeline/000000001.jsonl"]


@pytest.mark.parametrize("text", ["{", "7", '{"kind": "train"}', '{"candidates": 3}'])
def test_a_damaged_file_is_one_sentence_with_a_remedy(tmp_path, text):
    kept(tmp_path, spans(1))
    (tmp_path / "timeline" / "000000000.jsonl").write_text(text)
    with pytest.raises(ValueError, match=r"000000000\.jsonl is damaged .*: delete it"):
        spans_in(tmp_path)


def test_sums_leave_out_the_time_in_which_no_process_ran():
    times = DeviceTimes()
    assert math.isnan(times.busy)
    for span in (
        *[Span("compile", device, 100.0, 20.0, 20.0, (0,)) for device in (0, 1)],
        train(1, 120, 10),
        train(0, 120, 40, busy=30),
        train(1, 131, 40),  # ends at 171: 71 seconds of two devices, 20 each of them compiling
        train(0, 5000, 29),  # the next day
    ):
        times.add(span)
    assert times.devices == {0, 1}
    assert times.compile_seconds == 40
    assert times.train_seconds == 10 + 30 + 40 + 29
    assert times.seconds == 71 + 29
    assert times.busy == pytest.approx(109 / (2 * 100 - 40))
