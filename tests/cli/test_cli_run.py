"""`evonas run`, `resume`, `status`, `best` and `retrain`, from the first command to a network in memory."""

import json
import pathlib
import re
import shutil
import signal
import time

import numpy as np
import pytest

import evonas
from evonas.cli import commands
from evonas.cli.config_file import load_module

ROOT = pathlib.Path(__file__).parents[2]
LONG = ["--evaluations", "600"]  # some seconds, if nobody stops it


def evaluations_in(workdir):
    """Every line of a history by its id, times aside."""
    lines = [json.loads(line) for path in (workdir / "history").iterdir() for line in path.read_text().splitlines()]
    assert len({line["id"] for line in lines}) == len(lines)
    return {line["id"]: {name: line[name] for name in line if name not in ("seconds", "finished")} for line in lines}


def wait_for_evaluations(workdir, process, files=1):
    while len(list(workdir.glob("history/*.jsonl"))) < files:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def facts_in(text):
    """Names and values of lines such as ``  evaluations   10``."""
    return dict(match.groups() for match in re.finditer(r"^  (\S[^\n]*?)  +(\S[^\n]*)$", text, re.MULTILINE))


class Captured(Exception):  # noqa: N818
    """Ends a command where its search would begin."""


def test_every_field_can_be_overridden(evonas_here, monkeypatch, tmp_path):
    def capture(experiment, workdir, callbacks):
        assert callbacks
        raise Captured(experiment, workdir)

    monkeypatch.setattr(commands, "run_experiment", capture)
    file = ROOT / "experiments" / "digits.py"
    with pytest.raises(Captured) as caught:
        evonas_here(
            "run", file, "--space.channels", "6", "--training.epochs", "2", "--algorithm.population-size", "7",
            "--algorithm.reproduce.sample-size", "3", "--data.limit", "99", "--evaluations", "11", "--seed", "5",
            "--duplicates", "reuse", "--training.objectives", "macro_f1", "--workdir", tmp_path / "elsewhere",
        )  # fmt: skip
    experiment, workdir = caught.value.args
    assert experiment.space == evonas.spaces.NASBench201(channels=6, cells_per_stage=1)
    assert (experiment.training.epochs, experiment.training.objectives) == (2, ("macro_f1",))
    assert experiment.training.learning_rate == load_module(file).config().training.learning_rate
    assert experiment.algorithm == evonas.regularized_evolution(population_size=7, sample_size=3)
    assert experiment.data == evonas.data.Digits(limit=99)
    assert (experiment.evaluations, experiment.seed, experiment.duplicates) == (11, 5, "reuse")
    assert workdir == str(tmp_path / "elsewhere")
    with pytest.raises(Captured) as caught:
        evonas_here("run", file)
    assert caught.value.args == (load_module(file).config(), "runs/digits")


def test_a_run_leaves_its_files(finished):
    assert {path.name for path in finished.iterdir()} == {
        ".lock", "config.json", "experiment.py", "generations.json", "history", "result.json", "timeline",
    }  # fmt: skip
    assert sorted(evaluations_in(finished)) == list(range(10))
    config = json.loads((finished / "config.json").read_text())
    assert (config["evaluations"], config["space"]["type"]) == (10, "experiment:Pixels")
    assert (finished / "experiment.py").read_text() == (finished.parent / "pixels.py").read_text()
    generations = json.loads((finished / "generations.json").read_text())
    assert [generation["evaluations"] for generation in generations] == [4, 8]
    result = json.loads((finished / "result.json").read_text())
    evaluations = evaluations_in(finished)
    assert evaluations[result["best"]]["fitness"] == max(line["fitness"] for line in evaluations.values())
    assert result["architecture"] == evaluations[result["best"]]["architecture"]
    assert 0 < result["test"]["accuracy"] <= 1


def test_a_finished_run_shows_its_result_again_and_trains_nothing(evonas_here, finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    # A number that no training gives: what is shown was not measured again.
    result = (finished / "result.json").read_text()
    accuracy = json.loads(result)["test"]["accuracy"]
    before[finished / "result.json"] = result.replace(str(accuracy), "0.123456").encode()
    (finished / "result.json").write_bytes(before[finished / "result.json"])
    for command in (["run", "pixels.py", "--workdir", "w"], ["resume", "w"]):
        outcome = evonas_here(*command)
        assert outcome.code == 0, outcome
        facts = facts_in(outcome.out)
        assert facts["test"].startswith("accuracy 0.1235")
        assert facts["compile seconds"].startswith("0.0 for 0 program(s)")
        assert facts["evaluations"] == "10"
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_status_and_best_show_a_finished_run(evonas_here, finished):
    status, best = evonas_here("status", "w"), evonas_here("best", "w")
    assert status.code == best.code == 0
    assert "w: finished" in status.out
    evaluations, result = evaluations_in(finished), json.loads((finished / "result.json").read_text())
    winner = evaluations[result["best"]]
    facts = facts_in(status.out)
    assert facts["evaluations"] == "10 of 10"
    assert facts["best fitness"].split()[0] == f"{winner['fitness'][0]:.4f}"
    assert facts["failed"] == "none"
    for outcome in (status, best):
        assert f"(candidate {winner['id']})" in outcome.out
        assert winner["architecture"] in outcome.out
    assert f"accuracy {result['test']['accuracy']:.4f}" in facts_in(best.out)["test"]
    assert facts_in(best.out)["parameters"] == f"{winner['metrics']['parameters']:,}"


def test_paths_are_shown_whole_and_to_be_copied(evonas_here, finished):
    place = finished.parent / ("a [red]place[/red] with a long name " * 3).strip() / "w"
    shutil.copytree(finished, place)
    sorted((place / "history").iterdir())[-1].unlink()
    outcome = evonas_here("status", place)
    assert f"{place}: stopped\n" in outcome.out
    assert f"continue it with: evonas resume '{place}'\n" in outcome.out


def test_a_run_goes_on_from_its_workdir_alone(evonas_process, finished):
    before = evaluations_in(finished)
    (finished.parent / "pixels.py").unlink()
    outcome = evonas_process("resume", "w", "--evaluations", "13", "--cpu-devices", "2")
    assert outcome.code == 0, outcome
    assert "resuming: 10 of 13 evaluations are there" in outcome.out
    after = evaluations_in(finished)
    assert sorted(after) == list(range(13))
    assert before.items() <= after.items()
    assert json.loads((finished / "config.json").read_text())["evaluations"] == 13
    assert not (finished / "__pycache__").exists()


def test_the_experiment_file_may_change_once_the_run_is_there(evonas_here, finished):
    text = (finished.parent / "pixels.py").read_text()
    (finished.parent / "pixels.py").write_text(text + "\n# a remark\n")
    assert evonas_here("run", "pixels.py", "--workdir", "w").code == 0
    assert (finished / "experiment.py").read_text() == text


ARRAYS = """
import evonas
from sklearn.datasets import load_digits

def config():
    images, labels = load_digits(return_X_y=True)
    return evonas.Experiment(
        space=evonas.spaces.BitString(dim=64), data=(images[:200], labels[:200]),
        algorithm=evonas.regularized_evolution(population_size=4, sample_size=2),
        training=evonas.Training(epochs=1), evaluations=5, batch_size=4,
    )
"""


def test_the_beginning_of_a_run_is_shown_with_its_own_best(evonas_here, finished):
    fitness = [line["fitness"] for _, line in sorted(evaluations_in(finished).items())]
    best = max(range(5), key=lambda number: fitness[number])
    outcome = evonas_here("resume", "w", "--evaluations", "5")
    assert "10 evaluations are there: what follows is of the first 5" in outcome.out
    assert f"train it for good with: evonas retrain w --candidate {best}\n" in outcome.out
    founders = np.array(fitness[:4])[:, 0]
    assert facts_in(outcome.out)["random founders"].startswith(f"fitness of the best {founders.max():.4f}, mean")


def test_a_run_of_arrays_is_continued_shown_and_retrained_from_its_workdir_alone(evonas_here, folder):
    (folder / "own.py").write_text(ARRAYS)
    assert evonas_here("run", "own.py", "--workdir", "w").code == 0
    (folder / "own.py").unlink()
    assert "evonas resume w" not in evonas_here("status", "w").out
    outcome = evonas_here("resume", "w", "--evaluations", "7")
    assert outcome.code == 0, outcome
    assert facts_in(outcome.out)["test"] == "no test data"
    assert "linear: " in evonas_here("best", "w").out
    outcome = evonas_here("retrain", "w", "--epochs", "1")
    assert outcome.code == 0, outcome
    assert facts_in(outcome.out)["validation"].startswith("accuracy")


def test_data_that_have_changed_are_not_trained_on(evonas_here, finished):
    text = (finished / "experiment.py").read_text()
    (finished / "experiment.py").write_text(text.replace("images[: self.limit]", "images[: self.limit] + 1"))
    outcome = evonas_here("retrain", "w")
    assert outcome.code == 2
    assert outcome.err == "evonas: the data 'flat digits' have changed since the run in w: restore them\n"


def test_the_pareto_front_of_several_objectives_is_shown(evonas_here, folder):
    (folder / "own.py").write_text(
        ARRAYS.replace("regularized_evolution(population_size=4, sample_size=2)", "nsga2(population_size=4)").replace(
            "Training(epochs=1)", 'Training(epochs=1, objectives=("accuracy", "parameters"))'
        )
    )
    outcome, best = evonas_here("run", "own.py", "--workdir", "w"), evonas_here("best", "w")
    assert outcome.code == best.code == 0, outcome
    assert "on arrays: 180 train, 20 validation examples of shape 64\n" in outcome.out
    fitness = {number: line["fitness"] for number, line in evaluations_in(folder / "w").items()}
    dominated = {
        a for a in fitness for b in fitness
        if fitness[b] != fitness[a] and all(x >= y for x, y in zip(fitness[b], fitness[a], strict=True))
    }  # fmt: skip
    for text in (outcome.out, best.out):
        shown = [
            int(line.split(":")[0]) for line in text.partition("Pareto front")[2].splitlines()[1:] if ":" in line[:10]
        ]
        assert sorted(shown) == sorted(fitness.keys() - dominated)


def test_a_run_of_a_python_program_is_shown_and_says_how_it_goes_on(evonas_here, folder):
    def search(evaluations):
        evonas.search(
            evonas.spaces.BitString(dim=8), algorithm=evonas.regularized_evolution(population_size=4, sample_size=2),
            fitness=stop_at(evaluations), evaluations=20, batch_size=5, workdir=folder / "w",
        )  # fmt: skip

    def stop_at(evaluations):
        def fitness(candidates):
            if candidates.ids[0] >= evaluations:
                raise Captured
            return candidates.genomes.sum(1)

        return fitness

    with pytest.raises(Captured):
        search(10)
    status = evonas_here("status", "w")
    assert "w: stopped" in status.out
    assert "continue it with: the Python program that made it\n" in status.out
    best = evonas_here("best", "w")
    assert best.code == 0
    assert float(facts_in(best.out)["fitness"]) == float(facts_in(status.out)["best fitness"].split()[0])
    for command in ("resume", "retrain"):
        assert "was made by a Python program with data or a fitness of its own" in evonas_here(command, "w").err
    search(20)
    assert "w: finished" in evonas_here("status", "w").out


def test_an_experiment_file_may_compute_with_jax_and_import_what_lies_beside_it(evonas_process, folder, monkeypatch):
    for name in ("JAX_NUM_CPU_DEVICES", "XLA_FLAGS"):
        monkeypatch.delenv(name, raising=False)
    (folder / "beside.py").write_text(
        "import jax.numpy as jnp\nimport numpy as np\nLABELS = np.array(jnp.arange(200)) % 3\n"
    )
    text = ARRAYS.replace("def config():\n", "def config():\n    from beside import LABELS\n")
    (folder / "own.py").write_text(text.replace("labels[:200]", "LABELS"))
    outcome = evonas_process("run", "own.py", "--workdir", "w")
    assert outcome.code == 0, outcome
    outcome = evonas_process("run", "own.py", "--workdir", "w2", "--cpu-devices", "3")
    assert outcome.code == 2
    assert "set the environment variable JAX_NUM_CPU_DEVICES=3 instead" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.slow
def test_a_run_is_interrupted_and_finished_by_the_same_command(start, evonas_here, evonas_process, folder):
    command = ["run", "pixels.py", "--cpu-devices", "2", *LONG]
    workdir = folder / "runs" / "pixels"
    process = start(*command)
    wait_for_evaluations(workdir, process, files=3)
    process.send_signal(signal.SIGSTOP)  # else a fast machine is done before it is interrupted
    running = evonas_here("status", workdir)
    assert f"{workdir}: running" in running.out
    assert "continue it" not in running.out
    assert f"another process is running in {workdir}" in evonas_here("resume", workdir).err
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert (
        "stopped; all evaluations are kept: continue with: evonas run pixels.py --cpu-devices 2 --evaluations 600\n"
        in out
    )
    assert "Traceback" not in out + err
    known = evaluations_in(workdir)
    assert 6 <= len(known) < 600
    stopped = evonas_here("status", workdir)
    assert f"{workdir}: stopped" in stopped.out
    assert facts_in(stopped.out)["evaluations"] == f"{len(known)} of 600"
    assert f"continue it with: evonas resume {workdir}" in stopped.out

    outcome = evonas_process(*command)
    assert outcome.code == 0, outcome
    assert f"resuming: {len(known)} of 600" in outcome.out
    after = evaluations_in(workdir)
    assert sorted(after) == list(range(600))
    assert known.items() <= after.items()
    assert f"{workdir}: finished" in evonas_here("status", workdir).out


@pytest.mark.slow
def test_real_training_has_the_same_history_on_one_two_four_and_eight_devices(evonas_process, finished):
    expected = evaluations_in(finished)  # on two
    for devices in (1, 4, 8):
        outcome = evonas_process("run", "pixels.py", "--workdir", str(devices), "--cpu-devices", str(devices))
        assert outcome.code == 0, outcome
        assert evaluations_in(finished.parent / str(devices)) == expected
        result = json.loads((finished.parent / str(devices) / "result.json").read_text())
        assert result == json.loads((finished / "result.json").read_text())


@pytest.mark.slow
def test_the_best_is_retrained_resumed_and_loaded(start, evonas_process, finished):
    command = ["retrain", "w", "--epochs", "40"]
    process = start(*command, PYTHONUNBUFFERED="1")
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith("epoch    3/40"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    outcome = evonas_process(*command)
    assert outcome.code == 0, outcome
    epochs = [int(number) for number in re.findall(r"^epoch +(\d+)/40", outcome.out, re.MULTILINE)]
    assert epochs[0] > 2
    assert epochs == list(range(epochs[0], 41))

    path = re.search(r'evonas.load_network\("(.*)"\)', outcome.out).group(1)
    own = load_module(finished / "experiment.py")
    network = evonas.load_network(finished.parent / path, space=own.Pixels(dim=64, classes=10))
    test = own.FlatDigits().load().test
    accuracy = np.mean(np.argmax(network(test.inputs), axis=-1) == test.targets)
    assert accuracy > 0.5
    assert f"accuracy {accuracy:.4f}" in facts_in(outcome.out)["test"]
    again = evonas_process(*command)
    assert facts_in(again.out) == facts_in(outcome.out)
    assert "epoch " not in again.out
