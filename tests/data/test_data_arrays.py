import numpy as np
import pytest

from evonas.data import Arrays


def test_arrays_become_a_data_set():
    dataset = Arrays(np.zeros((40, 6)), np.arange(40) % 4, name="mine", label_names=("a", "b", "c", "d")).load()
    assert (dataset.name, dataset.task, dataset.classes, dataset.input_shape) == ("mine", "classification", 4, (6,))
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (36, 4, None)
    assert dataset.label_names == ("a", "b", "c", "d")


def test_given_splits_are_used():
    dataset = Arrays(
        np.zeros((40, 5, 5)),
        np.arange(40) % 4,
        test_inputs=np.ones((8, 5, 5)),
        test_targets=np.arange(8) % 4,
        validation_inputs=np.full((4, 5, 5), 2),
        validation_targets=np.arange(4),
    ).load()
    assert dataset.input_shape == (5, 5, 1)
    assert [float(split.inputs.max()) for split in dataset.splits().values()] == [0, 1 + 1, 1]
    assert [len(split) for split in dataset.splits().values()] == [40, 4, 8]


def test_floating_targets_mean_regression():
    dataset = Arrays(np.zeros((40, 6)), np.zeros((40, 2)), limit=10, validation_share=0.5).load()
    assert (dataset.task, dataset.classes, len(dataset.train), len(dataset.validation)) == ("regression", 2, 10, 20)


def test_the_settings_of_a_draw_are_used():
    source = {"inputs": np.arange(40.0)[:, None], "targets": np.arange(40) % 2}
    assert Arrays(**source).load().fingerprint() == Arrays(**source).load().fingerprint()
    assert Arrays(**source, split_seed=1).load().fingerprint() != Arrays(**source).load().fingerprint()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_inputs": np.zeros((4, 6))}, "`test_inputs` needs `test_targets` too; give both or neither"),
        ({"validation_targets": np.zeros(4)}, "`validation_targets` needs `validation_inputs` too"),
        ({"targets": np.arange(39)}, "train has 40 inputs and 39 targets"),
        ({"test_inputs": np.zeros((4, 7)), "test_targets": [0] * 4}, r"test inputs are float32 of shape \[7\] each"),
        ({"test_inputs": np.zeros((0, 6)), "test_targets": []}, "test is empty"),
        ({"test_inputs": np.zeros((1, 6)), "test_targets": [9]}, "test has label 9, which train never has"),
    ],
)
def test_what_does_not_fit_is_said(changes, message):
    source = {"inputs": np.zeros((40, 6)), "targets": np.arange(40) % 4, **changes}
    with pytest.raises(ValueError, match=message):
        Arrays(**source).load()


def test_one_hot_floats_are_a_regression_with_a_warning():
    with pytest.warns(UserWarning, match=r"each row is one-hot: if they are class labels, give their \.argmax\(1\)"):
        dataset = Arrays(np.ones((20, 2)), np.eye(3)[np.arange(20) % 3]).load()
    assert dataset.task == "regression"


def test_floats_that_look_like_labels_are_a_regression_with_a_warning():
    labels = np.tile([0.0, 1.0], 10)
    with pytest.warns(UserWarning, match=r"floats, so this is a regression, though they are 0 to 1 only"):
        dataset = Arrays(np.ones((20, 2)), labels, np.ones((1, 2)), np.ones(1, np.float32) / 2).load()
    assert dataset.task == "regression"
