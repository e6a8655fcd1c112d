"""A search in several processes: what fails in one ends all, and what is left goes on."""

import pathlib
import subprocess
import sys

import pytest
from process_search import EVALUATIONS
from run_cases import history, search

PROGRAM = pathlib.Path(__file__).with_name("process_search.py")


@pytest.fixture
def processes(process_environment, coordinator):
    """Start so many processes of one search, and wait; the last lines that they say."""

    def processes(number, workdir, mishap):
        address = coordinator()
        started = [
            subprocess.Popen(
                [sys.executable, PROGRAM, address, str(number), str(process), workdir, mishap],
                env=process_environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            for process in range(number)
        ]
        said = [process.communicate(timeout=300)[1].strip().splitlines() for process in started]
        return [lines[-1:] for lines in said]

    return processes


def test_a_failure_in_one_process_ends_all_and_the_search_goes_on_in_one(tmp_path, processes):
    workdir = tmp_path / "run"
    first, second = processes(2, workdir, "fitness")
    assert first == ["evonas.run.processes.OtherProcessError: process 1: TimeoutError: no power"]
    assert second == ["TimeoutError: no power"]
    assert len(search(workdir, 1, duplicates="reuse").log) == 20
    first, second = processes(2, workdir, "callback")
    assert first == ["OSError: no room"]
    assert second == ["evonas.run.processes.OtherProcessError: process 0: OSError: no room"]
    resumed = search(workdir, EVALUATIONS, duplicates="reuse")
    assert history(resumed) == history(search(None, EVALUATIONS, duplicates="reuse"))
