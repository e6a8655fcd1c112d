"""Experiment files: Python files whose ``config()`` returns an `evonas.Experiment`.

A file may import what lies beside it, as any script; its copy in a workdir has to do without.
"""

from __future__ import annotations

import os
import sys
import traceback
from types import ModuleType
from typing import Any

from etils import epath

from evonas.description import type_name
from evonas.run import Experiment
from evonas.storage import read_whole

MODULE = "experiment"
"""Every experiment file's module name, so that its copy in a workdir has classes of the same names."""


def load_module(path: Any) -> ModuleType:
    """Run an experiment file.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it fails, with the line.
    """
    name, file = os.fspath(path), epath.Path(path)
    try:
        source = read_whole(file)
    except (FileNotFoundError, IsADirectoryError) as error:
        message = f"{name} does not exist: give a Python file whose config() returns evonas.Experiment"
        raise FileNotFoundError(message) from error
    module = ModuleType(MODULE)
    module.__file__ = name
    sys.modules[MODULE] = module
    # Not by importlib, which would leave compiled files beside it, the workdir's copy included.
    _guarded(lambda: exec(compile(source, name, "exec"), vars(module)), name)
    return module


def load_experiment(path: Any) -> Experiment:
    """What an experiment file's ``config()`` returns.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it fails, or returns something else.
    """
    return experiment_in(load_module(path))


def experiment_in(module: ModuleType) -> Experiment:
    """What the ``config()`` of a loaded experiment file returns.

    Raises:
        ValueError: if it fails, or returns something else.
    """
    path = str(module.__file__)
    if not callable(getattr(module, "config", None)):
        raise ValueError(f"{path} has no function config(); it must return evonas.Experiment(...)")
    experiment = _guarded(module.config, path)
    if not isinstance(experiment, Experiment):
        raise ValueError(f"config() of {path} must return evonas.Experiment, got {type(experiment).__name__}")
    return experiment


def classes_of(module: ModuleType) -> dict[str, type]:
    """A module's own classes by the name that a run's configuration gives them."""
    kinds = [value for value in vars(module).values() if isinstance(value, type)]
    return {type_name(kind): kind for kind in kinds if kind.__module__ == module.__name__}


def _guarded(call: Any, name: str) -> Any:
    """Call foreign code; whatever goes wrong there becomes one sentence with its place."""
    folder = os.path.dirname(os.path.abspath(name))
    sys.path.insert(0, folder)
    try:
        return call()
    except SyntaxError as error:
        raise ValueError(f"{error.filename or name}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        raise ValueError(f"{_place(error, name) or name}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)


def mistake_in_experiment(error: Exception) -> ValueError | None:
    """An error that came by way of the loaded experiment file as one sentence with its line; None for another one."""
    module = sys.modules.get(MODULE)
    place = None if module is None else _place(error, str(module.__file__))
    if place is None:
        return None
    first_line = str(error).partition("\n")[0]
    return ValueError(f"{place}: {type(error).__name__}: {first_line}")


def _place(error: Exception, name: str) -> str | None:
    """The last line of a file that an error came by, if it did."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return f"{name}, line {lines[-1]}" if lines else None
