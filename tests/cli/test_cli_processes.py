"""``--distributed``: several processes on this machine are one search."""

import json
import os
import pathlib
import signal
import time

import pytest

from evonas.cli.main import MISTAKE
from evonas.preemption import AGAIN
from evonas.run.timeline import spans_in

PIXELS = ("run", "pixels.py", "--batch-size", 6, "--cpu-devices")


@pytest.fixture
def search(start, coordinator):
    """Search in so many processes, of so many devices each, and wait for all of them."""

    def search(processes, devices, *arguments, own=lambda _: ()):
        together = ["--distributed", "--coordinator", coordinator(), "--num-processes", processes, "--process-id"]
        command = ["run", "pixels.py", "--evaluations", "14", "--batch-size", "6", "--cpu-devices", devices, *arguments]
        started = [
            # XLA:CPU rounds by the number of its threads, which is that of a process's devices, or this.
            start(*command, *own(process), *([*together, process] if processes > 1 else []), NPROC="4")
            for process in range(processes)
        ]
        outputs = [process.communicate(timeout=300) for process in started]
        return [(process.returncode, *output) for process, output in zip(started, outputs, strict=True)]

    return search


def history(workdir):
    """Without times."""
    lines = [line for path in sorted((workdir / "history").iterdir()) for line in path.read_text().splitlines()]
    return [{**json.loads(line), "seconds": 0, "finished": 0} for line in lines]


def measured_on_test_data(workdir):
    return json.loads((workdir / "result.json").read_text())


@pytest.mark.slow
def test_four_devices_in_one_two_or_four_processes_find_the_same_bit_for_bit(folder, search):
    results = {}
    for processes in (1, 2, 4):
        ended = search(processes, 4 // processes, "--workdir", f"in_{processes}")
        assert [code for code, *_ in ended] == [0] * processes, ended
        assert "14/14 evaluations done" in ended[0][1]
        printed = [line for _, out, _ in ended[1:] for line in out.splitlines() if not line.startswith("[Gloo]")]
        assert printed == []  # the first alone prints
        results[processes] = history(folder / f"in_{processes}"), measured_on_test_data(folder / f"in_{processes}")
        assert {span.device for span in spans_in(folder / f"in_{processes}")} == set(range(4))
    assert len(results[1][0]) == 14
    assert results[1] == results[2] == results[4]


@pytest.mark.slow
def test_a_process_that_fails_ends_the_others(folder, search):
    (_, _, first), (_, _, second) = ended = search(2, 1, "--workdir", "run", own=lambda i: ("--seed", i))
    assert [code for code, *_ in ended] == [MISTAKE] * 2
    assert "the first process has other settings: seed is 0 there, 1 here" in second
    assert "process 1: ValueError: the first process has other settings" in first
    assert not (folder / "run" / "history").exists()


@pytest.fixture
def endless(folder, start, coordinator):
    """Start two processes of a search that does not end, and wait until some of it is done."""

    def endless():
        joined = ["--distributed", "--coordinator", coordinator(), "--num-processes", 2, "--patience", 10]
        two = [
            start(*PIXELS, 1, "--workdir", "run", "--evaluations", 5000, *joined, "--process-id", process, NPROC="4")
            for process in range(2)
        ]
        deadline = time.monotonic() + 300
        while not (folder / "run" / "history").exists() or not any((folder / "run" / "history").iterdir()):
            assert two[0].poll() is None, two[0].communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return two

    return endless


@pytest.fixture
def goes_on(folder, evonas_process):
    """Check that one process goes on from where several were, to the unbroken history."""

    def goes_on():
        evaluations = len(history(folder / "run")) + 12
        for workdir in ("run", "unbroken"):
            ended = evonas_process(*PIXELS, 2, "--workdir", workdir, "--evaluations", evaluations, NPROC="4")
            assert ended.code == 0, ended
        by_id = [sorted(history(folder / name), key=lambda line: line["id"]) for name in ("run", "unbroken")]
        assert by_id[0] == by_id[1]  # what is measured when the notice comes is written at once, in any order

    return goes_on


@pytest.fixture
def stop():
    """Let the child of a process, which searches, do nothing any more, as if its machine were frozen."""
    stopped = []

    def stop(process):
        (child,) = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGSTOP)
        stopped.append(int(child))

    yield stop
    for child in stopped:
        os.kill(child, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "lost"), [("dies", 0), ("dies", 1), ("hangs", 1)])
def test_a_process_that_dies_or_hangs_ends_the_other_and_the_search_goes_on(way, lost, endless, stop, goes_on):
    two = endless()
    if way == "dies":
        two[lost].kill()
    else:
        stop(two[lost])
    other = two[1 - lost]
    _, error = other.communicate(timeout=120)
    assert other.returncode == AGAIN, error
    assert "evonas: another process of the search died or does not answer" in error
    goes_on()


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_the_doctor_looks_at_each_process(start, coordinator):
    joined = ["--distributed", "--coordinator", coordinator(), "--num-processes", 2, "--process-id"]
    two = [start("doctor", "--cpu-devices", 1, *joined, process) for process in range(2)]
    for number, process in enumerate(two):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert f"1 x cpu in this process, {number} of 2 with 2 together" in out
        assert out.count("candidate on device") == 1


@pytest.mark.slow
def test_a_process_that_is_told_to_end_ends_all_and_the_search_goes_on(endless, goes_on):
    first, second = endless()
    second.terminate()
    for process in (first, second):
        _, error = process.communicate(timeout=60)
        assert process.returncode == AGAIN, error
        assert "evonas: told to end: what was under way is kept" in error
    goes_on()


@pytest.mark.usefixtures("folder")
def test_a_machine_that_tells_no_coordinator_needs_one(evonas_process):
    outcome = evonas_process("run", "pixels.py", "--distributed")
    assert outcome.code == MISTAKE
    assert "coordinator_address should be defined.): give --coordinator HOST:PORT" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--distributed", "--coordinator", "here"), "--coordinator is HOST:PORT, got 'here'"),
        (("--distributed", "--coordinator", "1234"), "--coordinator is HOST:PORT, got '1234'"),
        (("--num-processes", "two"), "invalid int value: 'two'"),
        (("--process-id", "1"), "go with --distributed"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_processes_that_can_not_be_joined_are_refused(evonas_here, arguments, expected):
    outcome = evonas_here("run", "pixels.py", *arguments)
    assert outcome.code == MISTAKE
    assert expected in outcome.err
