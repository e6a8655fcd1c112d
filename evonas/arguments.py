"""What constructors and functions require of their arguments, in one wording."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np


def require_integers(owner: Any, *names: str, least: int = 1) -> None:
    """Raise ValueError unless each named attribute is an integer, Python's or NumPy's, of at least ``least``."""
    for name in names:
        require_integer(f"{type(owner).__name__}.{name}", getattr(owner, name), least)


def require_integer(name: str, value: Any, least: int = 1) -> None:
    """Raise ValueError unless the value is an integer, Python's or NumPy's, of at least ``least``."""
    if not _is_integer(value) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")


def require_items(name: str, values: Collection[Any]) -> None:
    """Raise ValueError unless there is at least one."""
    if not values:
        raise ValueError(f"{name} must be one or more, got none")


def require_shape(owner: Any, name: str, *axes: str, remedy: str = "") -> None:
    """Raise ValueError unless the named attribute is a shape of positive integers, one for each of the axes."""
    shape = getattr(owner, name)
    if len(shape) != len(axes) or not all(_is_integer(size) and size >= 1 for size in shape):
        raise ValueError(
            f"{type(owner).__name__}.{name} must be ({', '.join(axes)}), positive integers, got {shape!r}{remedy}"
        )


def require_choices(
    owner: Any, name: str, allowed: Collection[str] | None = None, least: int = 1, odd: bool = False
) -> None:
    """Make the named field of a frozen dataclass a tuple, and check that it holds choices: some, and all different.

    Args:
        owner: the space.
        name: of its field.
        allowed: the names that may be chosen from; None for integers.
        least: the least integer.
        odd: whether integers must be odd.

    Raises:
        ValueError: if they are not such choices.
    """
    values = tuple(getattr(owner, name))
    object.__setattr__(owner, name, values)
    expected = f"names out of {', '.join(allowed)}" if allowed else f"{'odd ' * odd}integers of at least {least}"
    fits = [v in allowed if allowed else _is_integer(v) and v >= least and (v % 2 or not odd) for v in values]
    if not values or len(set(values)) < len(values) or not all(fits):
        raise ValueError(f"{type(owner).__name__}.{name} must be one or more different {expected}, got {values!r}")


def require_share(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named attribute is a share: a number from 0 to 1."""
    for name in names:
        value = getattr(owner, name)
        if not (_is_number(value) and 0 <= value <= 1):
            raise ValueError(f"{type(owner).__name__}.{name} must be a number from 0 to 1, got {value!r}")


def require_positive(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named attribute is a finite number greater than 0."""
    for name in names:
        value = getattr(owner, name)
        if not (_is_number(value) and 0 < value < math.inf):
            raise ValueError(f"{type(owner).__name__}.{name} must be a finite number greater than 0, got {value!r}")


def require_object(owner: Any, name: str, kind: Any, example: str, optional: bool = False) -> None:
    """Check that a part of a setting is an object of its kind, not the class of one or a number.

    Args:
        owner: the setting.
        name: of the attribute that holds the part.
        kind: a class, a union of classes or a protocol that is checked at run time.
        example: an expression for such an object, for the message.
        optional: whether None will do.

    Raises:
        ValueError: if it is not.
    """
    value = getattr(owner, name)
    # A class has its objects' methods, so a protocol alone lets it through.
    if (isinstance(value, kind) and not isinstance(value, type)) or (optional and value is None):
        return
    raise ValueError(
        f"{type(owner).__name__}.{name} must be an object such as {example}{' or None' * optional}, got {value!r}"
    )


def require_instance(name: str, value: Any, kind: type) -> None:
    """Raise ValueError unless the value is an object of a class."""
    if isinstance(value, kind):
        return
    called = getattr(value, "__name__", None) if callable(value) else None
    raise ValueError(
        f"{name} must be an evonas {kind.__name__}, got {value!r}{f' (call it: {called}(...))' if called else ''}"
    )


def require_one_of(owner: Any, name: str, allowed: Collection[str]) -> None:
    """Raise ValueError unless the named attribute is one of the allowed texts."""
    value = getattr(owner, name)
    if value not in allowed:
        raise ValueError(f"{type(owner).__name__}.{name} must be one of {', '.join(allowed)}, got {value!r}")


def require_seed(seed: Any) -> int:
    """The seed as an int.

    Raises:
        ValueError: unless it is an integer from 0 to 2^32 - 1; others would repeat the randomness of one of these.
    """
    if not _is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer from 0 to 2^32 - 1, got {seed!r}")
    return int(seed)


def _is_number(value: Any) -> bool:
    return _is_integer(value) or isinstance(value, float | np.floating)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
