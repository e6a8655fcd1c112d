"""Handwritten digits that scikit-learn carries: real data without a download."""

from __future__ import annotations

import dataclasses

import numpy as np

from evonas.data.dataset import Dataset, Split
from evonas.data.split import divide, stratified

TEST_SHARE = 0.2
"""The share of the 1,797 images that is the test split, whatever the settings."""


@dataclasses.dataclass(frozen=True)
class Digits:
    """1,797 handwritten digits: images ``[n, 8, 8, 1]`` uint8 with values 0 to 16, in 10 classes.

    scikit-learn gives them no test split. Here a stratified fifth is the test split, the same for all settings.

    Attributes:
        validation_share: the share of the images outside test that guides the search.
        split_seed: chooses the validation images and those that `limit` keeps.
        limit: how many training images to use; all by default.
    """

    validation_share: float = 0.1
    split_seed: int = 0
    limit: int | None = None

    def load(self) -> Dataset:
        """The digits, split.

        Raises:
            ValueError: if ``validation_share`` or ``limit`` leaves too few images.
        """
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images = Split.of(bunch.images.astype(np.uint8), bunch.target)
        rest, test = stratified(images.targets, len(images) - round(len(images) * TEST_SHARE), seed=0)
        return divide(
            "digits",
            images.take(rest),
            None,
            images.take(test),
            validation_share=self.validation_share,
            split_seed=self.split_seed,
            limit=self.limit,
        )
