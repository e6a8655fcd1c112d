"""Tiny data for the tests of training."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from evonas.data import Arrays, Digits
from evonas.spaces import MLP, NASBench201


@pytest.fixture(scope="session")
def digits():
    return Digits(limit=160).load()


@pytest.fixture(scope="session")
def cells(digits):
    """A tiny NAS-Bench-201, fitted to the digits."""
    return NASBench201(channels=4, cells_per_stage=1).fitted(digits.input_shape, digits.classes)


@pytest.fixture(scope="session")
def iris():
    """Validation and test splits of different lengths, neither a multiple of anything."""
    bunch = load_iris()
    order = np.random.default_rng(0).permutation(150)
    inputs, labels = bunch.data[order], bunch.target[order]
    parts = {"train": slice(0, 96), "validation": slice(96, 119), "test": slice(119, 150)}
    arrays = {name: (inputs[rows], labels[rows]) for name, rows in parts.items()}
    return Arrays(*arrays["train"], *arrays["test"], *arrays["validation"], name="iris").load()


@pytest.fixture(scope="session")
def mlp(iris):
    return MLP(max_depth=2, widths=(4, 8)).fitted(iris.input_shape, iris.classes)
