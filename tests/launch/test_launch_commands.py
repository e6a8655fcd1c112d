"""Commands for gcloud and XPK: the cloud takes them, and the real gcloud's own parser does, where it is installed."""

import shlex
import subprocess

import pytest

from evonas.launch import Package, Step, TpuLaunch, XpkLaunch, as_line, gcloud, launch_plan, stop_plan, workload_plan
from evonas.launch.plan import Plan, as_script
from evonas.launch.tpu import read_record, record

LAUNCH = TpuLaunch(
    name="run1",
    zone="us-central2-b",
    type="v4-32",
    experiment="experiments/digits.py",
    workdir="gs://bucket/run1",
    settings=("--data.limit", "it's $HOME"),
    spot=True,
    project="my-project",
    service_account="evonas@my-project.iam.gserviceaccount.com",
    network="default",
    subnetwork="default",
)
ON_GKE = XpkLaunch(
    name="run1",
    cluster="search",
    zone="us-east5-b",
    type="v6e-16",
    image="us-east5-docker.pkg.dev/my-project/evonas/evonas:0.1.0",
    experiment="experiments/digits.py",
    workdir="gs://bucket/run1",
    settings=("--data.limit", "it's $HOME"),
    spot=True,
)


def commands():
    """Every gcloud command of a launch, by its name."""
    return {
        "create_slice": gcloud.create_slice(LAUNCH, "worker.sh"),
        "describe_slice": gcloud.describe_slice(LAUNCH),
        "describe_node": gcloud.describe_node(LAUNCH),
        "delete_slice": gcloud.delete_slice(LAUNCH),
        "create_keeper": gcloud.create_keeper(LAUNCH, "keeper.sh"),
        "describe_keeper": gcloud.describe_keeper(LAUNCH),
        "delete_keeper": gcloud.delete_keeper(LAUNCH),
        "upload": gcloud.upload(LAUNCH, ("worker.sh", "keeper.sh")),
        "show": gcloud.show(LAUNCH, "ended.json"),
        "list_logs": gcloud.list_logs(LAUNCH),
    }


REFUSED = {
    "an option that there is not": ("compute tpus queued-resources describe run1 --zone=us-central2-b --spotty", True),
    "an option of another command": ("compute instances describe run1 --zone=us-central1-a --force", True),
    "no runtime version": (
        "compute tpus queued-resources create run1 --zone=us-central2-b --node-id=run1 --accelerator-type=v4-32",
        True,
    ),
    "a command that there is not": ("compute tpus queued-resources recreate run1 --zone=us-central2-b", True),
    "no zone": ("compute tpus queued-resources describe run1", False),
    "spot and reserved": (
        "compute tpus queued-resources create run1 --zone=us-central2-b --node-id=run1 --accelerator-type=v4-32 "
        "--runtime-version=tpu-ubuntu2204-base --spot --reserved",
        False,
    ),
    "a name that is none": (
        "compute tpus queued-resources create Run_1 --zone=us-central2-b --node-id=run1 --accelerator-type=v4-32 "
        "--runtime-version=tpu-ubuntu2204-base",
        False,
    ),
    "a bucket that there is not": ("storage cat gs://nowhere/ended.json", False),
}
"""What is wrong with a command, the command, and whether gcloud itself sees it, or the service behind it."""


def test_the_real_gcloud_takes_every_command_and_refuses_what_the_stand_in_refuses(real_gcloud):
    refused = {what: ("gcloud", *words.split()) for what, (words, by_gcloud) in REFUSED.items() if by_gcloud}
    names = [*commands(), *refused]
    wrong = dict(zip(names, real_gcloud([*commands().values(), *refused.values()]), strict=True))
    assert {name for name, message in wrong.items() if message} == set(refused), wrong


@pytest.mark.parametrize("what", REFUSED)
def test_the_stand_in_refuses(cloud, what):
    done = cloud.gcloud(*REFUSED[what][0].split())
    assert done.returncode != 0
    assert done.stderr.startswith("ERROR: (gcloud.")
    assert cloud.what_there_is() == (set(), set())


def test_the_stand_in_takes_every_command_and_refuses_it_where_it_makes_no_sense(cloud, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("worker.sh", "keeper.sh"):
        (tmp_path / name).touch()
    cloud.scenario(lives=[None])
    codes = {}
    for name in (
        *("describe_slice", "create_slice", "create_slice", *["describe_slice"] * 3, "describe_node"),
        *("describe_keeper", "create_keeper", "create_keeper", "describe_keeper", "upload"),
        *("delete_slice", "delete_slice", "delete_keeper", "delete_keeper"),
    ):
        codes.setdefault(name, []).append(cloud.gcloud(*commands()[name][1:]).returncode)
    assert codes == {
        "describe_slice": [1, 0, 0, 0],
        "create_slice": [0, 1],
        "describe_node": [0],
        "describe_keeper": [1, 0],
        "create_keeper": [0, 1],
        "upload": [0],
        "delete_slice": [0, 1],
        "delete_keeper": [0, 1],
    }
    assert cloud.path("gs://bucket/run1/launch/worker.sh").exists()


def test_the_stand_in_deletes_a_slice_with_machines_only_by_force(cloud, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker.sh").touch()
    cloud.gcloud(*commands()["create_slice"][1:])
    assert [cloud.gcloud(*commands()["describe_slice"][1:]).stdout for _ in range(3)][-1] == "ACTIVE\n"
    gently = [word for word in commands()["delete_slice"][1:] if word != "--force"]
    assert "FAILED_PRECONDITION" in cloud.gcloud(*gently).stderr
    assert cloud.gcloud(*commands()["delete_slice"][1:]).returncode == 0


def test_options_that_are_not_given_are_not_there():
    plain = TpuLaunch(name="r", zone="us-central2-b", type="v6e-8", experiment="f.py", workdir="gs://bucket/r")
    assert gcloud.create_slice(plain, "w.sh") == (
        *("gcloud", "compute", "tpus", "queued-resources", "create", "r", "--node-id=r", "--zone=us-central2-b"),
        *("--accelerator-type=v6e-8", "--runtime-version=v2-alpha-tpuv6e", "--scopes=cloud-platform"),
        "--metadata-from-file=startup-script=w.sh",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Run1"}, "a name has small letters"),
        ({"name": "a" * 51}, "at most 50"),
        ({"zone": "us-central2"}, "a zone is like us-central2-b"),
        ({"keeper_zone": "here"}, "a zone is like"),
        ({"type": "v4"}, "a type of slice is one of"),
        ({"type": "v9-8"}, "v6e-N"),
        ({"workdir": "runs/run1"}, "gs://BUCKET/DIRECTORY"),
        ({"workdir": "gs://bucket/run 1"}, "gs://BUCKET/DIRECTORY"),
        ({"workdir": "gs://bucket/run1/"}, "gs://BUCKET/DIRECTORY"),
        ({"experiment": "experiments"}, "an experiment is a Python file"),
        ({"reserved": True}, "spot or from a reservation"),
        ({"max_hours": 0}, "max_hours must be positive"),
    ],
)
def test_what_google_cloud_would_refuse_is_refused_at_once(change, message):
    fields = {field: getattr(LAUNCH, field) for field in LAUNCH.__dataclass_fields__} | change
    with pytest.raises(ValueError, match=message):
        TpuLaunch(**fields)


def test_what_would_make_a_slice_again_is_deleted_first():
    assert [step.command[2] for step in stop_plan(LAUNCH).steps] == ["instances", "tpus"]
    assert [step.command[2] for step in stop_plan(LAUNCH, keeper=False).steps] == ["tpus"]


def test_a_launch_from_a_package_index_builds_and_uploads_no_wheel():
    plan = launch_plan(LAUNCH, Package(None, "0.1.0", "3.12"), "there", 0)
    assert not [word for step in plan.steps for word in step.command if word.endswith(".whl")]
    assert "'evonas[gcs]==0.1.0'" in plan.files["there/worker.sh"]


def test_a_launch_from_a_clone_builds_the_wheel_that_it_uploads():
    plan = launch_plan(LAUNCH, Package("clone", "0.1.0", "3.12"), "there", 0)
    assert plan.steps[0].purpose == "build evonas's wheel"
    assert "there/evonas-0.1.0-py3-none-any.whl" in plan.steps[1].command


def test_a_record_leads_back_to_the_launch():
    again = read_record(record(LAUNCH))
    for name in ("name", "zone", "workdir", "project", "keeper_zone", "keeper", "bucket_directory"):
        assert getattr(again, name) == getattr(LAUNCH, name)
    with pytest.raises(ValueError, match=r"launch\.json is damaged"):
        read_record("{}")


def test_a_plan_as_a_script_writes_its_files_and_stops_at_the_first_failure(tmp_path):
    words = ("a b", "$HOME", "it's", "--option=x y")
    plan = Plan(
        {str(tmp_path / "new" / "file.txt"): "$HOME `ls`\n'quoted'\n"},
        (Step("show", ("printf", "%s\n", *words)), Step("fail", ("false",)), Step("not", ("echo", "never"))),
    )
    done = subprocess.run(["bash"], input=as_script(plan), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == list(words)
    assert (tmp_path / "new" / "file.txt").read_text() == "$HOME `ls`\n'quoted'\n"


def test_a_line_has_an_option_each():
    assert as_line(("gcloud", "storage", "cp", "a b", "--project=p", "--quiet")) == (
        "gcloud storage cp 'a b' \\\n  --project=p \\\n  --quiet"
    )


def test_xpk_gets_one_line_that_a_shell_takes_apart_as_it_was_meant():
    (step,) = workload_plan(ON_GKE).steps
    (command,) = [word.partition("=")[2] for word in step.command if word.startswith("--command=")]
    assert "\n" not in command
    assert shlex.split(command) == [
        *("exec", "evonas", "run", "digits.py", "--distributed", "--workdir", "gs://bucket/run1"),
        *("--data.limit", "it's $HOME"),
    ]
    assert "--restart-on-exit-codes=75" in step.command
    assert "--script-dir=experiments" in step.command


def test_xpk_builds_pushes_and_makes_the_cluster_first_where_asked():
    plan = workload_plan(ON_GKE, build=".", create_cluster=True)
    assert [step.command[:3] for step in plan.steps] == [
        ("docker", "build", "--platform=linux/amd64"),
        ("docker", "push", ON_GKE.image),
        ("xpk", "cluster", "create"),
        ("xpk", "workload", "create"),
    ]
    assert "--spot" in plan.steps[2].command
    assert "--spot" not in plan.steps[3].command
