"""Four simulated devices for all tests, and the directory of benchmark data beside the repository."""

from pathlib import Path

import jax
import pytest

# Before anything starts a backend.
jax.config.update("jax_num_cpu_devices", 4)


@pytest.fixture(scope="session")
def shared():
    """The directory `shared` beside the repository."""
    directory = Path(__file__).resolve().parents[2] / "shared"
    if not directory.is_dir():
        pytest.skip(f"{directory} is not there: it holds the published benchmark data, which is not in the repository")
    return directory
