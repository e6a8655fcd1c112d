"""How evonas comes onto another machine."""

import importlib.metadata
import json
import pathlib
import sys

import pytest

from evonas.launch import installed_package


@pytest.fixture
def installed(monkeypatch):
    """A function that makes evonas look as installed from an origin; None: from a package index."""

    class Distribution:
        version = "0.1.0"
        requires = ("jax>=0.10.2", "etils[epath]>=1.13", 'torch>=2.6; extra == "benchmarks"')

        def __init__(self, origin):
            self.origin = origin

        def read_text(self, name):
            assert name == "direct_url.json"
            return self.origin and json.dumps({"url": self.origin, "dir_info": {}})

    def install(origin):
        monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Distribution(origin))
        monkeypatch.setattr(importlib.metadata, "version", {"jax": "0.10.2", "etils": "1.14.0"}.get)

    return install


def test_from_an_index_it_comes_by_its_version(installed):
    installed(None)
    package = installed_package()
    assert package.source is None
    assert package.wheel is None
    assert package.requirements("/opt/evonas") == ["jax[tpu]", "evonas[gcs]==0.1.0", "jax==0.10.2", "etils==1.14.0"]


def test_the_versions_are_those_of_here():
    package = installed_package()
    assert f"jax=={importlib.metadata.version('jax')}" in package.pins
    assert f"orbax-checkpoint=={importlib.metadata.version('orbax-checkpoint')}" in package.pins
    assert not [pin for pin in package.pins if pin.startswith(("torch", "gcsfs"))]
    assert package.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_from_a_clone_it_comes_as_a_wheel(installed, tmp_path):
    clone = tmp_path / "a clone"
    clone.mkdir()
    installed(clone.as_uri())
    package = installed_package()
    assert package.source == str(clone)
    assert package.requirements("/opt/evonas")[1] == "evonas[gcs] @ file:///opt/evonas/evonas-0.1.0-py3-none-any.whl"


def test_a_given_wheel_keeps_its_name(installed, tmp_path):
    installed(None)
    wheel = tmp_path / "evonas-0.2.0-py3-none-any.whl"
    wheel.touch()
    assert installed_package(str(wheel)).wheel == wheel.name


@pytest.mark.parametrize("origin", ["file:///nowhere/clone", "https://example.org/evonas.git"])
def test_a_clone_that_is_gone_is_not_taken(installed, origin):
    installed(origin)
    with pytest.raises(ValueError, match="give --package"):
        installed_package()


def test_the_wheel_has_the_scripts():
    # Hatch packs all of evonas/; the scripts have to lie in it.
    folder = pathlib.Path(importlib.import_module("evonas.launch").__file__).parent
    assert {path.name for path in folder.glob("*.sh")} == {"keeper.sh", "worker.sh"}
