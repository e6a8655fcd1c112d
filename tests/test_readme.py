"""Every code block of the README runs as it stands."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT.replace("\\\n", " "), re.DOTALL)
COMMANDS = [line[2:] for block in BLOCKS for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_python_block_runs(number: int, tmp_path: pathlib.Path, shared: pathlib.Path) -> None:
    script = SCRIPTS[number].replace("TABLE", str(shared / "data/nas_tables/nasbench201.npz"))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_python_blocks_and_commands() -> None:
    assert len(SCRIPTS) >= 4
    assert len(COMMANDS) >= 6


@pytest.mark.slow
def test_evonas_commands_run_one_after_the_other(tmp_path: pathlib.Path) -> None:
    evonas = [shlex.split(command, comments=True) for command in COMMANDS if command.startswith("evonas ")]
    # These have tests of their own, or take CIFAR-10.
    cifar10 = {"experiments/cifar10_nas_bench_201.py", "runs/cifar10"}
    elsewhere = {"reproduce", "launch", "compare", "--distributed"} | cifar10
    evonas = [command for command in evonas if not elsewhere & set(command)]
    assert [command[1] for command in evonas] == ["run", "status", "best", "report", "export", "retrain", "doctor"]
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    smaller = {
        "run": ["--evaluations", "4", "--training.epochs", "1", "--data.limit", "128", "--space.channels", "4"],
        "retrain": ["--epochs", "1"],
    }
    for command in evonas:
        arguments = [sys.executable, "-m", "evonas", *command[1:], *smaller.get(command[1], [])]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", ["search", "test"])
def test_make_commands_of_the_readme_are_targets(target: str) -> None:
    assert f"make {target}" in {shlex.join(shlex.split(command, comments=True)) for command in COMMANDS}
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
