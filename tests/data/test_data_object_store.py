"""Data in a bucket are those of the local disk."""

import io

import numpy as np
import pytest
from test_data_tfds import FOLDER, needs_data

from evonas.data import TFDS, Npz


def test_an_archive_is_read_from_a_bucket(object_store):
    file = io.BytesIO()
    np.savez(file, x_train=np.arange(80.0).reshape(40, 2), y_train=np.arange(40) % 2)
    object_store.put("data/made.npz", file.getvalue())
    dataset = Npz("gs://bucket/data/made.npz").load()
    assert (dataset.name, len(dataset.train), len(dataset.validation)) == ("made", 36, 4)


def test_an_archive_that_is_not_in_the_bucket_is_said(object_store):
    object_store.put("data/made.npz/file", b"{}")
    with pytest.raises(FileNotFoundError, match=r"expected an .npz file at gs://bucket/made.npz, found nothing; check"):
        Npz("gs://bucket/made.npz").load()


@needs_data
@pytest.mark.usefixtures("quick_retries")
def test_a_prepared_data_set_is_read_from_a_bucket_amid_failures(object_store):
    for file in (FOLDER / "digits" / "1.0.0").iterdir():
        object_store.put(f"tfds/digits/1.0.0/{file.name}", file.read_bytes())
    with object_store.failing(0.1, 3):
        dataset = TFDS("digits", data_dir="gs://bucket/tfds").load()
    assert dataset.fingerprint() == TFDS("digits", data_dir=str(FOLDER)).load().fingerprint()


def test_a_folder_that_is_not_in_the_bucket_is_named(object_store):
    object_store.put("elsewhere/file", b"{}")
    with pytest.raises(FileNotFoundError, match="data_dir gs://bucket/nowhere does not exist"):
        TFDS("digits", data_dir="gs://bucket/nowhere").load()
