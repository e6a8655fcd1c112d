"""A command line to call, in this process or in one of its own, and experiments small enough to wait for."""

import os
import signal
import subprocess
import sys

import pytest

from evonas.cli.main import run_command

FEATURES = """
import dataclasses

import numpy as np

import evonas
from evonas.data import Arrays


@dataclasses.dataclass(frozen=True)
class FlatDigits:
    limit: int = 200

    def load(self):
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        test = slice(1500, 1600)
        return Arrays(
            images[: self.limit], labels[: self.limit], images[test], labels[test], name="flat digits"
        ).load()


@dataclasses.dataclass(frozen=True)
class Pixels(evonas.spaces.BitString):
    dim: int = 64


def config():
    return evonas.Experiment(
        space=Pixels(),
        data=FlatDigits(),
        algorithm=evonas.regularized_evolution(population_size=4, sample_size=2),
        training=evonas.Training(epochs=2, batch_size=16),
        evaluations=10,
        batch_size=4,
    )
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Environment variables of processes that share their compiled programs."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "JAX_PLATFORMS": "cpu",
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory: empty but for an experiment file, `pixels.py`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pixels.py").write_text(FEATURES)
    return tmp_path


class Outcome:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n--- stderr\n{self.err}"


@pytest.fixture
def evonas_here(capsys, monkeypatch, cache):
    """Call the command line in this process: ``evonas_here("run", "file.py")``."""
    # Devices and compiled programs are settings of the whole process, which the tests have made already.
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "4")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", cache["JAX_COMPILATION_CACHE_DIR"])

    def call(*arguments):
        try:
            code = run_command([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def start(cache, tmp_path):
    """Start the command line as a process of its own."""
    processes = []
    # A suite that runs in the background may ignore Ctrl-C, and its children would ignore it too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def call(*arguments, program=("-m", "evonas"), **environment):
        command = [sys.executable, *program, *map(str, arguments)]
        processes.append(
            subprocess.Popen(
                command,
                env=os.environ | cache | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
        )
        return processes[-1]

    yield call
    signal.signal(signal.SIGINT, before)
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def evonas_process(start):
    """Call the command line as a process of its own, and wait for its end."""

    def call(*arguments, **environment):
        process = start(*arguments, **environment)
        out, err = process.communicate()
        return Outcome(process.returncode, out, err)

    return call


@pytest.fixture(scope="session")
def finished_files(tmp_path_factory, cache):
    """The files of a finished run of `pixels.py`."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "pixels.py").write_text(FEATURES)
    command = [sys.executable, "-m", "evonas", "run", "pixels.py", "--workdir", "w", "--cpu-devices", "2"]
    subprocess.run(command, env=os.environ | cache, cwd=folder, check=True, capture_output=True)
    return {path.relative_to(folder / "w"): path.read_bytes() for path in (folder / "w").rglob("*") if path.is_file()}


@pytest.fixture
def finished(folder, finished_files):
    """A finished run of `pixels.py` in the current directory, in ``w``."""
    for name, content in finished_files.items():
        (folder / "w" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "w" / name).write_bytes(content)
    return folder / "w"
