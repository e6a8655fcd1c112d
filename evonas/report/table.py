"""Data frames as files that other programs read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from etils import epath

from evonas.storage import write_whole

if TYPE_CHECKING:
    import pandas as pd


def write_csv(table: pd.DataFrame, path: Any) -> None:
    """Write comma-separated values in UTF-8, with a line of names; numbers with all their digits.

    Args:
        table: as `evonas.run.to_dataframe` gives.
        path: of the file, local or of an object store; what was there is replaced.

    Raises:
        OSError: if it can't be written.
    """
    write_whole(epath.Path(path), table.to_csv(index=False, lineterminator="\n").encode())


def write_parquet(table: pd.DataFrame, path: Any) -> None:
    """Write Apache Parquet, which keeps the types of the columns. Arguments and errors are those of `write_csv`.

    Raises:
        ImportError: if pyarrow is not installed.
    """
    buffer = io.BytesIO()
    try:
        table.to_parquet(buffer, engine="pyarrow", index=False)
    except ImportError as error:
        raise ImportError('Parquet needs pyarrow: pip install "evonas[report]", or write CSV') from error
    write_whole(epath.Path(path), buffer.getvalue())
