"""A cloud in a directory, with gcloud and curl on the PATH, and machines that are processes."""

import pytest
from cloud import Cloud


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    """A cloud with an empty bucket, ``gs://bucket``."""
    return Cloud(tmp_path, monkeypatch)
