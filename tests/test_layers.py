"""Imports go one way, from the top floor down; nothing heavy is loaded before it is needed."""

import ast
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "evonas"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = [
    {"object_store"},
    {"types", "genome", "arguments", "notebook", "keys", "threefry", "description", "storage", "preemption"},
    {"nn"},
    {"spaces"},
    {"evolution", "training", "data", "tables"},
    {"population", "simulate", "drawing"},
    {"run"},
    {"reproductions", "launch", "report"},
    {"cli", "__main__"},
]
"""Lowest first. A part may use every floor below its own, and of its own what `BESIDE` says."""

BESIDE = {("training", "data"), ("population", "simulate"), ("population", "drawing"), ("__main__", "cli")}
"""(who, whom): uses on one floor. Evolution and training, the siblings, are not here."""

PRINTERS = {"cli", "__main__"}


def part_of(path):
    """The part of evonas that a module belongs to; `__init__` is evonas itself."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def floor_of(part):
    return next(level for level, parts in enumerate(FLOORS) if part in parts)


def may_import(part, other):
    return part == other or floor_of(other) < floor_of(part) or (part, other) in BESIDE


def imports_of(tree):
    """Absolute names of all modules that code imports, inside functions too, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            assert node.module is not None
            if node.module == "evonas":
                yield from ((f"evonas.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def parsed():
    return [(path, ast.parse(path.read_text())) for path in MODULES]


def test_every_part_of_evonas_has_a_floor():
    parts = {part_of(path) for path in MODULES} - {"__init__"}
    assert parts <= set.union(*FLOORS), parts - set.union(*FLOORS)
    assert {"types", "spaces", "evolution", "training", "population", "run", "cli"} <= parts


def test_a_module_imports_only_from_floors_below_its_own():
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path, tree in parsed()
        if part_of(path) != "__init__"
        for name, line in imports_of(tree)
        if name == "evonas" or name.startswith("evonas.")
        if name == "evonas" or not may_import(part_of(path), name.split(".")[1])
    ]
    assert not wrong, wrong


def test_evolution_and_training_are_forbidden_to_know_each_other():
    for pair in [("evolution", "training"), ("training", "evolution"), ("evolution", "data"), ("evolution", "tables")]:
        assert not may_import(*pair)
    assert may_import("training", "data")


@pytest.mark.parametrize(
    "code", ["import evonas.cli.main", "def f():\n    from evonas.cli import main", "from evonas import cli"]
)
def test_the_reader_of_imports_sees_them_wherever_they_are(code):
    (found,) = imports_of(ast.parse(code))
    assert found[0].startswith("evonas.cli")


def test_only_the_command_line_prints():
    wrong = []
    for path, tree in parsed():
        if part_of(path) in PRINTERS:
            continue
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        wrong += [f"{path}:{call.lineno} prints" for call in calls if call.func.id == "print"]
        wrong += [f"{path}:{line} imports {name}" for name, line in imports_of(tree) if name.split(".")[0] == "rich"]
    assert not wrong, wrong


def test_nothing_imports_pickle_but_the_reader_of_published_tables():
    forbidden = {"pickle", "cloudpickle", "dill", "joblib", "shelve"}
    wrong = [
        (path.relative_to(PACKAGE).as_posix(), name)
        for path, tree in parsed()
        for name, _ in imports_of(tree)
        if name.split(".")[0] in forbidden
    ]
    # Published tables are pickles: this one reads plain types, and refuses all else.
    assert wrong == [("tables/plain_pickle.py", "pickle")]


def test_import_evonas_loads_nothing_heavy_and_starts_no_backend():
    code = """
import sys
import evonas
from jax._src import xla_bridge
heavy = {"tensorflow_datasets", "sklearn", "pandas", "pyarrow", "plotly", "tensorflow", "tyro", "matplotlib"}
heavy &= set(sys.modules)
assert not heavy, heavy
assert not xla_bridge._backends, xla_bridge._backends
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
