"""What the constructors of spaces require of their arguments."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np


def require_positive(owner: Any, *names: str) -> None:
    """Raise ValueError unless each named field is an integer of at least 1."""
    for name in names:
        value = getattr(owner, name)
        if not _is_integer(value) or value < 1:
            raise ValueError(f"{type(owner).__name__} expects {name} to be an integer of at least 1, got {value!r}")


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
        raise ValueError(
            f"{type(owner).__name__} expects {name} to be one or more different {expected}; got {values!r}"
        )


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def require_share(settings: Any, *names: str) -> None:
    """Raise ValueError unless each of these attributes is a share: from 0 to 1."""
    for name in names:
        value = getattr(settings, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{type(settings).__name__}'s {name} is from 0 to 1, got {value}")


def require_count(settings: Any, least: int, *names: str) -> None:
    """Raise ValueError unless each of these attributes is an integer of at least ``least``."""
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{type(settings).__name__}'s {name} is an integer of at least {least}, got {value!r}")


def require_seed(seed: Any) -> int:
    """The seed as an int.

    Raises:
        ValueError: unless it is an integer from 0 to 2^32 - 1; others would repeat the randomness of one of these.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"a seed is an integer from 0 to 2^32 - 1, got {seed!r}")
    return int(seed)
