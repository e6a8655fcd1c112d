"""``evonas report`` and ``evonas compare``: runs as one HTML file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import tyro
from etils import epath
from rich.console import Console

from evonas.cli import stored
from evonas.cli.again import commands_of
from evonas.cli.commands import Workdir
from evonas.run import best_of
from evonas.run.result import kept_test
from evonas.run.timeline import spans_in
from evonas.storage import make_directory, write_whole

if TYPE_CHECKING:
    from evonas.report.subject import Subject

Workdirs = Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="WORKDIR")]


def report(workdir: Workdir, output: str | None = None) -> None:
    """Write one HTML file about a run, which needs nothing else to be looked at.

    Args:
        workdir: of the run, which may be going on.
        output: file to write; by default report.html in the workdir.
    """
    _check_extra()
    from evonas.report.report import report as page_of

    _write(page_of(_subject_of(workdir)), output or f"{workdir}/report.html")


def compare(workdirs: Workdirs, output: str = "comparison.html") -> None:
    """Write one HTML file that compares runs; those that differ in their seed alone are repeats of one another.

    Args:
        workdirs: of the runs, two or more.
        output: file to write.
    """
    _check_extra()
    from evonas.report.comparison import comparison

    if len(workdirs) < 2 or len(set(workdirs)) < len(workdirs):
        raise ValueError(f"give the workdirs of two or more different runs, got {shlex.join(workdirs) or 'none'}")
    _write(comparison([_subject_of(workdir) for workdir in workdirs]), output)


def _subject_of(workdir: str) -> Subject:
    """All that the workdir tells."""
    from evonas.report.subject import Subject

    config, log = stored.history_of(workdir)
    best = best_of(log)
    return Subject(
        workdir=workdir,
        config=config,
        evaluations=list(log),
        space=stored.space_of(workdir),
        examples=_examples_of(workdir),
        test=None if best is None else kept_test(workdir, best.id),
        commands=[] if best is None else commands_of(workdir, best),
        spans=spans_in(workdir),
    )


def _examples_of(workdir: str) -> dict[str, int]:
    """Examples of each split; none where the data are not here: then the report has no intervals, and says so."""
    try:
        dataset = stored.dataset_of(workdir, stored.experiment_of(workdir))
    except (ValueError, OSError, ImportError):
        return {}
    return {name: len(split) for name, split in dataset.splits().items()}


def _check_extra() -> None:
    try:
        import jinja2  # noqa: F401
        import plotly  # noqa: F401
        import scipy  # noqa: F401
    except ModuleNotFoundError as error:
        raise ImportError(f'a report needs {error.name}: pip install "evonas[report]"') from error


def _write(page: str, output: str) -> None:
    content = page.encode()
    path = epath.Path(output)
    make_directory(path.parent)
    write_whole(path, content)
    Console().print(f"{output}: {len(content) / 1e6:.1f} MB; open it in a browser", highlight=False, markup=False)
