"""A search whose workdir is in a bucket is the one whose workdir is not, whatever the bucket's server does."""

import collections
import json
import signal
import subprocess
import sys
import time

import pytest
from etils import epath
from run_cases import Counting, Interruption, StopAfter, history, search
from test_run_killed import DIGITS

import evonas
from evonas.run import RunLog
from evonas.run.log import SEGMENTS_LOOSE
from evonas.run.workdir import is_running

WORKDIR = "gs://bucket/run"


def evaluations_in(store, workdir="run"):
    """Every line of a history by its id, times aside."""
    names = store.names(f"{workdir}/history/")
    lines = [json.loads(line) for name in names for line in store.content(name).decode().splitlines()]
    assert len({line["id"] for line in lines}) == len(lines)
    return {line["id"]: {name: line[name] for name in line if name not in ("seconds", "finished")} for line in lines}


def writes_of_segments(store):
    """How often each file of the history was written."""
    return collections.Counter(name for name, _ in store.written if "/history/" in name)


def test_a_workdir_in_a_bucket_has_the_files_of_a_local_one(object_store, tmp_path):
    run = search(WORKDIR)
    assert history(run) == history(search(tmp_path))
    local = sorted(f"run/{path.relative_to(tmp_path)}" for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in local if not name.endswith(".lock")] == object_store.names()
    assert object_store.content("run/config.json") == (tmp_path / "config.json").read_bytes()
    assert is_running(WORKDIR) is None
    assert len(RunLog(epath.Path(WORKDIR) / "history")) == 23


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("seed", range(3))
def test_a_search_amid_failures_is_the_unbroken_one_and_writes_each_evaluation_once(object_store, seed):
    counting = Counting()
    with object_store.failing(0.3, seed):
        for evaluations in (3, 11, 17):
            with pytest.raises(Interruption):
                search(WORKDIR, fitness=counting, callbacks=[StopAfter(evaluations)])
        run = search(WORKDIR, fitness=counting)
    assert len(object_store.failed) >= 5
    assert {carried_out for _, carried_out in object_store.failed} == {True, False}
    assert history(run) == history(search())
    assert sorted(counting.ids) == list(range(23))
    assert sorted(evaluations_in(object_store)) == list(range(23))
    assert set(writes_of_segments(object_store).values()) == {1}


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.slow
def test_a_history_joined_amid_failures_is_whole_for_every_reader(object_store):
    evaluations = list(search(None, 2 * SEGMENTS_LOOSE + 7).log)
    directory = epath.Path(WORKDIR) / "history"
    log = RunLog(directory)
    with object_store.failing(0.1, 1):
        for count, evaluation in enumerate(evaluations, 1):
            log.append([evaluation])
            if count % 16 == 0:
                assert list(RunLog(directory)) == evaluations[:count]
    assert list(RunLog(directory)) == evaluations
    assert len(object_store.names()) == 2 + 7
    assert writes_of_segments(object_store).most_common(3)[-1][1] == 1  # twice: the first files of the two joins


def test_a_second_search_in_the_same_place_stops_and_harms_nothing(object_store):
    class Second(evonas.Callback):
        """Another process, which comes while the first is at work."""

        def __init__(self):
            self.met = None

        def evaluated(self, run, evaluation):
            del run
            if evaluation.id == 7:
                with pytest.raises(Interruption):
                    search(WORKDIR, callbacks=[StopAfter(14)])

    with pytest.raises(FileExistsError, match=r"is there already, .*: another process is running there: stop one, and"):
        search(WORKDIR, callbacks=[Second()])
    assert history(search(WORKDIR)) == history(search())
    assert set(writes_of_segments(object_store).values()) == {1}


def killed(arguments, environment, signalled_when):
    """Start a search, and kill it when something is true."""
    process = subprocess.Popen([sys.executable, "-c", DIGITS, *arguments], env=environment)
    while not signalled_when():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_real_training_killed_twice_amid_failures_gives_the_unbroken_history(
    object_store, tmp_path, process_environment
):
    environment = process_environment | object_store.environment | {"JAX_NUM_CPU_DEVICES": "1"}
    with object_store.failing(0.1, 4):
        for evaluations in (1, 6):
            before = evaluations_in(object_store)
            killed([WORKDIR, "0.5"], environment, lambda: len(object_store.names("run/history/")) >= evaluations)  # noqa: B023
            known = evaluations_in(object_store)
            assert evaluations <= len(known) < 12
            assert before.items() <= known.items()
        subprocess.run([sys.executable, "-c", DIGITS, WORKDIR, "0"], env=environment, check=True)
    assert object_store.failed
    assert set(writes_of_segments(object_store).values()) == {1}
    subprocess.run([sys.executable, "-c", DIGITS, tmp_path, "0"], env=environment, check=True)
    local = [json.loads(line) for path in (tmp_path / "history").iterdir() for line in path.read_text().splitlines()]
    found = evaluations_in(object_store)
    assert sorted(found) == list(range(12))
    assert {line["id"]: {name: line[name] for name in found[0]} for line in local} == found
