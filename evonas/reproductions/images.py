"""The images of an experiment at one of its scales."""

from __future__ import annotations

import dataclasses
from typing import Any

from evonas.data import TFDS


def at_scale(data: TFDS, limit: int | None, **settings: Any) -> TFDS:
    """The data with as many training images as the scale has, and further settings of its.

    Raises:
        ValueError: if the data has a limit of its own.
    """
    if data.limit is not None:
        raise ValueError(f"data.limit is set by the scale, {limit}: leave it out, got {data.limit}")
    return dataclasses.replace(data, limit=limit, **settings)
