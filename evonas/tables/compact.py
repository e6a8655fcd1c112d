"""The compact form of tables: an ``.npz`` of one row an architecture."""

from __future__ import annotations

import zipfile

import numpy as np
from etils import epath


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz``.

    Raises:
        ValueError: if it is none, is damaged, or would need pickle.
    """
    try:
        with epath.Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive}
    except (zipfile.BadZipFile, NotImplementedError, TypeError, ValueError, EOFError) as error:
        # Not NumPy's own words, which advise to allow pickles.
        raise ValueError(f"{path} is not an .npz file of plain arrays, or is damaged") from error
