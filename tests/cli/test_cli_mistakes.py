"""Every mistake gets one sentence on stderr and an exit code; nothing is destroyed."""

import pathlib
import re

import pytest

from evonas.run.workdir import Workdir


def contents(directory):
    return {path: path.read_bytes() for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


def unboxed(text):
    """Lines that were wrapped into a box as one line."""
    return " ".join(re.sub(r"[│╭╮╰╯─|]|-{5,}|(?<=\s)-(?=\s)", " ", text).split())


@pytest.fixture
def mistaken(evonas_here, folder):
    """Call a command that has to fail with a message, and to leave every file as it is."""

    def call(*arguments, says):
        before = contents(folder)
        outcome = evonas_here(*arguments)
        assert outcome.code == 2, outcome
        assert "Traceback" not in outcome.out + outcome.err
        assert says in unboxed(outcome.err), outcome
        sentences = [line for line in outcome.err.splitlines() if line.startswith("evonas: ")]
        assert len(sentences) <= 1
        after = contents(folder)
        assert {path: after[path] for path in before} == before
        assert all(path.name == ".lock" for path in after.keys() - before.keys())
        return outcome

    return call


FILES = {
    "a syntax error": ("import evonas\n\ndef config(:\n", "own.py, line 3: invalid syntax"),
    "no config": ("import evonas\n", "own.py has no function config(); it must return evonas.Experiment(...)"),
    "a config that is no function": ("config = 5\n", "own.py has no function config()"),
    "another result": ("def config():\n    return {}\n", "config() of own.py must return evonas.Experiment, got dict"),
    "nothing returned": ("def config():\n    pass\n", "must return evonas.Experiment, got NoneType"),
    "an error at its top": ("\n\n1 / 0\n", "own.py, line 3: ZeroDivisionError: division by zero"),
    "an error in config": (
        "def size():\n    return int('x')\n\ndef config():\n    return size()\n",
        "own.py, line 2: ValueError: invalid literal",
    ),
    "a setting out of range": (
        "import evonas\n\ndef config():\n    return evonas.regularized_evolution(population_size=0)\n",
        "own.py, line 4: ValueError: Algorithm.population_size must be an integer of at least 1, got 0",
    ),
    "a wrong keyword": (
        "import evonas\n\ndef config():\n    return evonas.Experiment(speed=5)\n",
        "own.py, line 4: TypeError:",
    ),
    "a missing module": ("import no_such_module_at_all\n", "own.py, line 1: ModuleNotFoundError"),
    "wrong data": (
        "import evonas\n\ndef config():\n"
        "    return evonas.Experiment(evonas.spaces.BitString(), 'cifar', evonas.random_search())\n",
        "own.py, line 4: ValueError: data must be",
    ),
    "zeros": ("\0\0\0", "own.py"),
}


@pytest.mark.parametrize("kind", FILES)
def test_an_experiment_file_with_a_mistake_is_named_with_its_line(mistaken, folder, kind):
    content, says = FILES[kind]
    (folder / "own.py").write_text(content)
    mistaken("run", "own.py", says=says)


def test_the_line_is_named_of_a_file_given_by_its_whole_path(mistaken, folder):
    (folder / "own.py").write_text("\nraise RuntimeError('of mine')\n")
    mistaken("run", folder / "own.py", says=f"{folder / 'own.py'}, line 2: RuntimeError: of mine")


@pytest.mark.parametrize("name", ["missing.py", "a_folder"])
def test_an_experiment_file_that_is_not_there_is_named(mistaken, folder, name):
    (folder / "a_folder").mkdir()
    mistaken("run", name, says=f"{name} does not exist: give a Python file whose config() returns evonas.Experiment")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--evaluations", "many"], "--evaluations"),
        (["--evaluations"], "--evaluations"),
        (["--training.epochs", "1.5"], "--training.epochs"),
        (["--training.epochs", "0"], "epochs must be an integer of at least 1, got 0"),
        (["--space.dimension", "3"], "--space.dimension"),
        (["--nonsense"], "--nonsense"),
        (["--algorithm.population-size", "x"], "--algorithm.population-size"),
        (["--duplicates", "never"], "--duplicates"),
        (["--evaluations", "0"], "evaluations must be an integer of at least 1"),
        (["--space.dim", "-1"], "dim"),
        (["--training.objectives", "accuracy", "loss"], "compares one objective"),
    ],
)
def test_a_wrong_field_or_value_is_named(mistaken, arguments, says):
    mistaken("run", "pixels.py", *arguments, says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["frobnicate"], "unknown command 'frobnicate'"),
        (["status"], "evonas status"),
        (["resume", "w", "--evaluations", "x"], "--evaluations"),
        (["retrain", "w", "--nonsense", "1"], "--nonsense"),
    ],
)
def test_a_wrong_command_line_is_answered_by_what_it_should_be(mistaken, arguments, says):
    mistaken(*arguments, says=says)


def test_help_is_no_mistake_and_no_command_is_one(evonas_here):
    assert evonas_here("--help").code == 0
    assert "evonas COMMAND" in evonas_here("--help").out
    assert evonas_here().code == 2
    assert evonas_here("run", "--help").code == 0
    assert evonas_here("run").code == 2
    assert evonas_here("status", "--help").code == 0
    assert evonas_here("--version").out.startswith("evonas 0.")


@pytest.mark.parametrize("command", ["resume", "status", "best", "retrain"])
def test_a_directory_that_holds_no_run_is_named(mistaken, folder, command):
    (folder / "empty").mkdir()
    for name in ("empty", "nowhere"):
        mistaken(command, name, says=f"{name}/config.json does not exist: is {name} the workdir of a run?")
        assert not list((folder / "empty").iterdir())
        assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("command", ["resume", "status", "best", "retrain"])
def test_a_file_in_place_of_a_workdir_is_named(mistaken, command):
    mistaken(command, "pixels.py", says="pixels.py")


@pytest.mark.parametrize("place", ["pixels.py", "pixels.py/below", "pixels.py/far/below"])
def test_a_workdir_that_can_not_be_made_is_named(mistaken, place):
    mistaken(
        "run", "pixels.py", "--workdir", place, says=f"{place} can't be a workdir: it, or a part of its path, is a"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", "3"], "w holds a run with other settings: seed was 0, now 3; use a new workdir"),
        (["--training.epochs", "3", "--batch-size", "5"], "batch_size was 4, now 5; epochs was 2, now 3"),
        (["--space.dim", "64", "--algorithm.population-size", "5"], "population_size was 4, now 5"),
        (["--data.limit", "199"], "data_fingerprint was"),
    ],
)
def test_a_workdir_of_another_run_is_refused(mistaken, finished, arguments, says):
    assert finished.name == "w"
    mistaken("run", "pixels.py", "--workdir", "w", *arguments, says=says)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ('{"format": 1, ', "Expecting property name"),
        ("[]", "expected an object"),
        ("\0", "Exp"),
    ],
)
def test_a_damaged_configuration_is_named_by_every_command(mistaken, finished, content, reason):
    (finished / "config.json").write_text(content)
    for command in (["resume", "w"], ["status", "w"], ["best", "w"], ["retrain", "w"]):
        mistaken(*command, says=f"w/config.json is damaged ({reason}")
    mistaken("run", "pixels.py", "--workdir", "w", says="w/config.json is damaged")


@pytest.mark.parametrize("value", ['"many"', "null", "{}", "2.5", "[1]"])
def test_a_configuration_with_a_wrong_type_in_it_is_refused_by_every_command(mistaken, finished, value):
    text = (finished / "config.json").read_text()
    (finished / "config.json").write_text(text.replace('"evaluations": 10', f'"evaluations": {value}'))
    for command in ("resume", "status", "best", "retrain"):
        mistaken(command, "w", says="evaluations")


def test_a_damaged_history_is_named_by_every_command(mistaken, finished):
    path = sorted((finished / "history").iterdir())[0]
    path.write_bytes(path.read_bytes()[:-9])
    for command in (
        ["resume", "w"],
        ["status", "w"],
        ["best", "w"],
        ["retrain", "w"],
        ["run", "pixels.py", "--workdir", "w"],
    ):
        mistaken(*command, says=f"w/history/{path.name} is damaged at line")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '"x"'])
def test_a_damaged_result_is_named(mistaken, finished, content):
    (finished / "result.json").write_text(content)
    mistaken("best", "w", says="w/result.json is damaged")


def test_a_broken_copy_of_the_experiment_file_is_named_with_its_line(mistaken, finished):
    (finished / "experiment.py").write_text("import evonas\n1 / 0\n")
    for command in ("resume", "best", "retrain"):
        mistaken(command, "w", says="w/experiment.py, line 2: ZeroDivisionError")


def test_without_its_experiment_file_a_run_of_own_classes_says_which_is_missing(mistaken, finished):
    (finished / "experiment.py").unlink()
    mistaken("resume", "w", says="experiment:Pixels is not a class of evonas")


def test_a_workdir_in_use_is_refused(mistaken, finished):
    place = Workdir(finished)
    try:
        mistaken("run", "pixels.py", "--workdir", "w", says="another process is running in w")
        mistaken("resume", "w", says="another process is running in w")
    finally:
        place.close()


def test_a_run_without_evaluations_has_no_best(mistaken, finished):
    for path in (finished / "history").iterdir():
        path.unlink()
    mistaken("best", "w", says="no candidate of w has a fitness yet")
    mistaken("retrain", "w", says="no candidate of w has a fitness yet")


def test_a_candidate_that_is_not_there_is_not_retrained(mistaken, finished):
    assert finished.is_dir()
    mistaken("retrain", "w", "--candidate", "999", says="w has no evaluated candidate 999")


BROKEN = """    dim: int = 64

    def supernet(self, *, rngs, **style):
        return 5 + None
"""


def test_a_mistake_in_a_network_of_the_users_own_is_named_with_its_line(evonas_here, folder):
    text = (folder / "pixels.py").read_text().replace("    dim: int = 64\n", BROKEN)
    (folder / "own.py").write_text(text)
    line = 1 + text.splitlines().index("        return 5 + None")
    outcome = evonas_here("run", "own.py", "--workdir", "w")
    assert outcome.code == 2
    message = "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'"
    assert outcome.err == f"evonas: own.py, line {line}: {message}\n"


def test_missing_data_are_named(mistaken, folder):
    text = (folder / "pixels.py").read_text().replace("data=FlatDigits()", 'data="nothing.npz"')
    (folder / "own.py").write_text(text)
    mistaken("run", "own.py", says="nothing.npz")


def test_a_mistake_in_a_process_of_its_own_is_one_line_and_an_exit_code(evonas_process, folder):
    (folder / "own.py").write_text("\n1 / 0\n")
    outcome = evonas_process("run", "own.py")
    assert outcome.code == 2
    assert outcome.err == "evonas: own.py, line 2: ZeroDivisionError: division by zero\n"
