"""A space's limit on parameters, as a hard constraint."""

from __future__ import annotations

from typing import Any

from evonas.arguments import require_integers

COUNTABLE = 2**31
"""Validity is decided inside compiled programs, in 32-bit integers."""


def require_budget(space: Any, least: int, most: int) -> None:
    """Check a space's ``max_parameters``: None, or an integer of at least 1.

    Args:
        space: the space.
        least: parameters of its smallest network.
        most: parameters that none of its networks exceeds.

    Raises:
        ValueError: if it is not, no network is within it, or there may be networks too large to be counted.
    """
    if space.max_parameters is None:
        return
    require_integers(space, "max_parameters")
    if space.max_parameters < least:
        raise ValueError(
            f"{type(space).__name__}.max_parameters is {space.max_parameters:,}, and the smallest network of these "
            f"choices, for inputs of shape {space.input_shape}, has {least:,} parameters: raise it, or offer less"
        )
    if most >= COUNTABLE:
        raise ValueError(
            f"{type(space).__name__}.max_parameters is checked by counting to {COUNTABLE - 1:,}, and these choices "
            f"allow about {most:,} parameters: offer fewer or narrower layers, or set max_parameters=None"
        )
