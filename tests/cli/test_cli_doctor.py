"""`evonas doctor` says whether a search would run, and what to mend."""

from importlib.metadata import version

import jax
import pytest

from evonas.cli import doctor
from evonas.cli.main import MISTAKE


@pytest.fixture
def two_devices(monkeypatch):
    """Two of the tests' devices."""
    monkeypatch.setattr(jax, "local_devices", lambda: jax.devices()[:2])


@pytest.mark.usefixtures("two_devices")
def test_a_machine_in_order_trains_a_candidate_on_each_device(evonas_here, tmp_path):
    outcome = evonas_here("doctor", "--workdir", tmp_path / "new")
    assert outcome.code == 0, outcome
    lines = outcome.out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert f"jax {version('jax')}" in lines[0]
    trained = [line for line in lines if "candidate on device" in line]
    assert len(trained) == 2
    assert len({line.partition("accuracy")[2] for line in trained}) == 1
    assert float(trained[0].partition("accuracy")[2]) > 0.3  # of ten classes
    assert not (tmp_path / "new").exists()


@pytest.fixture
def quick(monkeypatch):
    """No candidates."""
    monkeypatch.setattr(doctor, "_candidates", lambda: iter(()))


@pytest.mark.usefixtures("quick")
def test_a_workdir_that_can_not_be_written_is_off(evonas_here, tmp_path):
    (tmp_path / "file").write_text("no directory")
    outcome = evonas_here("doctor", "--workdir", tmp_path / "file")
    assert outcome.code == MISTAKE
    assert "OFF  workdir" in outcome.out
    assert "FileExistsError" in outcome.out
    assert "give one that can be written" in outcome.out
    assert "1 of these are off" in outcome.err


@pytest.mark.usefixtures("quick")
def test_an_accelerator_that_jax_does_not_use_is_off(evonas_here, tmp_path, monkeypatch):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(doctor, "ACCELERATORS", {f"{tmp_path}/nvidia[0-9]*": ("GPU", "cuda13")})
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    outcome = evonas_here("doctor")
    assert outcome.code == MISTAKE
    assert 'a GPU is here that JAX does not use: pip install "jax[cuda13]"' in outcome.out


@pytest.mark.usefixtures("two_devices")
def test_devices_that_disagree_are_off(evonas_here, monkeypatch):
    train = doctor._train

    def other_on_the_second(device):
        measurement, seconds = train(device)
        changed = tuple(value + device.id for value in measurement.fitness)
        return measurement._replace(fitness=changed), seconds

    monkeypatch.setattr(doctor, "_train", other_on_the_second)
    outcome = evonas_here("doctor")
    assert outcome.code == MISTAKE
    assert "OFF  candidate on device 1" in outcome.out
    assert "devices before it found another" in outcome.out
