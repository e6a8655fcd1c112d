"""`evonas report` and `evonas compare`: what they write, and the mistakes they name."""

import json
import re
import shlex
import shutil
import sys

import evonas.cli.commands
from evonas.cli.again import search_again


def data_in(path):
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.S)[1])


def test_a_report_is_written_into_the_workdir(evonas_here, finished):
    outcome = evonas_here("report", "w")
    assert outcome.code == 0, outcome
    assert "w/report.html" in outcome.out
    table = data_in(finished / "report.html")["table"]["columns"]
    assert sorted(table[0]["values"]) == list(range(10))
    text = (finished / "report.html").read_text()
    assert "; 95 % interval" in text  # the data are here: their number is known
    assert "evonas retrain w --candidate" in text


def test_a_report_is_written_where_output_says(evonas_here, finished, tmp_path):
    assert evonas_here("report", "w", "--output", "pages/new.html").code == 0
    assert data_in(tmp_path / "pages" / "new.html")["figures"]
    assert not (finished / "report.html").exists()


def test_the_command_that_finds_the_best_again_has_the_settings_of_the_run(evonas_here, finished, monkeypatch):
    config = json.loads((finished / "config.json").read_text())
    config["training"] |= {"epochs": 7, "nesterov": False, "objectives": ["accuracy", "parameters"]}
    config["algorithm"]["reproduce"]["sample_size"] = 3
    config["seed"] = 5
    (finished / "config.json").write_text(json.dumps(config))
    command = shlex.split(search_again("w"))
    searched = []
    monkeypatch.setattr(
        evonas.cli.commands, "_search", lambda experiment, *rest: searched.append((experiment, rest[0]))
    )
    assert evonas_here(*command[1:]).code == 0
    experiment, workdir = searched[0]
    assert workdir == "w-again"
    assert (experiment.seed, experiment.training.epochs, experiment.training.nesterov) == (5, 7, False)
    assert experiment.training.objectives == ("accuracy", "parameters")
    assert experiment.algorithm.reproduce.sample_size == 3
    assert experiment.evaluations == 10


def test_a_run_with_the_settings_of_its_file_is_found_again_by_the_file_alone(finished):
    assert finished.name == "w"
    assert search_again("w") == "evonas run w/experiment.py --workdir w-again"


def test_repeats_and_other_settings_are_told_apart(evonas_here, finished, tmp_path):
    for name, changes in {"w2": {"seed": 1}, "w3": {"batch_size": 5}, "w4": {"batch_size": 5, "seed": 1}}.items():
        shutil.copytree(finished, tmp_path / name)
        config = json.loads((finished / "config.json").read_text())
        (tmp_path / name / "config.json").write_text(json.dumps(config | changes))
    outcome = evonas_here("compare", "w", "w2", "w3", "w4")
    assert outcome.code == 0, outcome
    columns = {column["name"]: column["values"] for column in data_in(tmp_path / "comparison.html")["table"]["columns"]}
    assert columns["setting"] == ["batch_size 4"] * 2 + ["batch_size 5"] * 2
    assert columns["seed"] == [0, 1, 0, 1]
    assert "too few runs" in (tmp_path / "comparison.html").read_text()


def test_one_run_is_nothing_to_compare(evonas_here, finished):
    del finished
    outcome = evonas_here("compare", "w")
    assert outcome.code == 2
    assert "two or more different runs" in outcome.err


def test_a_run_without_a_result_has_no_report_yet(evonas_here, finished):
    shutil.rmtree(finished / "history")
    outcome = evonas_here("report", "w")
    assert outcome.code == 2
    assert "has a fitness yet" in outcome.err


def test_a_missing_package_is_named_with_the_extra_that_has_it(evonas_here, finished, monkeypatch):
    del finished
    monkeypatch.setitem(sys.modules, "plotly", None)
    outcome = evonas_here("report", "w")
    assert outcome.code == 2
    assert 'pip install "evonas[report]"' in outcome.err


def test_data_that_are_gone_cost_the_interval_alone(evonas_here, finished):
    config = json.loads((finished / "config.json").read_text())
    (finished / "config.json").write_text(json.dumps(config | {"data_fingerprint": "0"}))
    assert evonas_here("report", "w").code == 0
    text = (finished / "report.html").read_text()
    assert "; 95 % interval" not in text
    assert "no interval: the data could not be read" in text
