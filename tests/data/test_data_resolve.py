import pathlib

import numpy as np
import pytest

from evonas.data import TFDS, Arrays, Dataset, Digits, Npz, as_source, resolve


class Own:
    def __init__(self, value):
        self.value = value

    def load(self):
        return self.value


def test_a_dataset_stays_itself():
    dataset = Digits(limit=10).load()
    assert resolve(dataset) is dataset


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ("digits", Digits()),
        ("tfds:emnist/letters", TFDS("emnist/letters")),
        ("a/b.npz", Npz("a/b.npz")),
        (pathlib.Path("a/b.npz"), Npz("a/b.npz")),
        (Digits(limit=20), Digits(limit=20)),
    ],
)
def test_names_mean_sources(data, source):
    assert as_source(data) == source


def test_a_tuple_means_arrays():
    data = (np.zeros((20, 3)), np.arange(20) % 2)
    assert isinstance(as_source(data), Arrays)
    assert resolve(data).classes == 2


def test_what_is_named_is_loaded():
    assert resolve("digits").fingerprint() == Digits().load().fingerprint()
    assert isinstance(resolve(Digits(limit=20)), Dataset)


def test_a_source_of_ones_own_is_one():
    dataset = Digits(limit=10).load()
    assert resolve(Own(dataset)) is dataset
    with pytest.raises(ValueError, match=r"Own.load\(\) must return an evonas.data.Dataset, got a int"):
        resolve(Own(3))


@pytest.mark.parametrize(
    ("data", "got"),
    [
        ("mnist", "'mnist'"),
        ("tfds:", "'tfds:'"),
        (None, "a NoneType"),
        ((1, 2, 3), "a tuple of 3"),
        (Digits, r"the class Digits \(call it: Digits\(\)\)"),
    ],
)
def test_anything_else_is_answered_with_what_is_accepted(data, got):
    with pytest.raises(
        ValueError, match=f'^data must be "digits", "tfds:NAME", "path/to/file.npz", a tuple .*; got {got}$'
    ):
        resolve(data)
