"""Compiled programs are kept for the session: many searches here compile the same few."""

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

CACHE = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory):
    """The directory of compiled programs."""
    directory = tmp_path_factory.mktemp("compiled")
    settings = CACHE | {"jax_compilation_cache_dir": str(directory)}
    before = {name: getattr(jax.config, name) for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield directory
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def process_environment(compiled_programs):
    """Environment variables of a process that shares the compiled programs."""
    import os

    shared = {name.upper(): str(value) for name, value in CACHE.items()}
    return os.environ | shared | {"JAX_COMPILATION_CACHE_DIR": str(compiled_programs), "JAX_PLATFORMS": "cpu"}
