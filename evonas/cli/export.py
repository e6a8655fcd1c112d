"""``evonas export``: a run's history as one table."""

from __future__ import annotations

from rich.console import Console

from evonas.cli import display, stored
from evonas.cli.commands import Workdir
from evonas.report.table import write_csv, write_parquet


def export(workdir: Workdir, csv: str | None = None, parquet: str | None = None) -> None:
    """Write a run's history as a table, one row an evaluation, by id: docs/workdir.md describes its columns.

    Args:
        workdir: of the run, finished or not, local or gs://.
        csv: file of comma-separated values to write, local or gs://.
        parquet: file of Apache Parquet to write, local or gs://.
    """
    if csv is None and parquet is None:
        raise ValueError("expected a file to write, got none: give --csv FILE, --parquet FILE, or both")
    _, log = stored.history_of(workdir)
    space = stored.space_of(workdir)
    table = log.to_dataframe(None if space is None else space.genes).sort_values("id", ignore_index=True)
    for path, write in ((csv, write_csv), (parquet, write_parquet)):
        if path is not None:
            write(table, path)
            display.print_hint(Console(), f"{path}: {len(table)} evaluations, {len(table.columns)} columns")
