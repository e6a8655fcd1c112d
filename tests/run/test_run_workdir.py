"""A workdir takes one run, of one process; what does not belong there is refused and nothing is changed."""

import dataclasses
import fcntl
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from etils import epath
from run_cases import SPACE, Counting, files_in, fitness, history, search

import evonas
from evonas.run import RunLog
from evonas.run.workdir import Workdir, is_running


def arrays(value):
    inputs = np.arange(40 * 12, dtype=np.float32).reshape(40, 12) % 7
    inputs[0, 0] = value
    return evonas.data.Arrays(inputs, np.arange(40) % 2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run's files."""
    directory = tmp_path_factory.mktemp("finished")
    search(directory, 7)
    return files_in(directory)


@pytest.fixture
def workdir(finished, tmp_path):
    for name, content in finished.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": evonas.spaces.BitString(dim=13)}, "space was .*12.* now .*13|dim was 12, now 13"),
        ({"space": evonas.spaces.NASBench201()}, "type was .*BitString.*, now .*NASBench201"),
        ({"seed": 4}, "seed was 3, now 4"),
        ({"algorithm": evonas.regularized_evolution(7, 3)}, "population_size was 6, now 7"),
        ({"batch_size": 4}, "batch_size was 5, now 4"),
        ({"duplicates": "allow"}, 'duplicates was "resample", now "allow"'),
        ({"fitness": None, "data": arrays(1.0)}, "data was null"),
    ],
)
def test_a_workdir_of_another_search_is_refused_and_left_alone(workdir, changes, message):
    before, counting = files_in(workdir), Counting()
    if "fitness" not in changes:
        changes = changes | {"fitness": counting}
    with pytest.raises(ValueError, match=message) as caught:
        search(workdir, 9, **changes)
    assert "use a new workdir, or the old settings" in str(caught.value)
    assert str(workdir) in str(caught.value)
    assert files_in(workdir) == before
    assert not counting.ids


def test_a_run_begun_before_a_setting_was_there_goes_on(tmp_path):
    settings = {"data": arrays(1), "fitness": None, "space": evonas.spaces.MLP(1, (4,)), "algorithm": None}
    search(tmp_path, 1, **settings, batch_size=1, training=evonas.Training(epochs=1))
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    del config["training"]["nesterov"]
    path.write_text(json.dumps(config))
    search(tmp_path, 1, **settings, batch_size=1, training=evonas.Training(epochs=1))
    with pytest.raises(ValueError, match="nesterov was true, now false"):
        search(tmp_path, 1, **settings, batch_size=1, training=evonas.Training(epochs=1, nesterov=False))


def test_a_history_of_another_search_is_noticed_even_without_its_configuration(workdir):
    (workdir / "config.json").unlink()
    before = files_in(workdir / "history")
    with pytest.raises(ValueError, match="belongs to another search"):
        search(workdir, 9, seed=4)
    assert files_in(workdir / "history") == before
    (workdir / "config.json").unlink()
    assert history(search(workdir, 9)) == history(search(None, 9))


def test_changed_data_are_refused_by_their_fingerprint(tmp_path, monkeypatch):
    # The settings are checked before anything is trained: the evaluator only has to be there.
    from evonas.run import experiment

    class Counts(experiment.FunctionEvaluator):
        def __init__(self, *_, **__):
            super().__init__(fitness)

    monkeypatch.setattr(experiment, "TrainingEvaluator", Counts)
    settings = {"evaluations": 3, "workdir": tmp_path, "batch_size": 5}
    evonas.search(SPACE, arrays(1.0), evonas.random_search(6), **settings)
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match=r'data_fingerprint was "\w+", now "\w+"'):
        evonas.search(SPACE, arrays(2.0), evonas.random_search(6), **settings)
    assert files_in(tmp_path) == before
    evonas.search(SPACE, arrays(1.0), evonas.random_search(6), **settings)


BROKEN = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "a list": lambda _: "[1, 2]",
    "a number": lambda _: "5",
    "not text": lambda text: text + "\x00",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_configuration_is_named_and_left_alone(workdir, kind):
    path = workdir / "config.json"
    path.write_text(BROKEN[kind](path.read_text()))
    before = files_in(workdir)
    with pytest.raises(ValueError, match=r"config.json is damaged \(.*\): restore it, or start a new workdir"):
        search(workdir, 9)
    assert files_in(workdir) == before


NO_NUMBER = {
    "missing": "it lacks the number of evaluations",
    "many": 'expected an integer for evaluations, got "many"',
    None: "expected an integer for evaluations, got null",
    7.5: "expected an integer for evaluations, got 7.5",
    True: "expected an integer for evaluations, got true",
}


@pytest.mark.parametrize("value", NO_NUMBER)
def test_a_configuration_without_a_number_of_evaluations_is_named_and_left_alone(workdir, value):
    path = workdir / "config.json"
    config = json.loads(path.read_text()) | {"evaluations": value}
    if value == "missing":
        del config["evaluations"]
    path.write_text(json.dumps(config))
    before, counting = files_in(workdir), Counting()
    with pytest.raises(ValueError, match=r"config.json is damaged .*: restore it, or start a new workdir") as caught:
        search(workdir, 9, fitness=counting)
    assert NO_NUMBER[value] in str(caught.value)
    place = Workdir(workdir)
    for refuses in (place.check, place.keep):
        with pytest.raises(ValueError, match=r"config.json is damaged"):
            refuses({"evaluations": 9})
    place.close()
    assert files_in(workdir) == before
    assert not counting.ids


def test_a_damaged_history_is_refused_before_the_configuration_is_changed(workdir):
    (workdir / "history" / "000000005.jsonl").write_text("?")
    before = files_in(workdir)
    with pytest.raises(ValueError, match=r"000000005.jsonl is damaged"):
        search(workdir, 9)
    assert files_in(workdir) == before


def test_a_file_in_the_place_of_a_workdir_is_left_alone(tmp_path):
    file = tmp_path / "file"
    file.write_text("precious")
    for place in (file, file / "below", file / "far" / "below"):
        with pytest.raises(ValueError, match="can't be a workdir: it, or a part of its path, is a file"):
            search(place)
    assert file.read_text() == "precious"


def test_a_second_process_on_a_workdir_is_refused(workdir):
    code = """
import sys
import evonas
try:
    evonas.run.workdir.Workdir(sys.argv[1])
except ValueError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(workdir)]
    place = Workdir(workdir)
    assert is_running(workdir)
    assert f"another process is running in {workdir}" in subprocess.check_output(command, text=True)
    place.close()
    place.close()
    assert not is_running(workdir)
    assert subprocess.check_output(command, text=True) == ""


def test_a_run_starts_while_another_process_asks_whether_it_does(workdir, monkeypatch):
    asking = (workdir / ".lock").open("rb")
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: asking.close())
    assert len(search(workdir, 9).evaluations) == 9


def test_a_new_workdir_is_on_disk_before_anything_is_written_into_it(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))
    place = Workdir(tmp_path / "runs" / "first")
    assert sorted(synced) == sorted([tmp_path.stat().st_ino, (tmp_path / "runs").stat().st_ino])
    place.close()


def test_a_search_that_failed_lets_go_of_its_workdir(tmp_path):
    def breaks(candidates):
        assert is_running(tmp_path)
        raise ZeroDivisionError(len(candidates))

    with pytest.raises(ZeroDivisionError):
        search(tmp_path, fitness=breaks)
    assert not is_running(tmp_path)


def test_a_workdir_that_is_not_there_does_not_run(tmp_path):
    assert is_running(tmp_path / "nowhere") is False
    assert is_running("gs://bucket/run") is None


def described(workdir, data="digits", **settings):
    """A workdir whose configuration is that of an experiment."""
    experiment = evonas.Experiment(SPACE, data, evonas.random_search(6), **settings)
    config = {field.name: getattr(experiment, field.name) for field in dataclasses.fields(experiment)}
    config = {name: evonas.description.describe(value) for name, value in config.items()}
    (workdir / "config.json").write_text(json.dumps({"format": 1} | config))
    return experiment


def test_an_experiment_comes_back_from_its_workdir(tmp_path):
    experiment = described(tmp_path, training=evonas.Training(objectives=("accuracy",), epochs=3), seed=9)
    assert evonas.Experiment.of_workdir(tmp_path) == experiment


@pytest.mark.parametrize(
    "field", ["space", "data", "algorithm", "training", "evaluations", "batch_size", "duplicates", "seed", "format"]
)
@pytest.mark.parametrize("value", [None, "many", 2.5, [1], {"type": 7}, {"type": "evonas.types:Failure"}, "missing"])
def test_a_setting_of_a_wrong_type_in_a_configuration_is_one_sentence(tmp_path, field, value):
    described(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {field: value}
    if value == "missing":
        del config[field]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        evonas.Experiment.of_workdir(tmp_path)


def test_a_run_of_own_python_objects_says_how_to_continue(workdir):
    with pytest.raises(ValueError, match="run that program again"):
        evonas.Experiment.of_workdir(workdir)


def test_drafts_of_a_killed_process_are_removed_by_the_next_but_not_by_a_reader(workdir):
    places = ("history/000000005.jsonl", "config.json", "experiment.py", "generations.json", "result.json")
    drafts = [workdir / f"{place}.4711.part" for place in places]
    for draft in drafts:
        draft.write_bytes(b'{"id": 5')
    assert len(RunLog(epath.Path(workdir / "history"))) == 7
    assert all(draft.exists() for draft in drafts)
    assert len(search(workdir, 9).evaluations) == 9
    assert not any(draft.exists() for draft in drafts)


def test_foreign_files_in_a_workdir_are_left_alone(workdir):
    foreign = [workdir / name for name in ("film.part", "film.001.part", "my.config.json.part", "notes.txt")]
    for path in foreign:
        path.write_text("precious")
    search(workdir, 9)
    assert [path.read_text() for path in foreign] == ["precious"] * 4
