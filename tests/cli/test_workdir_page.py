"""What docs/workdir.md says of a workdir: its blocks run, and it names every file and every field there is."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "workdir.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FIELDS = {name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

WITHOUT_EVONAS = "import sys\nsys.modules['evonas'] = None\n"


@pytest.fixture
def workdir(finished, evonas_here):
    """A finished and retrained run, where the page looks for it, with its table."""
    for arguments in (["retrain", "w", "--epochs", "2"], ["export", "w", "--csv", "digits.csv"]):
        outcome = evonas_here(*arguments)
        assert outcome.code == 0, outcome
    (finished.parent / "runs").mkdir()
    (finished.parent / "runs" / "digits").symlink_to(finished)
    return finished


def lines_of(directory):
    """The objects in a directory's files of JSON lines."""
    return [json.loads(line) for path in sorted(directory.iterdir()) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_the_pages_blocks_read_a_run_without_evonas(workdir):
    assert len(BLOCKS) >= 8
    found = 'print("found", len(history), history["score"].max(), len(timeline))'
    command = [sys.executable, "-W", "error", "-c", WITHOUT_EVONAS + "".join(BLOCKS) + found]
    done = subprocess.run(command, cwd=workdir.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines, spans = lines_of(workdir / "history"), lines_of(workdir / "timeline")
    best = max(line["fitness"][0] for line in lines)
    assert done.stdout.splitlines()[-1] == f"found {len(lines)} {best} {len(spans)}"


@pytest.mark.slow
def test_every_file_and_every_field_of_a_run_is_on_the_page(workdir):
    contents = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL).group(1)
    listed = {line.split()[0].rstrip("/") for line in contents.splitlines()}
    present = {path.name for path in workdir.iterdir()}
    assert listed - {"checkpoints"} <= present <= listed
    lines = lines_of(workdir / "history")
    objects = [*lines, *(line["metrics"] for line in lines), *lines_of(workdir / "timeline")]
    assert set().union(*objects) <= FIELDS
    assert json.loads((workdir / "config.json").read_text()).keys() <= FIELDS
    retrained = {path.name for path in (workdir / "retrain").iterdir()} - {".lock"}
    rows = PAGE.partition("## retrain/")[2]
    assert retrained == {name.rstrip("/") for name in re.findall(r"^\| `(.*?)` \|", rows, re.MULTILINE)}
    network = json.loads((workdir / "retrain" / "network" / "network.json").read_text())
    assert all(f"`{name}`" in rows for name in network)
