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


COMPILED_LIGHTLY = ("test_evolution_", "test_population_", "test_simulate", "test_genome_")
"""Tests of small programs, of which compiling is nearly all the time: they need not be optimised."""


@pytest.fixture(autouse=True, scope="module")
def light_compilation(request):
    """Leave most of XLA's optimisations out where they do not pay."""
    light = request.module.__name__.rpartition(".")[2].startswith(COMPILED_LIGHTLY)
    jax.config.update("jax_disable_most_optimizations", light)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
