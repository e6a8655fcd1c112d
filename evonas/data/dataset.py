"""What a data set is: arrays in memory, split into train, validation and test."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any, Literal, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

from evonas.data import checks

Task = Literal["classification", "regression"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Examples and their targets, in the types that training reads. `Split.of` converts other arrays.

    Attributes:
        inputs: images ``[n, H, W, C]`` uint8 or float32, or features ``[n, F]`` float32.
        targets: labels ``[n]`` int32, or real targets ``[n, K]`` float32.

    Raises:
        ValueError: if a type or a rank is another, nothing is in it, the lengths differ, or a number is not finite.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        """Refuse what `Split.of` would have to convert."""
        checks.check_split(self.inputs, self.targets)

    @classmethod
    def of(cls, inputs: Any, targets: Any, part: str = "train") -> Self:
        """A split of any array-likes.

        Images ``[n, H, W]`` get a channel axis. Integer targets ``[n]`` or ``[n, 1]`` are labels, floating targets
        ``[n]`` or ``[n, K]`` are regression targets.

        Args:
            inputs: numbers ``[n, H, W, C]``, ``[n, H, W]`` or ``[n, F]``.
            targets: as above.
            part: what errors call it.

        Raises:
            ValueError: if they cannot be examples and targets of one split.
        """
        inputs = checks.as_inputs(inputs, f"{part} inputs")
        targets = checks.as_targets(targets, f"{part} targets")
        checks.check_split(inputs, targets, part)
        return cls(inputs, targets)

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        inputs, targets = (f"{array.dtype}{list(array.shape)}" for array in (self.inputs, self.targets))
        return f"Split(inputs={inputs}, targets={targets})"

    def take(self, indices: np.ndarray) -> Split:
        """The examples at ``indices``, in their order."""
        return Split(self.inputs[indices], self.targets[indices])


class Scales(NamedTuple):
    """What inputs, and the targets of a regression, are standardised by: moments of the training examples."""

    mean: Any  # [C] float32, by channel or feature
    deviation: Any  # [C] float32
    target_mean: Any  # [K] float32; 0 for labels
    target_deviation: Any  # [K] float32; 1 for labels

    def standardise(self, inputs: Any) -> Any:
        """Inputs ``[B, ...]`` as a network takes them."""
        return (inputs - self.mean) * (1.0 / self.deviation)

    def standardise_targets(self, targets: Any) -> Any:
        """Targets ``[B, K]`` of a regression as a network learns them."""
        return (targets - self.target_mean) * (1.0 / self.target_deviation)

    def in_units(self, outputs: Any) -> Any:
        """A network's outputs ``[B, K]`` in the units of the targets; logits stay as they are."""
        return outputs * self.target_deviation + self.target_mean


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory. Validation guides a search; test is read once, for the final architecture only.

    Attributes:
        name: what runs and reports call it.
        train: the examples that candidates are trained on.
        validation: the examples that give their fitness.
        test: the examples of the final figure, or None.
        task: what the targets are.
        classes: outputs of a network: the number of classes, or the K targets of a regression.
        label_names: a name for each output; empty if they have none.

    Raises:
        ValueError: if shapes or targets of the splits do not fit each other, the task, or ``classes``.
    """

    name: str
    train: Split
    validation: Split
    test: Split | None
    task: Task
    classes: int
    label_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the splits are of one kind."""
        parts = {name: (split.inputs, split.targets) for name, split in self.splits().items()}
        checks.check_same_shapes(parts)
        checks.check_task(self.task, self.train.targets)
        if self.task == "classification":
            checks.check_labels({name: targets for name, (_, targets) in parts.items()}, self.classes)
        elif self.train.targets.shape[1] != self.classes:
            raise ValueError(f"`classes` is {self.classes}, but train has {self.train.targets.shape[1]} targets")
        if self.label_names and len(self.label_names) != self.classes:
            raise ValueError(
                f"`label_names` has {len(self.label_names)} names for {self.classes} outputs; give one each, or none"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example: ``(H, W, C)`` or ``(F,)``."""
        return tuple(self.train.inputs.shape[1:])

    def splits(self) -> dict[str, Split]:
        """The splits that there are, by name."""
        given = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in given.items() if split is not None}

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of train, for each channel or feature: two arrays ``[C]`` float32.

        They are in the units of the stored arrays. Where a channel is constant, its deviation is 1.
        """
        return _moments(self.train.inputs)

    def scales(self) -> Scales:
        """What training standardises by."""
        labels = np.zeros(self.classes, np.float32), np.ones(self.classes, np.float32)
        targets = _moments(self.train.targets) if self.task == "regression" else labels
        return Scales(*self.statistics(), *targets)

    def fingerprint(self) -> str:
        """16 hexadecimal digits of a SHA-256 over all shapes and values: it tells a run that its data changed."""
        digest = hashlib.sha256()
        for name, split in self.splits().items():
            for array in (split.inputs, split.targets):
                digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over all axes but the last; the deviation of a constant is 1."""
    axes = tuple(range(values.ndim - 1))
    mean = values.mean(axes, dtype=np.float64)
    # By parts: the differences of a whole data set of bytes would take eight times its memory.
    squares = sum(np.square(values[start : start + 1024] - mean).sum(axes) for start in range(0, len(values), 1024))
    deviation = np.sqrt(squares / (values.size // values.shape[-1]))
    # Not `deviation == 0`: the mean of equal floats may differ from them by a rounding.
    constant = values.min(axes) == values.max(axes)
    return mean.astype(np.float32), np.where(constant, 1, deviation).astype(np.float32)


@runtime_checkable
class Source(Protocol):
    """Where a data set comes from: a frozen dataclass of settings that loads it."""

    def load(self) -> Dataset:
        """Read the data set into memory."""
        ...
