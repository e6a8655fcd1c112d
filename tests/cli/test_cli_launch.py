"""``evonas launch``, as a person calls it, in a cloud that is a directory."""

import json
import subprocess

import pytest
from cloud import Cloud

WHEEL = "evonas-0.1.0-py3-none-any.whl"
TPU = ("launch", "tpu", "--name", "run1", "--zone", "us-central2-b", "--type", "v4-32", "--spot", "pixels.py")
TPU += ("--workdir", "gs://bucket/run1", "--package", WHEEL)
XPK = (
    "launch",
    "xpk",
    "--name",
    "run1",
    "--cluster",
    "search",
    "--zone",
    "us-east5-b",
    "--type",
    "v6e-16",
    "pixels.py",
)
XPK += ("--image", "us-east5-docker.pkg.dev/p/evonas/evonas:0.1.0", "--workdir", "gs://bucket/run1")


@pytest.fixture
def cloud(folder, monkeypatch):
    """A cloud, and in the current directory an experiment, ``pixels.py``, and a wheel."""
    (folder / WHEEL).write_text("a wheel")
    return Cloud(folder, monkeypatch)


def in_bucket(cloud):
    return {path.name for path in cloud.path("gs://bucket/run1/launch").iterdir()}


def test_without_execute_everything_is_shown_and_nothing_is_run(cloud, folder, evonas_here):
    done = evonas_here(*TPU, "--", "--training.epochs", "3")
    assert done.code == 0
    assert "RUN=(run pixels.py --distributed --workdir gs://bucket/run1 --training.epochs 3)" in done.out
    assert "gcloud compute instances create run1-keeper \\\n  --zone=us-central1-a" in done.out
    assert "nothing was run" in done.out
    assert not cloud.calls()
    assert not (folder / "runs").exists()


def test_what_is_shown_does_what_execute_does(cloud, evonas_here):
    script = evonas_here(*TPU).out
    subprocess.run(["bash"], input=script, text=True, check=True, capture_output=True)
    shown, there = cloud.calls(), cloud.what_there_is()
    assert there == (set(), {"run1-keeper"})
    cloud.gcloud("compute", "instances", "delete", "run1-keeper", "--zone=us-central1-a")
    assert evonas_here(*TPU, "--execute").code == 0
    executed = [call for call in cloud.calls()[len(shown) + 1 :] if "describe" not in call]
    assert executed == shown
    assert cloud.what_there_is() == there
    assert in_bucket(cloud) == {"launch.json", "ended.json", "worker.sh", "keeper.sh", "pixels.py", WHEEL}
    assert cloud.path(f"gs://bucket/run1/launch/{WHEEL}").read_text() == "a wheel"


def test_a_run_that_is_there_is_not_launched_again(cloud, evonas_here):
    assert evonas_here(*TPU, "--execute").code == 0
    before = cloud.path("gs://bucket/run1/launch/worker.sh").read_text()
    again = evonas_here(*TPU, "--execute", "--", "--training.epochs", "3")
    assert again.code == 2
    assert "run1 runs already" in again.err
    assert cloud.path("gs://bucket/run1/launch/worker.sh").read_text() == before


@pytest.mark.usefixtures("cloud")
def test_the_cost_is_told_before(evonas_here):
    prices = ("--seconds-per-candidate", "90", "--dollars-per-chip-hour", "2")
    done = evonas_here(*TPU, *prices, "--", "--evaluations", "1600", "--batch-size", "16")
    assert "16 chips, 16 candidates at the same time" in done.out
    assert "1,600 candidates of 90 s: 2.5 hours, 40.0 chip-hours, 80.00 dollars" in done.out
    assert "at most 768 chip-hours" in done.out
    assert "leaves" not in done.out
    assert "batch_size 4 leaves 12 devices idle" in evonas_here(*TPU).out


def test_a_command_that_fails_ends_a_launch_with_what_gcloud_said(cloud, evonas_here):
    arguments = [word.replace("gs://bucket", "gs://nowhere") for word in TPU]
    done = evonas_here(*arguments, "--execute")
    assert done.code == 2
    assert "evonas: could not upload: gcloud ended with exit code 1" in done.err
    assert "Traceback" not in done.err
    assert cloud.what_there_is() == (set(), set())


def test_status_tells_what_there_is(cloud, evonas_here):
    evonas_here(*TPU, "--execute")
    shown = " ".join(evonas_here("launch", "status", "run1").out.split())
    assert "slice none its machines none keeper RUNNING it said last nothing ended not yet" in shown
    assert "evonas status gs://bucket/run1" in shown
    cloud.write("gs://bucket/run1/launch/keeper.log", "first\nslice: ACTIVE\n")
    cloud.write("gs://bucket/run1/launch/ended.json", json.dumps({"exit_code": 0, "worker": 0, "time": "then"}))
    shown = " ".join(evonas_here("launch", "status", "run1").out.split())
    assert "it said last slice: ACTIVE ended then, exit code 0 of worker 0: finished" in shown


def test_logs_are_those_of_the_last_slice(cloud, evonas_here):
    evonas_here(*TPU, "--execute")
    early = evonas_here("launch", "logs", "run1")
    assert early.code == 2
    assert "worker 0 has no log in gs://bucket/run1/launch/logs yet" in early.err
    for name in ("20261127T020000Z-worker-0", "20261127T030000Z-worker-0", "20261127T030000Z-worker-1"):
        cloud.write(f"gs://bucket/run1/launch/logs/{name}.log", f"said {name}\n")
    assert evonas_here("launch", "logs", "run1").out == "said 20261127T030000Z-worker-0\n"
    assert evonas_here("launch", "logs", "run1", "--worker", "1").out == "said 20261127T030000Z-worker-1\n"
    cloud.write("gs://bucket/run1/launch/keeper.log", "slice: ACTIVE\n")
    assert evonas_here("launch", "logs", "run1", "--keeper").out == "slice: ACTIVE\n"


def test_stop_deletes_what_there_is_and_tells_what_remains(cloud, evonas_here):
    evonas_here(*TPU, "--execute")
    slice_ = evonas_here("launch", "stop", "run1").out
    assert "gcloud compute instances delete run1-keeper" in slice_
    assert "gcloud compute tpus queued-resources delete run1" in slice_
    assert cloud.what_there_is()[1]
    stopped = evonas_here("launch", "stop", "run1", "--execute")
    assert stopped.code == 0
    assert "the run remains in gs://bucket/run1" in stopped.out
    assert cloud.what_there_is() == (set(), set())
    assert not cloud.calls("compute", "tpus", "queued-resources", "delete")
    assert "worker.sh" in in_bucket(cloud)


@pytest.mark.usefixtures("cloud")
def test_a_launch_is_found_from_another_directory_by_its_place(folder, evonas_here, monkeypatch):
    evonas_here(*TPU, "--execute")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    lost = evonas_here("launch", "status", "run1")
    assert lost.code == 2
    assert "give --zone and --workdir" in lost.err
    place = ("--zone", "us-central2-b", "--workdir", "gs://bucket/run1")
    assert "RUNNING" in evonas_here("launch", "status", "run1", *place).out


@pytest.mark.usefixtures("folder")
def test_xpk_is_shown(evonas_here):
    done = evonas_here(*XPK, "--create-cluster", "--spot", "--", "--training.epochs", "3")
    assert done.code == 0
    assert "xpk workload create \\\n  --workload=run1 \\\n  --cluster=search" in done.out
    assert "exec evonas run pixels.py --distributed --workdir gs://bucket/run1 --training.epochs 3" in done.out
    assert "xpk workload delete --workload=run1" in done.out


def test_a_program_that_is_missing_is_named(folder, evonas_here, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    done = evonas_here(*XPK, "--execute")
    assert done.code == 2
    assert "the program xpk is not on the PATH: install it with pip install xpk" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TPU, "--reserved"), "a slice is spot or from a reservation"),
        ((*TPU, "--type", "v4-7"), "must be even"),
        ((*TPU, "--name", "Run_1"), "a name has small letters"),
        ((*TPU, "--", "--training.epoch", "3"), "training.epoch"),
        ((*TPU, "--", "--workdir=runs/here"), "belongs before --"),
        ((*TPU, "--", "--distributed"), "belongs before --"),
        ((*TPU, "--package", "nowhere.whl"), "give --package"),
        (("launch", "status", "run1", "--", "--evaluations", "3"), "go with launch tpu and launch xpk"),
        (("launch", "status", "run1"), "was not launched from this directory"),
        (("launch", "stop", "run1"), "was not launched from this directory"),
    ],
)
def test_mistakes_get_a_sentence(cloud, evonas_here, arguments, message):
    done = evonas_here(*arguments)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())
    assert "Traceback" not in done.err
    assert not cloud.calls()


def test_a_mistake_in_the_experiment_costs_nothing(cloud, folder, evonas_here):
    (folder / "pixels.py").write_text("def config():\n    return 1 / 0\n")
    done = evonas_here(*TPU, "--execute")
    assert done.code == 2
    assert "pixels.py, line 2: ZeroDivisionError" in done.err
    assert not cloud.calls()
