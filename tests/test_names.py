"""Modules are small, and called by what they are."""

import pathlib

ROOT = pathlib.Path(__file__).parents[1]
MODULES = sorted((ROOT / "evonas").rglob("*.py"))

LINES = 300
EMPTY_NAMES = ("util", "helper", "misc", "manager", "common")


def test_every_module_has_fewer_than_300_lines():
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert len(lines) > 50
    assert not {name: count for name, count in lines.items() if count >= LINES}


def test_no_module_has_a_name_that_says_nothing():
    paths = [path.relative_to(ROOT).with_suffix("") for path in MODULES]
    assert not [
        path
        for path in paths
        for part in path.parts
        for word in EMPTY_NAMES
        if word in part.split("_") or f"{word}s" in part.split("_")
    ]


def test_test_files_have_names_of_their_own():
    # There are no packages among the tests: pytest imports each file by its bare name.
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(set(names)) == sorted(names)
    assert not list((ROOT / "tests").rglob("__init__.py"))
