"""The commands on a workdir in a bucket, in processes of their own, while the bucket's server fails now and then."""

import pytest
from etils import epath

from evonas.cli import devices
from evonas.preemption import AGAIN
from evonas.storage import write_whole

WORKDIR = "gs://bucket/run"


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_a_run_in_a_bucket_amid_failures_from_its_start_to_its_network(object_store, evonas_process):
    def call(*arguments):
        outcome = evonas_process(*arguments)
        assert outcome.code == 0, outcome
        return outcome.out

    with object_store.failing(0.03, 5):
        call("run", "pixels.py", "--workdir", WORKDIR, "--evaluations", "6")
        assert "6 of 6" in call("status", WORKDIR)
        call("resume", WORKDIR, "--evaluations", "10")
        assert f"{WORKDIR}: finished" in call("status", WORKDIR)
        best = call("best", WORKDIR)
        out = call("retrain", WORKDIR, "--epochs", "2")
    assert object_store.failed
    assert f'evonas.load_network("{WORKDIR}/retrain/network")' in out
    names = object_store.names()
    assert {"run/config.json", "run/experiment.py", "run/generations.json", "run/result.json"} <= {*names}
    assert "test" in best
    history = [name for name, _ in object_store.written if name.startswith("run/history/")]
    assert sorted(history) == sorted(set(history))
    assert "run/retrain/network/network.json" in names


@pytest.fixture
def without_candidates(monkeypatch):
    """The doctor's trainings take a minute, and say nothing of the workdir."""
    monkeypatch.setattr("evonas.cli.doctor._candidates", lambda: iter(()))


@pytest.mark.usefixtures("without_candidates")
def test_the_doctor_writes_reads_and_deletes_in_a_bucket(object_store, evonas_here):
    outcome = evonas_here("doctor", "--workdir", WORKDIR)
    assert outcome.code == 0, outcome
    assert f"{WORKDIR}: written, read and deleted in" in outcome.out
    assert object_store.names() == []


@pytest.mark.usefixtures("without_candidates")
def test_the_compiled_programs_in_a_bucket_are_bounded_when_a_command_starts(object_store, evonas_here, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "gs://bucket/compiled")
    monkeypatch.setattr(devices, "CACHE_BYTES", 3)
    write_whole(epath.Path("gs://bucket/compiled/program-cache"), b"1234")
    evonas_here("doctor")
    assert object_store.names() == []


def test_a_bucket_that_is_not_there_is_off(object_store, evonas_here):
    outcome = evonas_here("doctor", "--workdir", "gs://nowhere/run")
    assert outcome.code != 0
    assert "OFF  workdir" in outcome.out
    assert "there is no bucket nowhere: make it first" in outcome.out.replace("\n", " ")
    assert object_store.names() == []


def test_a_bucket_without_a_run_is_one_sentence(object_store, evonas_here):
    outcome = evonas_here("status", WORKDIR)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "gs://bucket/run/config.json does not exist: is gs://bucket/run the workdir of a run?" in outcome.err
    assert object_store.names() == []


@pytest.mark.usefixtures("quick_retries")
def test_an_outage_is_one_sentence(object_store, evonas_here, monkeypatch, caplog):
    monkeypatch.setattr("evonas.object_store.PATIENCE", 0.1)
    with object_store.failing(1.0, seed=0):
        outcome = evonas_here("status", WORKDIR)
    assert (outcome.code, outcome.err.count("\n")) == (AGAIN, 1)
    assert "gs://bucket/run/config.json can't be read: the store does not answer (" in outcome.err
    assert not [record for record in caplog.records if record.name == "gcsfs"]
