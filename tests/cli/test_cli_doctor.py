"""`evonas doctor` says whether a search would run, and what to mend."""

from importlib.metadata import version

import jax
import pytest

from evonas.cli import doctor
from evonas.cli.main import MISTAKE


@pytest.fixture(autouse=True)
def three_devices(monkeypatch):
    """Of the tests' devices, on a machine without others."""
    devices = jax.local_devices()[:3]
    monkeypatch.setattr(jax, "local_devices", lambda: devices)
    monkeypatch.setattr(doctor, "GPUS", "/nowhere/nvidia")
    monkeypatch.setattr(doctor, "PCI", "/nowhere")


@pytest.fixture
def quick(monkeypatch):
    """No candidates."""
    monkeypatch.setattr(doctor, "_candidates", lambda: iter(()))


def test_a_machine_in_order_trains_a_candidate_on_each_device(evonas_here, tmp_path):
    outcome = evonas_here("doctor", "--workdir", tmp_path / "new" / "run")
    assert outcome.code == 0, outcome
    lines = outcome.out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert f"jax {version('jax')}" in lines[0]
    trained = [line for line in lines if "candidate on device" in line]
    assert len(trained) == 3
    assert len({line.partition("accuracy")[2] for line in trained}) == 1
    assert float(trained[0].partition("accuracy")[2]) > 0.3  # of ten classes
    assert list((tmp_path / "new" / "run").iterdir()) == []


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
@pytest.mark.parametrize(("vendor", "number", "is_tpu"), [("0x1ae0", "0x0063", True), ("0x1ae0", "0x0042", False)])
def test_a_tpu_that_jax_does_not_use_is_off(vendor, number, is_tpu, evonas_here, tmp_path, monkeypatch):
    """Google's network card, the other one, is no TPU."""
    (tmp_path / "0000:00:04.0").mkdir()
    (tmp_path / "0000:00:04.0" / "vendor").write_text(f"{vendor}\n")
    (tmp_path / "0000:00:04.0" / "device").write_text(f"{number}\n")
    monkeypatch.setattr(doctor, "PCI", str(tmp_path))
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    outcome = evonas_here("doctor")
    assert ('a TPU is here that JAX does not use: pip install "jax[tpu]"' in outcome.out) == is_tpu
    assert outcome.code == (MISTAKE if is_tpu else 0)


@pytest.mark.usefixtures("quick")
def test_a_gpu_that_jax_does_not_use_is_off(evonas_here, tmp_path, monkeypatch):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(doctor, "GPUS", f"{tmp_path}/nvidia[0-9]*")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    outcome = evonas_here("doctor")
    assert outcome.code == MISTAKE
    assert 'a GPU is here that JAX does not use: pip install "jax[cuda13]"' in outcome.out


def test_a_platform_that_can_not_be_started_is_off(evonas_process):
    outcome = evonas_process("doctor", JAX_PLATFORMS="nonesuch")
    assert outcome.code == MISTAKE
    assert "ok   cache" in outcome.out
    assert "OFF  devices" in outcome.out
    assert "nonesuch" in outcome.out
    assert "JAX_PLATFORMS=cpu" in outcome.out


@pytest.mark.parametrize("other", [0, 1])
def test_the_one_device_that_finds_another_result_is_off(evonas_here, monkeypatch, other):
    train, off = doctor._train, jax.local_devices()[other]

    def other_on_one(device):
        measurement, seconds = train(device)
        changed = {name: value + (device == off) for name, value in measurement.metrics.items()}
        return measurement._replace(metrics=changed), seconds

    monkeypatch.setattr(doctor, "_train", other_on_one)
    outcome = evonas_here("doctor")
    assert outcome.code == MISTAKE
    assert [line[:3] for line in outcome.out.splitlines() if "compiled in" in line] == [
        "OFF" if device == other else "ok " for device in range(3)
    ]
    assert "others of its kind found another" in outcome.out


def test_devices_that_fail_do_not_condemn_the_one_that_does_not(evonas_here, monkeypatch):
    train, sound = doctor._train, jax.local_devices()[0]

    def fail_on_others(device):
        if device != sound:
            raise jax.errors.JaxRuntimeError("INTERNAL: the device is gone")
        return train(device)

    monkeypatch.setattr(doctor, "_train", fail_on_others)
    outcome = evonas_here("doctor")
    assert outcome.code == MISTAKE
    lines = [line for line in outcome.out.splitlines() if "candidate on device" in line]
    assert [line[:3] for line in lines] == ["ok ", "OFF", "OFF"]
    assert "INTERNAL: the device is gone" in lines[1]
