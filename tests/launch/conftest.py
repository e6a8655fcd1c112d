"""A cloud in a directory, with gcloud and curl on the PATH, and machines that are processes."""

import json
import os
import shlex
import shutil
import subprocess

import pytest
from cloud import Cloud


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    """A cloud with an empty bucket, ``gs://bucket``."""
    return Cloud(tmp_path, monkeypatch)


@pytest.fixture
def real_gcloud(tmp_path):
    """The real gcloud's check of commands, which needs no network and no account: of each what is wrong, or None."""
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")

    def wrong(commands):
        (tmp_path / "commands.json").write_text(json.dumps([{"command_string": shlex.join(each)} for each in commands]))
        done = subprocess.run(
            ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}"],
            env=os.environ | {"CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"this gcloud does not check commands: {done.stderr}")
        return [checked["error_message"] for checked in json.loads(done.stdout)]

    return wrong
