"""Eight simulated devices for all tests, and the directory of benchmark data beside the repository."""

import gc
import os
import shutil
import socket
import tempfile
from pathlib import Path

# Compiling is most of the suite's time. It is done as for training (`compiler_options`), and all processes share what
# they compiled, so this comes before JAX is imported, and before pytest starts the workers that inherit it.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=1")
COMPILED = None if "JAX_COMPILATION_CACHE_DIR" in os.environ else tempfile.mkdtemp(prefix="evonas-tests-")
if COMPILED:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

# Tracing makes many objects, of which few are garbage: looking for it takes up to a tenth of the time.
gc.set_threshold(20_000, 20, 20)

import jax  # noqa: E402
import pytest  # noqa: E402

# Before anything starts a backend.
jax.config.update("jax_num_cpu_devices", 8)


def pytest_unconfigure():
    """Remove what was compiled; only the process that made the directory knows of it."""
    if COMPILED:
        shutil.rmtree(COMPILED, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Modules with slow tests first, so that both workers are busy to the end."""
    slow = {item.module for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.module not in slow)


@pytest.fixture(scope="session")
def shared():
    """The directory `shared` beside the repository."""
    directory = Path(__file__).resolve().parents[2] / "shared"
    if not directory.is_dir():
        pytest.skip(f"{directory} is not there: it holds the published benchmark data, which is not in the repository")
    return directory


@pytest.fixture
def coordinator():
    """A function that gives addresses where nothing listens, for the first of several processes."""

    def address():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{probe.getsockname()[1]}"

    return address


@pytest.fixture(scope="session")
def object_store_server():
    """A server of the Cloud Storage API, one a process: tensorstore reads its address but once."""
    from object_store_server import ObjectStore

    with ObjectStore() as server:
        yield server


@pytest.fixture
def object_store(object_store_server, monkeypatch):
    """The server, found by all clients of this process and of those that it starts; what was written before is gone."""
    for name, value in object_store_server.environment.items():
        monkeypatch.setenv(name, value)
    object_store_server.clear()
    return object_store_server


@pytest.fixture
def quick_retries(monkeypatch):
    """Take the pauses out of gcsfs, which begins again after one to 32 seconds."""
    import asyncio
    import types

    async def sleep(_):
        await asyncio.sleep(0)

    monkeypatch.setattr("gcsfs.retry.asyncio", types.SimpleNamespace(sleep=sleep))


MAPS = 25_000
"""Regions of memory that a process may have mapped before compiled programs are let go; Linux ends it at 65,530."""


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """Let go of what tests compiled before it fills the process's table of mapped regions: each program has several."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MAPS:
        jax.clear_caches()
        gc.collect()


COMPILED_LIGHTLY = (
    "test_shared_networks",
    "test_darts",
    "test_nasnet",
    "test_nasbench101_space",
    "test_evolution_",
    "test_population_",
    "test_simulate",
    "test_genome_",
    "test_training_",
    "test_retraining",
    "test_reproductions",
    "test_search",
)
"""Tests of small programs, of which compiling is nearly all the time: they need not be optimised."""


@pytest.fixture(autouse=True, scope="module")
def light_compilation(request):
    """Leave most of XLA's optimisations out where they do not pay."""
    light = request.module.__name__.rpartition(".")[2].startswith(COMPILED_LIGHTLY)
    jax.config.update("jax_disable_most_optimizations", light)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
