"""A full disk stops a run by one sentence, and costs nothing once there is room again."""

import subprocess

import pytest
from test_cli_run import evaluations_in


@pytest.fixture
def small_disk(tmp_path):
    """A directory on a file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system can't be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk, free):
    """Write a file that leaves so many bytes."""
    path, size = disk / "filler", 0
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                size += file.write(bytes(1024))
        except OSError:
            pass
    with path.open("r+b") as file:
        file.truncate(size - free)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("free", [0, 24 * 1024])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(evonas_process, small_disk, finished, free):
    filler = fill(small_disk, free)
    command = ["run", "pixels.py", "--workdir", small_disk / "run", "--cpu-devices", "2"]
    outcome = evonas_process(*command)
    assert outcome.code == 2, outcome
    assert "No space left on device: nothing already written is lost; mend this and run the same command again" in (
        outcome.err
    )
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.out + outcome.err
    if free:
        known = evaluations_in(small_disk / "run")
        assert 0 < len(known) < 10
    else:
        assert not (small_disk / "run" / "config.json").exists()
    filler.unlink()
    again = evonas_process(*command)
    assert again.code == 0, again
    assert evaluations_in(small_disk / "run") == evaluations_in(finished)
    assert not list(small_disk.rglob("*.part"))
    for name in ("config.json", "experiment.py", "result.json", "generations.json"):
        assert (small_disk / "run" / name).read_bytes() == (finished / name).read_bytes()
