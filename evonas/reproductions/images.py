"""The images of an experiment at one of its scales."""

from __future__ import annotations

import dataclasses
from typing import Any

from evonas.data import TFDS


def at_scale(data: TFDS, limit: int | None, **settings: Any) -> TFDS:
    """The data with as many training images as the scale has, and further settings of its.

    Raises:
        ValueError: if the data has other settings of its own in their place.
    """
    settings |= {"limit": limit}
    for field in dataclasses.fields(data):
        given = getattr(data, field.name)
        if field.name in settings and given not in (field.default, settings[field.name]):
            raise ValueError(
                f"data.{field.name} is set by the scale, {settings[field.name]}: leave it out, got {given}"
            )
    return dataclasses.replace(data, **settings)
