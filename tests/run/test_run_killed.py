"""``kill -9`` at any moment: nothing that was told is lost, and the search ends as if nothing had happened."""

import collections
import json
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from run_cases import history, search

KILLS = 20
EVALUATIONS = 303


@pytest.mark.slow
def test_a_search_killed_twenty_times_is_the_unbroken_one_bit_for_bit(tmp_path, process_environment):
    workdir, diary = tmp_path / "run", tmp_path / "diary"
    program = pathlib.Path(__file__).with_name("killed_search.py")
    done = subprocess.run(
        [sys.executable, program, workdir, diary, str(EVALUATIONS), str(KILLS), "1"],
        env=process_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    entries = [line.split() for line in diary.read_text().splitlines()]
    assert entries[-1] == ["finished"]
    kills_amid = sum(word == "started" for word, *_ in entries) - 1
    assert kills_amid >= KILLS // 2  # the kills were not all before the search began

    told = [int(ids[0]) for word, *ids in entries if word == "told"]
    on_disk = [
        json.loads(line)["id"]
        for path in (workdir / "history").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert set(told) <= set(on_disk)
    assert sorted(set(on_disk)) == list(range(EVALUATIONS))
    assert max(collections.Counter(told).values()) == 1
    known = set()
    for word, *ids in entries:  # what was told is never asked for again
        if word == "told":
            known.add(ids[0])
        assert word != "asked" or not known & set(ids)

    resumed = search(workdir, EVALUATIONS)
    assert [evaluation.id for evaluation in resumed.log] == list(range(EVALUATIONS))
    assert history(resumed) == history(search(None, EVALUATIONS))


DIGITS = """
import sys
import time
from sklearn.datasets import load_digits
import evonas


class Pause(evonas.Callback):
    def evaluated(self, run, evaluation):
        time.sleep(float(sys.argv[2]))


evonas.search(
    evonas.spaces.MLP(max_depth=2, widths=(8, 16)),
    load_digits(n_class=4, return_X_y=True),
    evonas.regularized_evolution(population_size=4, sample_size=2),
    training=evonas.Training(epochs=1, batch_size=32, learning_rate=0.05),
    evaluations=12,
    batch_size=4,
    workdir=sys.argv[1],
    seed=5,
    callbacks=[Pause()],
)
"""


def digits_process(workdir, environment, pause=0.0):
    return subprocess.Popen(
        [sys.executable, "-c", DIGITS, str(workdir), str(pause)], env=environment | {"JAX_NUM_CPU_DEVICES": "1"}
    )


def evaluations_in(workdir):
    """Every line of a history by its id, times aside."""
    lines = [
        json.loads(line) for path in (workdir / "history").glob("*.jsonl") for line in path.read_text().splitlines()
    ]
    assert len({line["id"] for line in lines}) == len(lines)
    return {line["id"]: {name: line[name] for name in line if name not in ("seconds", "finished")} for line in lines}


@pytest.mark.slow
def test_real_training_killed_twice_gives_the_unbroken_history_bit_for_bit(tmp_path, process_environment):
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    before = {}
    for evaluations in (1, 7):
        process = digits_process(killed, process_environment, pause=0.5)
        while len(list(killed.glob("history/*.jsonl"))) < evaluations:  # on one device, a file is an evaluation
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        known = evaluations_in(killed)
        assert evaluations <= len(known) < 12
        assert before.items() <= known.items()
        before = known
    for workdir in (killed, unbroken):
        assert digits_process(workdir, process_environment).wait() == 0
    found = evaluations_in(unbroken)
    assert sorted(found) == list(range(12))
    assert len({line["fitness"][0] for line in found.values()}) > 3  # it trained: the numbers are not all alike
    assert evaluations_in(killed) == found
