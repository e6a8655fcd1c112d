"""``evonas reproduce`` and ``evonas tables``, as a person calls them."""

import numpy as np
import pytest

from evonas.cli.main import run_command
from evonas.reproductions import REPRODUCTIONS, Outcome
from evonas.tables import nasbench201


def test_the_list_names_every_experiment(capsys):
    assert run_command(["reproduce", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in REPRODUCTIONS)


def test_help_says_what_an_experiment_is(capsys, monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "8")
    with pytest.raises(SystemExit, match="0"):
        run_command(["reproduce", "amoebanet", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "Runs the retraining of AmoebaNet-A and NASNet-A on CIFAR-10; needs CIFAR-10; 14 minutes" in shown
    assert "Real et al. 2019" in shown
    assert "--workdir" in shown


def test_an_experiment_writes_what_it_found_and_pages_are_made_of_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "8")
    arguments = ["--repeats", "8", "--dimensions", "20", "--cycles", "150", "--workdir", str(tmp_path / "toy")]
    assert run_command(["reproduce", "toy", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "0.909 +- 0.019" in shown
    outcome = Outcome.from_json((tmp_path / "toy" / "outcome.json").read_text())
    assert outcome.name == "toy"
    assert outcome.command == "evonas reproduce toy --repeats 8 --dimensions 20 --cycles 150 --workdir DIR"
    assert (tmp_path / "toy" / "curves.png").exists()
    page = tmp_path / "reproduction.md"
    assert run_command(["reproduce", "--page", str(page), str(tmp_path / "toy")]) == 0
    assert "## toy" in page.read_text()
    assert "![toy](reproduction_toy.png)" in page.read_text()
    assert (tmp_path / "reproduction_toy.png").exists()
    assert run_command(["reproduce", "--page", str(page), *[str(tmp_path / "toy")] * 2]) == 2
    assert "a page has each experiment once, got toy, toy" in capsys.readouterr().err


def test_the_shown_command_names_no_files_of_this_machine(shared, tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "8")
    table = str(shared / "data/nas_tables/nasbench201.npz")
    arguments = [f"--table={table}", "--repeats", "8", "--seconds", "1500", "--workdir", str(tmp_path)]
    assert run_command(["reproduce", "nasbench201", *arguments]) == 0
    outcome = Outcome.from_json((tmp_path / "outcome.json").read_text())
    assert outcome.command == "evonas reproduce nasbench201 --table TABLE --repeats 8 --seconds 1500 --workdir DIR"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reproduce", "nothing"], "there is no experiment 'nothing'; expected one of toy"),
        (["reproduce", "nothing"], "evonas reproduce --list says what each is"),
        (["reproduce", "--page", "page.md"], "expected a file and one or more workdirs"),
        (["tables", "convert", "somewhere"], "expected: convert FROM TO.npz"),
        (["tables", "convert", "somewhere", "else.txt"], "the compact form is an .npz file"),
        (["tables", "convert", "nowhere", "else.npz"], "nowhere does not exist"),
    ],
)
def test_mistakes_get_a_sentence(arguments, message, capsys):
    assert run_command(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_converted_table_is_the_table(shared, tmp_path, capsys):
    source, made = shared / "data/nas_tables/nasbench201.npz", tmp_path / "compact.npz"
    assert run_command(["tables", "convert", str(source), str(made)]) == 0
    assert "15625 architectures" in capsys.readouterr().out
    for column in ("val_acc_12", "test_acc_200"):
        np.testing.assert_array_equal(nasbench201(made, column), nasbench201(source, column))
