"""Data sets from NumPy archives."""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from typing import IO

import numpy as np

from evonas.data.dataset import Dataset, Split
from evonas.data.split import divide
from evonas.storage import open_whole

PREFIXES = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}
INPUTS = ("{}_image", "{}_images", "{}_inputs", "x_{}")
TARGETS = ("{}_label", "{}_labels", "{}_targets", "y_{}")


@dataclasses.dataclass(frozen=True)
class Npz:
    """A data set in a ``.npz`` file, which is never unpickled.

    The names of its arrays are ``train_image`` and ``train_label``, ``train_inputs`` and ``train_targets``, or, as in
    Keras, ``x_train`` and ``y_train``; likewise with ``test``, and with ``validation`` or ``val``, which may be
    missing. An array ``label_names`` may name the classes. Arrays with other names are not read. Shapes and types are
    those of `Arrays`.

    Attributes:
        path: the file, also in a bucket: ``gs://bucket/file.npz``.
        validation_share: the share of the training examples that guides the search, where the file has no validation
            arrays.
        split_seed: chooses the validation examples and those that `limit` keeps.
        limit: how many training examples to use; all by default.
    """

    path: str
    validation_share: float = 0.1
    split_seed: int = 0
    limit: int | None = None

    def load(self) -> Dataset:
        """The file's arrays, checked and split. The data set's name is the file's.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no such archive, lacks an array, holds pickled objects, or its arrays do not fit.
        """
        from etils import epath

        path = epath.Path(self.path).expanduser()
        try:
            opened = open_whole(path)
        except (FileNotFoundError, IsADirectoryError) as error:
            found = "nothing" if isinstance(error, FileNotFoundError) else "a folder"
            raise FileNotFoundError(f"expected an .npz file at {self.path}, found {found}; check the path") from error
        with opened as file:
            arrays = _Archive(self.path, file)
            train = arrays.split("train")
            validation, test = arrays.optional_split("validation"), arrays.optional_split("test")
            label_names = arrays.label_names()
        return divide(
            path.stem,
            train,
            validation,
            test,
            label_names=label_names,
            validation_share=self.validation_share,
            split_seed=self.split_seed,
            limit=self.limit,
        )


class _Archive:
    """An open ``.npz`` file; all its errors name it."""

    def __init__(self, path: str, file: IO[bytes]) -> None:
        self.path = path
        try:
            self.archive = np.load(file, allow_pickle=False)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is no .npz archive that NumPy can read; write it with numpy.savez") from error
        if not isinstance(self.archive, np.lib.npyio.NpzFile):
            raise ValueError(f"{path} holds a single array, not an .npz archive; write it with numpy.savez")

    def split(self, part: str) -> Split:
        """The arrays of one part."""
        inputs, targets = self.read(self.find(part, INPUTS)), self.read(self.find(part, TARGETS))
        return Split.of(inputs, targets, f"{self.path}: {part}")

    def optional_split(self, part: str) -> Split | None:
        """The same, or None if the file has neither inputs nor targets of that part."""
        names = _names(part, INPUTS) + _names(part, TARGETS)
        return self.split(part) if set(names) & set(self.archive.files) else None

    def find(self, part: str, forms: tuple[str, ...]) -> str:
        """The one name of these forms that the file has."""
        found = [name for name in _names(part, forms) if name in self.archive.files]
        if len(found) > 1:
            raise ValueError(f"{self.path} has both {found[0]} and {found[1]}; keep one of the two")
        if not found:
            raise ValueError(
                f"{self.path} needs one of the arrays {', '.join(_names(part, forms))}; "
                f"it has {', '.join(self.archive.files) or 'none at all'}"
            )
        return found[0]

    def read(self, name: str) -> np.ndarray:
        """One array."""
        try:
            return np.asarray(self.archive[name])
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            if "allow_pickle" in str(error):
                raise ValueError(
                    f"array {name} of {self.path} holds pickled Python objects, which are not read: "
                    "unpickling runs code; save it as an array of numbers"
                ) from error
            raise ValueError(f"array {name} of {self.path} is damaged; copy or write the file again") from error

    def label_names(self) -> tuple[str, ...]:
        """The names of the classes, or nothing."""
        if "label_names" not in self.archive.files:
            return ()
        return tuple(str(name) for name in self.read("label_names").ravel())


def _names(part: str, forms: tuple[str, ...]) -> list[str]:
    return [form.format(prefix) for prefix in PREFIXES[part] for form in forms]
