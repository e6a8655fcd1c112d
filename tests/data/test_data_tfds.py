import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evonas.data import TFDS

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "datasets" / "tfds"
needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the prepared data sets are not at {FOLDER}")


def digits(**settings):
    return TFDS("digits", data_dir=str(FOLDER), **settings)


def rows_of(split):
    """The rows of scikit-learn's arrays, in the order of the records."""
    import tensorflow_datasets as tfds

    source = tfds.builder("digits", data_dir=str(FOLDER)).as_data_source(split)
    return np.array(
        [int(example["id"].removeprefix(b"digits_")) for example in source.__getitems__(range(len(source)))]
    )


@pytest.fixture
def copied(tmp_path):
    for file in (FOLDER / "digits" / "1.0.0").iterdir():
        target = tmp_path / "digits" / "1.0.0" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path


@pytest.fixture
def unprepared(monkeypatch):
    """Make the next preparation of CIFAR-10 end as given."""
    import tensorflow_datasets as tfds

    def fail(error):
        def prepare(_, *, file_format):
            assert file_format == "array_record"
            raise error

        monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", prepare)

    return fail


@needs_data
def test_the_digits_folder_equals_scikit_learns_arrays():
    bunch = load_digits()
    dataset = digits(validation="test[:100]", test="test[100:]").load()
    images = np.concatenate([split.inputs for split in dataset.splits().values()])
    labels = np.concatenate([split.targets for split in dataset.splits().values()])
    rows = np.concatenate([rows_of("train"), rows_of("test")])
    assert [len(split) for split in dataset.splits().values()] == [1437, 100, 260]
    assert sorted(rows[:1437]) == list(range(1437))
    assert sorted(rows) == list(range(1797))
    np.testing.assert_array_equal(images[..., 0], bunch.images[rows])
    np.testing.assert_array_equal(labels, bunch.target[rows])
    assert (dataset.name, dataset.classes, dataset.input_shape) == ("digits", 10, (8, 8, 1))
    assert dataset.train.inputs.dtype == np.uint8


@needs_data
def test_parts_of_splits_are_read():
    dataset = digits(train="train[20%:]", validation="train[:20%]", test=None).load()
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (1150, 287, None)
    np.testing.assert_array_equal(dataset.validation.inputs[..., 0], load_digits().images[rows_of("train[:20%]")])


@needs_data
def test_without_a_validation_split_a_stratified_part_of_train_is_taken():
    dataset = digits(validation_share=0.2, limit=100).load()
    assert [len(split) for split in dataset.splits().values()] == [100, 287, 360]
    assert np.bincount(dataset.train.targets).min() >= 9
    images = [{image.tobytes() for image in split.inputs} for split in dataset.splits().values()]
    assert not images[0] & images[1]
    assert digits(validation_share=0.2, limit=100).load().fingerprint() == dataset.fingerprint()
    assert digits(validation_share=0.2, limit=100, split_seed=1).load().fingerprint() != dataset.fingerprint()


@needs_data
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test": "nope"}, "digits has no split 'nope' for `test`; it has train, test, and parts"),
        ({"train": "train[oops]"}, r"digits has no split 'train\[oops\]' for `train`"),
        ({"validation": "train[:20%]"}, r"`train` 'train' and `validation` 'train\[:20%\]' share examples; give each"),
        ({"validation": "test[350:]"}, r"`validation` 'test\[350:\]' and `test` 'test' share examples"),
        ({"train": "train[:0]"}, r"`train` 'train\[:0\]' of digits is empty"),
        ({"train": "train[:3]"}, "train must have every label from 0 to 9, but none of its examples has label 1"),
    ],
)
def test_what_is_wrong_with_a_split_is_said(settings, message):
    with pytest.raises(ValueError, match=message):
        digits(**settings).load()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nosuchset", "no data set 'nosuchset', and .* holds none that is prepared; check the name"),
        ("cifar10:1.0.0", "cannot build 'cifar10:1.0.0'.* cannot be loaded at version 1.0.0, only: 3.0.2$"),
        ("", "cannot build '': Parsing builder name string"),
    ],
)
def test_a_data_set_that_there_is_not_is_said_in_one_line(tmp_path, name, message):
    with pytest.raises(ValueError, match=message) as caught:
        TFDS(name, data_dir=str(tmp_path)).load()
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named_before_anything_is_downloaded(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist; create it to have cifar10 downloaded there"):
        TFDS("cifar10", data_dir=str(tmp_path / "nowhere")).load()
    assert not (tmp_path / "nowhere").exists()


def test_a_download_that_fails_is_said_in_one_line(tmp_path, unprepared):
    unprepared(ConnectionError("no route to host\nand much more"))
    with pytest.raises(
        FileNotFoundError, match=r"cifar10 is not prepared in .*: ConnectionError: no route to host; check"
    ):
        TFDS("cifar10", data_dir=str(tmp_path)).load()


def test_a_package_that_preparing_needs_is_named(tmp_path, unprepared):
    unprepared(ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow"))
    with pytest.raises(FileNotFoundError, match=r"cannot be prepared there without the package tensorflow; install it"):
        TFDS("cifar10", data_dir=str(tmp_path)).load()


@needs_data
def test_other_file_formats_and_missing_files_are_said(copied):
    source = TFDS("digits", data_dir=str(copied))
    assert len(source.load().test) == 360
    (copied / "digits/1.0.0/digits-test.array_record-00000-of-00001").unlink()
    with pytest.raises(ValueError, match=r"the files of digits in .* are damaged or missing: .*; copy or prepare them"):
        source.load()
    info = copied / "digits/1.0.0/dataset_info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "fileFormat": "tfrecord"}))
    with pytest.raises(ValueError, match=r"digits must be prepared as ArrayRecord, but .* holds it as tfrecord; give"):
        source.load()


@needs_data
def test_data_without_an_input_and_a_target_are_said(copied):
    info = copied / "digits/1.0.0/dataset_info.json"
    content = json.loads(info.read_text())
    del content["supervisedKeys"]
    info.write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=r"digits must name one input and one target \(supervised keys\), it names None"
    ):
        TFDS("digits", data_dir=str(copied)).load()
    keys = {"tuple": {"items": [{"featureKey": "id"}, {"featureKey": "label"}]}}
    info.write_text(json.dumps({**content, "supervisedKeys": keys}))
    with pytest.raises(ValueError, match=r"digits must give each 'id' as numbers of one known shape, but it is Text"):
        TFDS("digits", data_dir=str(copied)).load()


@needs_data
def test_reading_imports_no_tensorflow():
    program = (
        "import sys; from evonas.data import TFDS\n"
        "assert not {'tensorflow_datasets', 'sklearn', 'tensorflow'} & set(sys.modules)\n"
        f"TFDS('digits', data_dir={str(FOLDER)!r}).load()\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)


@needs_data
@pytest.mark.slow
def test_cifar10_is_the_published_one():
    dataset = TFDS("cifar10", data_dir=str(FOLDER), validation_share=0.1).load()
    assert [len(split) for split in dataset.splits().values()] == [45000, 5000, 10000]
    assert [np.bincount(split.targets).tolist() for split in dataset.splits().values()] == [
        [4500] * 10,
        [500] * 10,
        [1000] * 10,
    ]
    assert (dataset.input_shape, dataset.label_names[3]) == ((32, 32, 3), "cat")
    whole = np.concatenate([dataset.train.inputs, dataset.validation.inputs])
    mean, square = (
        sum((whole[k::50].astype(float) ** p).sum((0, 1, 2)) for k in range(50)) / (50000 * 1024) for p in (1, 2)
    )
    np.testing.assert_allclose(mean, [125.3069, 122.9504, 113.8654], atol=5e-5)
    np.testing.assert_allclose(np.sqrt(square - mean**2), [62.9932, 62.0887, 66.7049], atol=5e-5)
    mean, deviation = dataset.statistics()
    np.testing.assert_allclose(mean, [125.3069, 122.9504, 113.8654], atol=0.5)
    np.testing.assert_allclose(deviation, [62.9932, 62.0887, 66.7049], atol=0.5)
