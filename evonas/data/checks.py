"""Conversion of arrays to the types of a split, and what is refused there."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np


def as_inputs(values: Any, what: str) -> np.ndarray:
    """Examples as ``[n, H, W, C]`` uint8 or float32, or ``[n, F]`` float32; ``[n, H, W]`` gets a channel axis.

    Raises:
        ValueError: if they are not numbers, or of another rank.
    """
    array = _numbers(values, what)
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"{what} must have shape [n, H, W, C], [n, H, W] or [n, F], got {list(array.shape)}; "
            "reshape them so that the first axis counts the examples"
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.dtype == np.uint8 and array.ndim == 4:
        return array
    return _as_float32(array)


def as_targets(values: Any, what: str) -> np.ndarray:
    """Labels as ``[n]`` int32, or regression targets as ``[n, K]`` float32.

    Floats that look like labels are a regression all the same, with a warning.

    Raises:
        ValueError: if they are not numbers, of another rank, or integers too large for int32.
    """
    array = _numbers(values, what)
    if array.dtype.kind not in "bui":
        if array.ndim not in (1, 2):
            raise ValueError(f"{what} must have shape [n] or [n, K] for regression, got {list(array.shape)}")
        _warn_of_labels(array, what)
        return _as_float32(array if array.ndim == 2 else array[:, np.newaxis])
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{what} of integers are class labels of shape [n], got {list(array.shape)}; "
            "take the argmax of one-hot labels, or give regression targets as floats"
        )
    if array.size and (array.min() < np.iinfo(np.int32).min or array.max() > np.iinfo(np.int32).max):
        raise ValueError(f"{what} must be labels 0 to K-1, got {array.max()}; number the classes from 0")
    return array.astype(np.int32)


def check_split(inputs: np.ndarray, targets: np.ndarray, part: str = "split") -> None:
    """Refuse arrays that are not the inputs and the targets of one split.

    Raises:
        ValueError: if types or ranks are not a split's, it is empty, lengths differ, or a number is not finite.
    """
    _check_kind(inputs, f"{part} inputs", {(4, "uint8"), (4, "float32"), (2, "float32")})
    _check_kind(targets, f"{part} targets", {(1, "int32"), (2, "float32")})
    if len(inputs) != len(targets):
        raise ValueError(
            f"{part} has {len(inputs)} inputs and {len(targets)} targets; give exactly one target for each input"
        )
    if not len(inputs):
        raise ValueError(f"{part} is empty; give at least one example")
    if 0 in inputs.shape or 0 in targets.shape:
        raise ValueError(f"{part} has inputs {list(inputs.shape)} and targets {list(targets.shape)}: an axis is empty")
    for array, what in ((inputs, "inputs"), (targets, "targets")):
        _check_finite(array, f"{part} {what}")


def check_same_shapes(parts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Refuse splits whose examples or targets are not of one shape and type.

    Raises:
        ValueError: that names the first split that differs from train.
    """
    train = parts["train"]
    for name, part in parts.items():
        for what, array, expected in zip(("inputs", "targets"), part, train, strict=True):
            if array.shape[1:] != expected.shape[1:] or array.dtype != expected.dtype:
                raise ValueError(
                    f"{name} {what} are {array.dtype} of shape {list(array.shape[1:])} each, but train {what} are "
                    f"{expected.dtype} of shape {list(expected.shape[1:])}; give all splits one shape and one type"
                )


def check_task(task: str, targets: np.ndarray) -> None:
    """Refuse a task that the targets ``[n]`` int32 or ``[n, K]`` float32 do not have.

    Raises:
        ValueError: if it is unknown or the other one.
    """
    actual = "classification" if targets.ndim == 1 else "regression"
    if task != actual:
        raise ValueError(f"`task` is {task!r}, but {targets.dtype} targets mean {actual!r}")


def check_labels(labels: Mapping[str, np.ndarray], classes: int) -> None:
    """Refuse labels that are not 0 to K-1 with each of them in train.

    Raises:
        ValueError: that names the split and the label.
    """
    for part, values in labels.items():
        if values.min() < 0:
            raise ValueError(f"{part} labels must be 0 to K-1, got {values.min()}; number the classes from 0")
    seen = np.unique(labels["train"])
    expected = max(classes, int(seen[-1]) + 1) if classes > 0 else int(seen[-1]) + 1
    if len(seen) < expected:
        missing = next((label for label, value in enumerate(seen) if label != value), len(seen))
        raise ValueError(
            f"train must have every label from 0 to {expected - 1}, but none of its examples has label {missing}; "
            "number the classes without gaps (numpy.unique with return_inverse=True) or add examples"
        )
    for part, values in labels.items():
        if values.max() >= len(seen):
            raise ValueError(
                f"{part} has label {values.max()}, which train never has (its labels are 0 to {len(seen) - 1}); "
                f"remove those examples from {part} or add some to train"
            )
    if classes != len(seen):
        raise ValueError(f"`classes` is {classes}, but train has {len(seen)} classes")


def _numbers(values: Any, what: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{what} must be one array of numbers, got rows of differing lengths") from error
    # Not `np.number`: extension types such as bfloat16 are numbers too, complex ones do not fit.
    if array.dtype.kind not in "buif" and not np.can_cast(array.dtype, np.float32):
        raise ValueError(
            f"{what} must be an array of real numbers, got {array.dtype}; encode text and objects as numbers first"
        )
    if not array.ndim:
        raise ValueError(f"{what} must be an array whose first axis counts the examples, got the single value {array}")
    return array


def _as_float32(array: np.ndarray) -> np.ndarray:
    # A float64 beyond float32 becomes an infinity, which the check of finite values then reports.
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


def _check_kind(array: np.ndarray, what: str, kinds: set[tuple[int, str]]) -> None:
    actual = (np.ndim(array), str(getattr(array, "dtype", type(array).__name__)))
    if not isinstance(array, np.ndarray) or actual not in kinds:
        expected = " or ".join(f"{dtype} of rank {rank}" for rank, dtype in sorted(kinds))
        raise ValueError(f"{what} must be {expected}, got {actual[1]} of rank {actual[0]}; `Split.of` converts")


def _check_finite(array: np.ndarray, what: str) -> None:
    if array.dtype != np.float32:
        return
    bad = ~np.isfinite(array)
    if bad.any():
        example = int(np.argwhere(bad)[0, 0])
        raise ValueError(
            f"{what} must be finite float32 numbers, got {bad.sum()} that are not (first in example {example}); "
            "remove or replace them"
        )


def _warn_of_labels(array: np.ndarray, what: str) -> None:
    """Floats that look like class labels are a regression all the same; that is worth a word."""
    if doubt := _one_hot(array) if array.ndim > 1 else _numbered(array):
        warnings.warn(f"{what} are floats, so this is a regression, though {doubt}", stacklevel=2)


def _one_hot(array: np.ndarray) -> str:
    if not array.size or array.shape[1] < 2 or not np.isin(array, (0, 1)).all() or not (array.sum(1) == 1).all():
        return ""
    return "each row is one-hot: if they are class labels, give their .argmax(1)"


def _numbered(array: np.ndarray) -> str:
    values = np.unique(array)
    if not 2 <= len(values) <= 20 or len(array) <= 5 * len(values) or (values != np.arange(len(values))).any():
        return ""
    return f"they are 0 to {len(values) - 1} only: if they are class labels, make them integers with .astype(int)"
