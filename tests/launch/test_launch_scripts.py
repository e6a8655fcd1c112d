"""The scripts of a launch, run by bash in a cloud that replays preemptions."""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time

import pytest
from cloud import machine

from evonas.launch import Package, TpuLaunch, gcloud
from evonas.launch.scripts import Pace, keeper_script, worker_script

LAUNCH = TpuLaunch(
    name="run1",
    zone="us-central2-b",
    type="v4-32",
    experiment="experiments/digits.py",
    workdir="gs://bucket/run1",
    settings=("--training.epochs", "20"),
    spot=True,
)
PACKAGE = Package("evonas-0.1.0-py3-none-any.whl", "0.1.0", "3.12", ("jax==0.10.2",))
PACE = Pace(0, longest=0, refusals=3, installations=3, pause=0, restarts=3, quick_ends=7, publishing=1, grace=0)
MARKER, LOGS = "gs://bucket/run1/launch/ended.json", "gs://bucket/run1/launch/logs"


def soon(seconds=120):
    return int(time.time()) + seconds


@pytest.fixture
def worker(cloud, tmp_path):
    """A function that runs the script of a worker of a slice, on a machine where evonas ends with the given codes."""

    def run(*codes, number=0, deadline=None, place="worker", installed=True, pace=PACE):
        there = machine(tmp_path / place, *codes)
        if not installed:
            (there / "installed").unlink()
        text = worker_script(LAUNCH, PACKAGE, deadline or soon(), place=str(there), pace=pace)
        subprocess.run(["bash", "-c", text], env=os.environ | {"FAKE_WORKER": str(number)}, check=True, timeout=60)
        return (there / "called").read_text().splitlines() if (there / "called").exists() else []

    cloud.write(MARKER, "{}\n")
    (tmp_path / "worker.sh").touch()
    assert cloud.gcloud(*gcloud.create_slice(LAUNCH, str(tmp_path / "worker.sh"))[1:]).returncode == 0
    return run


@pytest.fixture
def keep(cloud, tmp_path):
    """A function that starts a keeper of slices where evonas ends with the given codes."""
    there = tmp_path / "worker"
    started = []

    def start(*codes, deadline=None, machine_of_its_own=True):
        if codes:
            machine(there, *codes)
        deadline = deadline or soon()
        cloud.write("gs://bucket/run1/launch/ended.json", "{}\n")
        cloud.write(
            "gs://bucket/run1/launch/worker.sh",
            worker_script(LAUNCH, PACKAGE, deadline, place=str(there), pace=PACE._replace(grace=600)),
        )
        place = str(tmp_path / "keeper")
        script = tmp_path / "keeper.sh"
        script.write_text(keeper_script(LAUNCH, deadline, machine=machine_of_its_own, place=place, pace=PACE))
        if machine_of_its_own:
            assert cloud.gcloud(*gcloud.create_keeper(LAUNCH, str(script))[1:]).returncode == 0
        started.append(
            subprocess.Popen(["bash", str(script)], stdout=subprocess.PIPE, text=True, start_new_session=True)
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ended(cloud):
    return json.loads(cloud.path(MARKER).read_text())


@pytest.mark.slow
def test_a_run_is_kept_through_two_preemptions_and_then_everything_is_deleted(cloud, keep, tmp_path):
    cloud.scenario(lives=[4, 2, None], boot=True, busy=str(tmp_path / "worker" / "called"), transient=17)
    said = keep("run", "run", 0).communicate(timeout=100)[0]
    assert ended(cloud)["exit_code"] == 0
    assert said.count("slice: SUSPENDED") == 2
    assert "503 Service Unavailable" in said
    assert len(cloud.calls("compute", "tpus", "queued-resources", "create")) >= 3
    called = "run digits.py --distributed --workdir gs://bucket/run1 --training.epochs 20"
    assert (tmp_path / "worker" / "called").read_text().splitlines() == [called] * 3
    logs = "".join(path.read_text() for path in sorted(cloud.path(LOGS).glob("*-worker-0.log")))
    assert logs.count("evonas ended with exit code 0") == 1
    assert logs.splitlines().count("asked to stop") == 2  # as evonas says
    assert cloud.what_there_is() == (set(), set())
    assert cloud.path("gs://bucket/run1/launch/keeper.log").read_text().endswith("the slice is deleted\n")


def test_machines_that_are_gone_are_replaced_while_the_queue_still_calls_them_active(cloud, keep, tmp_path):
    cloud.scenario(lives=[2, None], boot=True, busy=str(tmp_path / "worker" / "called"), preempted="ACTIVE")
    said = keep("run", 0).communicate(timeout=60)[0]
    assert "slice: PREEMPTED" in said
    assert cloud.what_there_is() == (set(), set())


def test_a_failed_request_is_made_again(cloud, keep):
    cloud.scenario(lives=[0, None], boot=True, preempted="FAILED")
    assert "slice: FAILED" in keep(0).communicate(timeout=60)[0]
    assert cloud.what_there_is() == (set(), set())


def test_a_keeper_that_was_killed_goes_on_with_the_slice_that_is_there(cloud, keep, tmp_path):
    cloud.scenario(lives=[None], boot=True)
    first = keep("run", 0)
    give_up = soon(60)
    while not (tmp_path / "worker" / "called").exists():
        assert time.time() < give_up
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    cloud.write(MARKER, '{"exit_code": 0, "worker": 0}')
    done = subprocess.run(["bash", tmp_path / "keeper.sh"], capture_output=True, text=True, check=True, timeout=60)
    assert "the run has ended" in done.stdout
    assert len(cloud.calls("compute", "tpus", "queued-resources", "create")) == 1
    assert cloud.what_there_is() == (set(), set())


def test_the_slice_is_deleted_when_the_hours_are_over(cloud, keep):
    cloud.scenario(lives=[None], boot=True)
    said = keep("run", deadline=soon(3)).communicate(timeout=60)[0]
    assert "hours of this launch are over" in said
    assert "exit_code" not in ended(cloud)
    assert cloud.what_there_is() == (set(), set())


def test_a_slice_that_is_refused_again_and_again_is_given_up(cloud, keep):
    cloud.scenario(refuse="PERMISSION_DENIED: no quota of TPUv4 in us-central2-b")
    said = keep().communicate(timeout=60)[0]
    assert said.count("PERMISSION_DENIED: no quota") == PACE.refusals
    assert "gave up" in cloud.path("gs://bucket/run1/launch/keeper.log").read_text()
    assert cloud.what_there_is() == (set(), set())


def test_a_keeper_on_ones_own_machine_deletes_the_slice_alone(cloud, keep):
    cloud.scenario(lives=[None], boot=True)
    keep(0, machine_of_its_own=False).communicate(timeout=60)
    assert cloud.what_there_is() == (set(), set())
    assert not cloud.calls("compute", "instances")


@pytest.mark.parametrize(
    ("codes", "last"),
    [
        ((75, 134, 0), 0),  # may be run again; JAX ended it because another process died
        ((2,), 2),  # a mistake
        ((130,), 130),  # Ctrl-C
        ((137,) * 5 + (0,), 0),  # killed
        ((1, 1, 1, 0), 0),
        ((1, 1, 75, 1, 1), 1),  # nobody knows why: three restarts
    ],
)
def test_evonas_is_run_again_as_its_exit_code_says(cloud, worker, codes, last):
    assert len(worker(*codes)) == len(codes)
    assert ended(cloud)["exit_code"] == last
    assert ended(cloud)["worker"] == 0
    (log,) = cloud.path(LOGS).iterdir()
    assert log.read_text().count("candidate trained") == len(codes)


@pytest.mark.parametrize("code", [75, 134, 137])
def test_what_ends_at_once_each_time_is_given_up(cloud, worker, code):
    assert len(worker(*[code] * 9)) == PACE.quick_ends + 1
    assert ended(cloud)["exit_code"] == code


def test_what_ran_for_long_before_its_end_is_not_given_up(cloud, worker):
    assert len(worker(*[75] * 9, 0, pace=PACE._replace(settled=0))) == 10
    assert ended(cloud)["exit_code"] == 0


def test_a_worker_that_finished_runs_again_until_the_first_has(cloud, worker):
    assert len(worker(0, 0, 2, number=3)) == 3
    assert ended(cloud) | {"time": ""} == {"exit_code": 2, "worker": 3, "time": ""}


def test_a_run_that_cannot_be_installed_ends(cloud, worker):
    assert worker(0, installed=False) == []  # nothing was uploaded
    assert ended(cloud)["exit_code"] == 2
    log = next(cloud.path(LOGS).iterdir()).read_text()
    assert log.count("matched no objects or files") == log.count("could not be installed") == PACE.installations


def test_a_machine_that_boots_after_the_end_runs_nothing(cloud, worker):
    cloud.write(MARKER, '{"exit_code": 0, "worker": 0, "time": ""}')
    assert worker(0) == []


def test_evonas_is_stopped_when_the_hours_are_over(cloud, worker):
    assert len(worker("run", 0, deadline=soon(4))) == 1
    assert "exit_code" not in ended(cloud)
    assert "exit code 124" in next(cloud.path(LOGS).iterdir()).read_text()


def test_the_first_worker_deletes_the_slice_where_no_keeper_does(cloud, worker):
    worker(2, number=1, place="second")
    assert cloud.what_there_is()[0] == {"run1"}
    cloud.write(MARKER, "{}\n")
    worker(0)
    assert cloud.what_there_is()[0] == set()


def scripts():
    return {
        "worker": worker_script(LAUNCH, PACKAGE, 0),
        "keeper": keeper_script(LAUNCH, 0),
        "keeper here": keeper_script(LAUNCH, 0, machine=False),
    }


@pytest.mark.parametrize("name", scripts())
@pytest.mark.parametrize("checker", [("bash", "-n"), ("shellcheck", "--norc")])
def test_scripts_are_well_formed(checker, name, tmp_path):
    beside_python = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    if (program := shutil.which(checker[0], path=beside_python)) is None:
        pytest.skip(f"{checker[0]} is not installed")
    (tmp_path / "script.sh").write_text(scripts()[name])
    done = subprocess.run([program, *checker[1:], tmp_path / "script.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
