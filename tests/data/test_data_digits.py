import numpy as np
import pytest
from sklearn.datasets import load_digits

from evonas.data import Digits


def rows(split):
    return {image.tobytes() for image in split.inputs}


def test_the_digits_are_all_of_scikit_learns_each_once():
    dataset = Digits().load()
    assert (dataset.name, dataset.task, dataset.classes, dataset.input_shape) == (
        "digits",
        "classification",
        10,
        (8, 8, 1),
    )
    assert [len(split) for split in dataset.splits().values()] == [1294, 144, 359]
    assert dataset.train.inputs.dtype == np.uint8
    together = np.concatenate([split.inputs for split in dataset.splits().values()])
    assert (together.min(), together.max()) == (0, 16)
    expected = load_digits().images.astype(np.uint8)
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in expected)


def test_the_images_keep_their_labels():
    bunch = load_digits()
    label = {image.astype(np.uint8).tobytes(): target for image, target in zip(bunch.images, bunch.target, strict=True)}
    for split in Digits().load().splits().values():
        assert [label[image.tobytes()] for image in split.inputs] == split.targets.tolist()


def test_no_digit_is_in_two_splits():
    train, validation, test = (rows(split) for split in Digits().load().splits().values())
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_each_split_has_the_shares_of_the_classes():
    shares = np.bincount(load_digits().target) / 1797
    for split in Digits().load().splits().values():
        assert np.abs(np.bincount(split.targets) - shares * len(split)).max() <= 1


def test_the_test_split_is_the_same_for_all_settings():
    default, other = Digits().load(), Digits(validation_share=0.3, split_seed=5, limit=50).load()
    np.testing.assert_array_equal(default.test.inputs, other.test.inputs)
    assert (len(other.train), len(other.validation)) == (50, 431)
    assert rows(Digits(split_seed=1).load().validation) != rows(default.validation)


def test_loading_is_deterministic():
    assert Digits().load().fingerprint() == Digits().load().fingerprint()
    assert Digits(split_seed=1).load().fingerprint() != Digits().load().fingerprint()


def test_a_limit_below_the_number_of_classes_is_refused():
    with pytest.raises(ValueError, match=r"`limit` must be at least 10 training examples, one a class, got 9"):
        Digits(limit=9).load()
