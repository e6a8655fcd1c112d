"""Data sets from arrays in memory."""

from __future__ import annotations

import dataclasses

import numpy as np

from evonas.data.dataset import Dataset, Split
from evonas.data.split import divide


@dataclasses.dataclass(frozen=True, eq=False)
class Arrays:
    """A data set of arrays: NumPy's, JAX's, or nested lists of numbers.

    Inputs are images ``[n, H, W, C]`` or ``[n, H, W]``, or features ``[n, F]``. Integer targets ``[n]`` are class
    labels 0 to K-1; floating targets ``[n]`` or ``[n, K]`` mean regression.

    Attributes:
        inputs: training examples.
        targets: their labels or regression targets.
        test_inputs: test examples; without them there is no test split.
        test_targets: targets of the test examples.
        validation_inputs: validation examples; without them a part of the training examples is taken.
        validation_targets: targets of the validation examples.
        name: what runs and reports call the data set.
        label_names: a name for each output; by default the number of the class.
        validation_share: the share of the training examples that guides the search, where no validation examples are
            given.
        split_seed: chooses the validation examples and those that `limit` keeps.
        limit: how many training examples to use; all by default.
    """

    inputs: np.ndarray = dataclasses.field(repr=False)
    targets: np.ndarray = dataclasses.field(repr=False)
    test_inputs: np.ndarray | None = dataclasses.field(default=None, repr=False)
    test_targets: np.ndarray | None = dataclasses.field(default=None, repr=False)
    validation_inputs: np.ndarray | None = dataclasses.field(default=None, repr=False)
    validation_targets: np.ndarray | None = dataclasses.field(default=None, repr=False)
    name: str = "arrays"
    label_names: tuple[str, ...] = ()
    validation_share: float = 0.1
    split_seed: int = 0
    limit: int | None = None

    def load(self) -> Dataset:
        """The arrays, checked and split.

        Raises:
            ValueError: if they are not examples and targets that fit each other.
        """
        return divide(
            self.name,
            Split.of(self.inputs, self.targets),
            _optional(self.validation_inputs, self.validation_targets, "validation"),
            _optional(self.test_inputs, self.test_targets, "test"),
            label_names=tuple(self.label_names),
            validation_share=self.validation_share,
            split_seed=self.split_seed,
            limit=self.limit,
        )


def _optional(inputs: np.ndarray | None, targets: np.ndarray | None, part: str) -> Split | None:
    if inputs is None and targets is None:
        return None
    if inputs is None or targets is None:
        given, missing = ("targets", "inputs") if inputs is None else ("inputs", "targets")
        raise ValueError(f"`{part}_{given}` needs `{part}_{missing}` too; give both or neither")
    return Split.of(inputs, targets, part)
