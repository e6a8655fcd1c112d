"""SIGTERM at any moment: the command ends with a code that says so, and given again it comes to the unbroken result."""

import json
import random
import signal
import time

import pytest

from evonas.preemption import AGAIN

IN_SHORT_SLICES = """
from evonas.cli.main import main
from evonas.training import pace, retraining

pace.SLICE_SECONDS = retraining.SLICE_SECONDS = 0.05
main()
"""
"""evonas, but a notice is taken within a twentieth of a second of training, not within 5."""

SEARCH = ("run", "pixels.py", "--evaluations", 12, "--training.epochs", 1500, "--batch-size", 6)


@pytest.fixture
def short(start):
    """Start evonas in short slices."""
    return lambda *arguments: start(*arguments, program=("-c", IN_SHORT_SLICES), NPROC="4")


def history(workdir):
    """Without times, by id."""
    lines = [line for path in sorted((workdir / "history").iterdir()) for line in path.read_text().splitlines()]
    records = [{**json.loads(line), "seconds": 0, "finished": 0} for line in lines]
    assert len({record["id"] for record in records}) == len(records), "written twice"
    return sorted(records, key=lambda record: record["id"])


def wait_for(process, line):
    """Until it has printed a line that contains this."""
    for printed in process.stdout:
        if line in printed:
            return
    raise AssertionError(process.communicate())


@pytest.mark.slow
def test_a_search_told_to_end_at_random_moments_comes_to_the_unbroken_history_on_other_devices(folder, short):
    unbroken = short(*SEARCH, "--workdir", "unbroken", "--cpu-devices", 3)
    _, err = unbroken.communicate(timeout=300)
    assert unbroken.returncode == 0, err
    dice, amid = random.Random(5), 0
    for attempt in range(30):
        process = short(*SEARCH, "--workdir", "told", "--cpu-devices", 1 + attempt % 3, "--checkpoint-seconds", 1000)
        if attempt < 5:
            wait_for(process, "searching")
            time.sleep(dice.uniform(0.3, 2.5))
            process.terminate()
        _, err = process.communicate(timeout=300)
        if process.returncode == 0:
            break
        if process.returncode == -signal.SIGTERM:  # it had done all, and was about to end by itself
            continue
        assert process.returncode == AGAIN, err
        assert "what was under way is kept, and the same command goes on" in err
        checkpoints = folder / "told" / "checkpoints"
        amid += checkpoints.exists() and any(checkpoints.iterdir())
    assert amid, "no training was interrupted"
    assert history(folder / "told") == history(folder / "unbroken")
    results = [json.loads((folder / name / "result.json").read_text()) for name in ("told", "unbroken")]
    assert results[0] == results[1]
    assert not any((folder / "told" / "checkpoints").iterdir())


@pytest.mark.slow
def test_a_retraining_told_to_end_goes_on_to_the_unbroken_result(finished, short):
    command = ("retrain", "w", "--epochs", 150, "--directory")
    assert short(*command, "unbroken").wait(timeout=300) == 0
    told = short(*command, "told")
    wait_for(told, "epoch    9/150")
    told.terminate()
    _, err = told.communicate(timeout=300)
    assert told.returncode == AGAIN, err
    again = short(*command, "told")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "epoch    1/150" not in out
    results = [json.loads((finished.parent / name / "result.json").read_text()) for name in ("told", "unbroken")]
    assert results[0] == results[1]
