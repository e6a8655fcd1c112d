"""Settings as plain data and back: how spaces, algorithms and data sources are written into files."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

_PLAIN = (str, int, float, bool, type(None))


def describe(value: Any, name: str = "a setting") -> Any:
    """A JSON-able description of a frozen dataclass, its fields described alike; `rebuild` reads it.

    Args:
        value: what to describe.
        name: what errors call it.

    Raises:
        ValueError: if it holds anything but dataclasses, tuples, lists, mappings, strings, numbers, booleans and None,
            or a field or key named "type", which stands for the class.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.generic):
        return describe(value.item(), name)
    if isinstance(value, tuple | list):
        return [describe(item, name) for item in value]
    if isinstance(value, Mapping):
        return _fields(value, {str(name): item for name, item in value.items()})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        return {"type": type_name(type(value)), **_fields(value, fields)}
    raise ValueError(
        f"{name} must be a frozen dataclass, a tuple, a string, a number or None, to be written down with the run; got "
        f"{value!r}: put @dataclasses.dataclass(frozen=True) on its class, and make a function one with __call__"
    )


def _fields(value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    if "type" in fields:
        raise ValueError(
            f'"type" names the class in a description, so no field or key may be named that: rename it in {value!r}'
        )
    return {name: describe(item, f"{type(value).__name__}.{name}") for name, item in fields.items()}


def rebuild(description: Any, known: Mapping[str, type] | None = None) -> Any:
    """The value of a description.

    Args:
        description: from `describe`, perhaps by way of JSON, which turns tuples into lists: they come back as tuples.
        known: classes outside evonas that may be built, by `type_name`. Nothing else is imported.

    Raises:
        ValueError: if a class is neither evonas's nor known, or a field does not exist.
    """
    if isinstance(description, list):
        return tuple(rebuild(item, known) for item in description)
    if not isinstance(description, dict):
        return description
    fields = {name: rebuild(item, known) for name, item in description.items() if name != "type"}
    if "type" not in description:
        return fields
    build = _class_named(description["type"], known or {})
    try:
        return build(**fields)
    except TypeError as error:
        raise ValueError(f"{description['type']} can't be built from {', '.join(fields)}: {error}") from error


def completed(description: Any) -> Any:
    """A description of settings of evonas's, with the fields that their class has gained since, at their defaults."""
    return describe(rebuild(description))


def type_name(kind: type) -> str:
    """How a class is named in a description: ``module:name``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def _class_named(name: str, known: Mapping[str, type]) -> type:
    if name in known:
        return known[name]
    module, _, attribute = str(name).partition(":")
    if not module.startswith("evonas."):
        raise ValueError(f"{name} is not a class of evonas: pass the object itself, as in load(path, space=...)")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"this version of evonas has no {name}: {error}") from error
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"{name} is not a setting")
    return found


def differences(
    known: Mapping[str, Any], given: Mapping[str, Any], names: list[str], verb: str = "was {}, now {}"
) -> str:
    """What became of the named settings of two descriptions, in words."""
    found = []
    for name in names:
        old, new = known.get(name), given.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            parts = sorted({part for part in {**old, **new} if old.get(part) != new.get(part)})
            found.append(differences(old, new, parts, verb).replace("; ", ", ") if parts else name)
        else:
            found.append(f"{name} {verb.format(json.dumps(old), json.dumps(new))}")
    return "; ".join(found)
