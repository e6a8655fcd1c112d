from pathlib import Path

import numpy as np
import pytest

from evonas.data import Npz

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "datasets"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded data sets are not at {DATA}")

X = np.random.default_rng(0).integers(0, 256, (60, 5, 5), np.uint8)
Y = np.arange(60) % 3


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "made.npz", **arrays)
        return Npz(str(tmp_path / "made.npz"))

    return save


@pytest.mark.parametrize(
    "form", [("{}_image", "{}_label"), ("{}_inputs", "{}_targets"), ("x_{}", "y_{}"), ("{}_images", "{}_labels")]
)
@pytest.mark.parametrize("validation", ["validation", "val"])
def test_all_names_of_the_arrays_are_known(saved, form, validation):
    names = [name.format(part) for part in ("train", validation, "test") for name in form]
    dataset = saved(**dict(zip(names, [X[:40], Y[:40], X[40:50], Y[40:50], X[50:], Y[50:]], strict=True))).load()
    for split, part in zip(dataset.splits().values(), (slice(40), slice(40, 50), slice(50, 60)), strict=True):
        np.testing.assert_array_equal(split.inputs[..., 0], X[part])
        np.testing.assert_array_equal(split.targets, Y[part])
    assert (dataset.name, dataset.input_shape, dataset.classes) == ("made", (5, 5, 1), 3)


def test_without_validation_and_test_a_part_of_train_is_validation(saved):
    dataset = saved(x_train=X, y_train=Y[:, None], other=np.zeros(3)).load()
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (54, 6, None)


def test_floating_targets_of_a_file_mean_regression(saved):
    dataset = saved(train_inputs=np.zeros((20, 3)), train_targets=np.zeros(20)).load()
    assert (dataset.task, dataset.classes, dataset.input_shape) == ("regression", 1, (3,))


def test_label_names_of_a_file_are_read(saved):
    assert saved(x_train=X, y_train=Y, label_names=np.array(["a", "b", "c"])).load().label_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y_train": Y}, "made.npz needs one of the arrays train_image, .*, x_train; it has y_train$"),
        ({"x_train": X}, "made.npz needs one of the arrays train_label, .*, y_train; it has x_train$"),
        ({}, "it has none at all"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "needs one of the arrays test_label, .*y_test; it has"),
        ({"x_train": X, "y_train": Y, "train_image": X}, "made.npz has both train_image and x_train; keep one"),
        ({"x_train": X, "y_train": Y[:9]}, "made.npz: train has 60 inputs and 9 targets"),
        ({"x_train": np.array([None, 1]), "y_train": Y}, "array x_train of .*made.npz holds pickled Python objects"),
        ({"x_train": X, "y_train": Y.astype(str)}, "made.npz: train targets must be an array of real numbers"),
    ],
)
def test_what_a_file_lacks_is_said(saved, arrays, message):
    with pytest.raises(ValueError, match=message):
        saved(**arrays).load()


def test_a_missing_file_and_a_folder_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected an .npz file at .*none.npz, found nothing; check the path"):
        Npz(str(tmp_path / "none.npz")).load()
    with pytest.raises(FileNotFoundError, match=r"found a folder"):
        Npz(str(tmp_path)).load()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off", b"\x80\x04N."])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad.npz is no .npz archive that NumPy can read"):
        Npz(str(tmp_path / "bad.npz")).load()


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(ValueError, match=r"one.npy holds a single array, not an .npz archive"):
        Npz(str(tmp_path / "one.npy")).load()


def test_a_damaged_array_is_said(saved, tmp_path):
    source = saved(x_train=X, y_train=Y)
    content = bytearray((tmp_path / "made.npz").read_bytes())
    content[500] ^= 255
    (tmp_path / "made.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"array x_train of .* is damaged; copy or write the file again"):
        source.load()


@needs_data
def test_mnist_has_its_official_sizes():
    dataset = Npz(str(DATA / "mnist.npz")).load()
    assert [len(split) for split in dataset.splits().values()] == [54000, 6000, 10000]
    assert dataset.input_shape == (28, 28, 1)
    counts = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    drawn = np.bincount(dataset.validation.targets)
    assert (np.bincount(dataset.train.targets) + drawn).tolist() == counts.tolist()
    assert np.abs(drawn - counts / 10).max() <= 1
    assert np.bincount(dataset.test.targets).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_data
def test_the_small_cifar_has_its_names_and_stays_balanced():
    dataset = Npz(str(DATA / "cifar10_small.npz"), validation_share=0.2, limit=100).load()
    assert dataset.label_names[:2] == ("airplane", "automobile")
    assert np.bincount(dataset.train.targets).tolist() == [10] * 10
    assert np.bincount(dataset.validation.targets).tolist() == [20] * 10
    assert dataset.test.inputs.shape == (500, 32, 32, 3)


@needs_data
def test_a_file_of_sentences_is_refused():
    with pytest.raises(
        ValueError, match=r"sst.npz needs one of the arrays train_image.*it has label_names, train_text"
    ):
        Npz(str(DATA / "sst.npz")).load()
