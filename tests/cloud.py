"""A cloud in a directory, for tests of what is launched: gcloud and curl stand in, machines are processes."""

import json
import pathlib
import subprocess
import sys

FAKE = pathlib.Path(__file__).parent / "launch" / "fake_gcloud.py"

EVONAS = """#!/bin/bash
# Ends as the next line of the file `codes` says; `run`: runs until it is asked to stop, and ends with 75.
cd "$(dirname "$0")/../.."
trap 'echo "asked to stop"; exit 75' TERM
echo "$*" >>called
code=$(head -n 1 codes)
sed -i 1d codes
echo "candidate trained"
if [[ $code == run ]]; then
  sleep 60 &
  wait
fi
[[ $code -le 128 ]] || kill -$((code - 128)) $$
exit "$code"
"""


class Cloud:
    """A project in Google's cloud with one bucket, ``gs://bucket``.

    Args:
        directory: for it.
        monkeypatch: puts its gcloud on the PATH of this process and those that it starts.
    """

    def __init__(self, directory, monkeypatch):
        self.root, programs = directory / "cloud", directory / "bin"
        (self.root / "buckets" / "bucket").mkdir(parents=True)
        programs.mkdir()
        (self.root / "state.json").write_text(json.dumps({"calls": 0, "born": 0, "slices": {}, "instances": {}}))
        self.scenario()
        for name, text in {
            "gcloud": f'#!/bin/sh\nexec {sys.executable} -S -E {FAKE} "$@"\n',
            "curl": '#!/bin/sh\necho "${FAKE_WORKER:-0}"\n',
        }.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(programs), prepend=":")
        monkeypatch.setenv("FAKE_CLOUD", str(self.root))

    def scenario(self, **what):
        """Say what will happen.

        Args:
            what: ``lives``, for how many looks each slice is there before it is preempted, None for ever;
                ``preempted``, the state of its request then; ``boot``, whether slices run their startup script;
                ``busy``, a file that gets a line from each slice before it may be preempted; ``refuse``, why slices are
                refused; ``transient``, which fraction of the calls fails, as 1 in so many.
        """
        (self.root / "scenario.json").write_text(json.dumps(what))

    def gcloud(self, *words):
        """Call it; the finished process."""
        return subprocess.run(["gcloud", *words], capture_output=True, text=True, check=False)

    def calls(self, *beginning):
        """The calls so far that begin with these words."""
        path = self.root / "calls.jsonl"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if tuple(call[: len(beginning)]) == beginning]

    def what_there_is(self):
        """Names of slices and of machines."""
        state = json.loads((self.root / "state.json").read_text())
        return set(state["slices"]), set(state["instances"])

    def path(self, name):
        """The file of a ``gs://`` name."""
        return self.root / "buckets" / name.removeprefix("gs://")

    def write(self, name, text):
        """Put a file into the bucket."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)


def machine(place, *codes):
    """Make a directory look as a machine where evonas is installed, which will end with these codes; the directory."""
    program = place / "venv" / "bin" / "evonas"
    program.parent.mkdir(parents=True)
    program.write_text(EVONAS)
    program.chmod(0o755)
    (place / "installed").touch()
    (place / "codes").write_text("".join(f"{code}\n" for code in codes))
    return place
