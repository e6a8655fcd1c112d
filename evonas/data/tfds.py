"""Data sets of tensorflow-datasets, read without TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from etils import epath

from evonas.data.dataset import Dataset, Split
from evonas.data.split import divide
from evonas.object_store import is_remote
from evonas.storage import exists, files_in, read_whole

BATCH = 512


@dataclasses.dataclass(frozen=True)
class TFDS:
    """A data set of tensorflow-datasets whose examples all have one shape.

    What is not yet prepared in ``data_dir`` is downloaded and written there as ArrayRecord. Splits are written as
    tensorflow-datasets does: ``train[:20%]``, ``train[5000:]``, ``train+extra``.

    Attributes:
        name: the data set, perhaps with configuration and version: ``cifar10``, ``emnist/letters``, ``cifar10:3.0.2``.
        data_dir: the folder of prepared data sets, by default ``TFDS_DATA_DIR`` or ``~/tensorflow_datasets``. Also in a
            bucket, from which the data set's files are copied to the disk while they are read.
        train: the split that candidates are trained on.
        validation: the split that guides the search; by default a part of train.
        test: the split of the final figure; None if there is none.
        validation_share: the share of train that guides the search, where no validation split is given.
        split_seed: chooses the validation examples and those that `limit` keeps.
        limit: how many training examples to use; all by default.
    """

    name: str
    data_dir: str | None = None
    train: str = "train"
    validation: str | None = None
    test: str | None = "test"
    validation_share: float = 0.1
    split_seed: int = 0
    limit: int | None = None

    def load(self) -> Dataset:
        """The data set, prepared if need be, checked and split.

        Raises:
            FileNotFoundError: if it is not prepared and cannot be.
            ValueError: if there is no such data set or split, two splits overlap, or its examples are not arrays of
                one shape with one label each.
        """
        with _local(self._prepared(self._builder())) as builder:
            return self._load(builder)

    def _load(self, builder: Any) -> Dataset:
        specs = {"train": self.train, "validation": self.validation, "test": self.test}
        asked = {part: spec for part, spec in specs.items() if spec is not None}
        self._check_splits(builder, asked)
        keys = self._keys(builder)
        read = {part: self._read(builder, spec, keys, part) for part, spec in asked.items()}
        names = getattr(builder.info.features[keys[1]], "names", None) or ()
        return divide(
            builder.name,
            read["train"],
            read.get("validation"),
            read.get("test"),
            label_names=tuple(names),
            validation_share=self.validation_share,
            split_seed=self.split_seed,
            limit=self.limit,
        )

    @property
    def _folder(self) -> str:
        return self.data_dir or "the default data_dir"

    def _builder(self) -> Any:
        import tensorflow_datasets as tfds

        if self.data_dir is not None and not exists(epath.Path(self.data_dir)):
            raise FileNotFoundError(
                f"data_dir {self.data_dir} does not exist; create it to have {self.name} downloaded there"
            )
        try:
            return tfds.builder(self.name, data_dir=self.data_dir)
        except tfds.core.DatasetNotFoundError as error:
            raise ValueError(
                f"tensorflow-datasets has no data set {self.name!r}, and {self._folder} holds none that is prepared; "
                "check the name (tensorflow.org/datasets/catalog) and data_dir"
            ) from error
        except (ValueError, AssertionError, ImportError) as error:
            raise ValueError(f"tensorflow-datasets cannot build {self.name!r}: {_sentence(error)}") from error

    def _prepared(self, builder: Any) -> Any:
        if builder.is_prepared():
            return builder
        absent = f"{self.name} is not prepared in {self._folder} and cannot be prepared there"
        try:
            builder.download_and_prepare(file_format="array_record")
            return builder
        except ImportError as error:
            raise FileNotFoundError(
                f"{absent} without the package {error.name or _sentence(error)}; "
                "install it, or point data_dir to a folder where the data set is prepared"
            ) from error
        # Whatever a data set's own code, its server or the disk makes of it: the user needs the one sentence.
        except Exception as error:
            if (again := self._builder()).is_prepared():  # meanwhile, by another process
                return again
            raise FileNotFoundError(
                f"{absent}: {type(error).__name__}: {_sentence(error)}; "
                "check the network, or point data_dir to a folder where the data set is prepared"
            ) from error

    def _check_splits(self, builder: Any, asked: dict[str, str]) -> None:
        import tensorflow_datasets as tfds

        ranges: list[tuple[str, str, int, int]] = []
        for part, spec in asked.items():
            try:
                pieces = tfds.core.ReadInstruction.from_spec(spec).to_absolute(builder.info.splits)
            except (ValueError, AssertionError) as error:
                raise ValueError(
                    f"{self.name} has no split {spec!r} for `{part}`; it has {', '.join(builder.info.splits)}, "
                    "and parts of them such as train[:20%]"
                ) from error
            for piece in pieces:
                stop = builder.info.splits[piece.splitname].num_examples if piece.to is None else piece.to
                ranges.append((part, piece.splitname, piece.from_ or 0, stop))
            if all(start >= stop for owner, _, start, stop in ranges if owner == part):
                raise ValueError(f"`{part}` {spec!r} of {self.name} is empty; give at least one example")
        _check_disjoint(ranges, asked)

    def _keys(self, builder: Any) -> tuple[str, str]:
        keys = builder.info.supervised_keys
        if keys is None or len(keys) != 2 or not all(isinstance(key, str) for key in keys):
            raise ValueError(
                f"{self.name} must name one input and one target (supervised keys), it names {keys}; "
                "choose a classification data set, or load it yourself and give evonas.data.Arrays"
            )
        for key in keys:
            feature = builder.info.features[key]
            if not _is_numeric(feature):
                raise ValueError(
                    f"{self.name} must give each {key!r} as numbers of one known shape, but it is {feature}; "
                    "convert them yourself and give evonas.data.Arrays"
                )
        return keys

    def _read(self, builder: Any, spec: str, keys: tuple[str, str], part: str) -> Split:
        features = [builder.info.features[key] for key in keys]
        try:
            arrays = _arrays(builder.as_data_source(spec), keys, features)
        except NotImplementedError as error:
            raise ValueError(
                f"{self.name} must be prepared as ArrayRecord, but {self._folder} holds it as "
                f"{builder.info.file_format.value}; give another data_dir, where it is prepared anew"
            ) from error
        except (RuntimeError, OSError, ValueError) as error:
            raise ValueError(
                f"the files of {self.name} in {self._folder} are damaged or missing: {_sentence(error)}; "
                "copy or prepare them again"
            ) from error
        return Split.of(arrays[0], arrays[1], f"{self.name}: {part}")


@contextlib.contextmanager
def _local(builder: Any) -> Iterator[Any]:
    """The data set, of a bucket a copy on disk: ArrayRecord's reader asks a bucket for each example by itself."""
    import tensorflow_datasets as tfds

    if not is_remote(builder.data_path):
        yield builder
        return
    with tempfile.TemporaryDirectory(prefix="evonas-") as copy:
        for file in files_in(epath.Path(builder.data_path)):
            Path(copy, file.name).write_bytes(read_whole(file))
        yield tfds.builder_from_directory(copy)


def _arrays(source: Any, keys: tuple[str, str], features: list[Any]) -> list[np.ndarray]:
    """Every example's input and target, in the order of the source."""
    arrays = [np.empty((len(source), *feature.shape), feature.np_dtype) for feature in features]
    for start in range(0, len(source), BATCH):
        places = range(start, min(start + BATCH, len(source)))
        # One call a batch: reading example by example takes several times as long.
        for place, example in zip(places, source.__getitems__(places), strict=True):
            for key, array in zip(keys, arrays, strict=True):
                array[place] = example[key]
    return arrays


def _check_disjoint(ranges: list[tuple[str, str, int, int]], asked: dict[str, str]) -> None:
    for index, (part, split, start, stop) in enumerate(ranges):
        for other, other_split, other_start, other_stop in ranges[:index]:
            if split == other_split and max(start, other_start) < min(stop, other_stop):
                raise ValueError(
                    f"`{other}` {asked[other]!r} and `{part}` {asked[part]!r} share examples; give each its own part, "
                    "as in train='train[20%:]', validation='train[:20%]'"
                )


def _is_numeric(feature: Any) -> bool:
    shape = feature.shape
    return isinstance(shape, tuple) and None not in shape and np.dtype(feature.np_dtype).kind in "buif"


def _sentence(error: BaseException) -> str:
    """The first line of a message that may be a page long."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else "no reason given"
