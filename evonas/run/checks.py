"""What a search is given, checked before anything is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from evonas.arguments import require_instance, require_integer, require_seed
from evonas.data import Dataset
from evonas.evolution import Algorithm
from evonas.run.callback import Callback
from evonas.spaces.base import Space
from evonas.training.settings import Training


def check_settings(space: Any, algorithm: Any, training: Any) -> None:
    """ValueError if one is none of these."""
    require_instance("space", space, Space)
    require_instance("algorithm", algorithm, Algorithm)
    require_instance("training", training, Training)


def check_numbers(evaluations: Any, batch_size: Any, seed: Any, duplicates: Any) -> None:
    """ValueError if one is out of its range."""
    require_integer("evaluations", evaluations)
    require_integer("batch_size", batch_size)
    require_seed(seed)
    if duplicates not in ("allow", "resample", "reuse"):
        raise ValueError(f'duplicates is "allow", "resample" or "reuse", got {duplicates!r}')


def check_checkpoints(checkpoint_seconds: Any, keep_checkpoints: Any) -> None:
    """ValueError if one is out of its range."""
    require_integer("keep_checkpoints", keep_checkpoints, least=0)
    if isinstance(checkpoint_seconds, bool) or not isinstance(checkpoint_seconds, int | float):
        raise ValueError(f"checkpoint_seconds must be a number, got {checkpoint_seconds!r}")
    if not checkpoint_seconds > 0:
        raise ValueError(f"checkpoint_seconds must be positive, got {checkpoint_seconds}: math.inf writes none in time")


def check_callbacks(callbacks: Any) -> None:
    """ValueError if they are not a list of callbacks."""
    if not isinstance(callbacks, Sequence) or not all(isinstance(callback, Callback) for callback in callbacks):
        raise ValueError(
            f"callbacks must be a list of objects of classes derived from evonas.Callback, got {callbacks!r}"
        )


def fitted(space: Space, dataset: Dataset) -> Space:
    """The space for the data.

    Raises:
        ValueError: if it was made for other inputs or classes than the data has.
    """
    given = {"input_shape": tuple(dataset.input_shape), "classes": dataset.classes}
    for field in dataclasses.fields(space):  # type: ignore[arg-type]
        value = getattr(space, field.name)
        value = tuple(value) if field.name == "input_shape" else value
        left_alone = field.default is dataclasses.MISSING or value == field.default
        if field.init and field.name in given and not left_alone and value != given[field.name]:
            raise ValueError(
                f"the space has {field.name}={value}, but the data {given[field.name]}: leave it out, or make it the "
                f"data's, space.fitted({given['input_shape']}, {given['classes']})"
            )
    return space.fitted(dataset.input_shape, dataset.classes)
