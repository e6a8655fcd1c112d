"""``evonas COMMAND``: mistakes get one sentence, not a traceback."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from importlib.metadata import version

import tyro

from evonas.cli import commands
from evonas.cli.doctor import doctor
from evonas.cli.export import export
from evonas.cli.launch import launch
from evonas.cli.processes import FLAGS, join_processes
from evonas.cli.report import compare, report
from evonas.cli.reproduce import reproduce
from evonas.cli.supervision import end_with_parent, is_supervised, supervise
from evonas.cli.tables import convert_table
from evonas.preemption import AGAIN, Preempted, noticing
from evonas.run import NoAnswerError, OtherProcessError
from evonas.run.processes import together

USAGE = f"""usage: evonas COMMAND ...

commands:
  run FILE.py [--FIELD VALUE ...]  run the search of an experiment file, or continue it
  resume WORKDIR                   continue the search of a workdir
  status WORKDIR                   show how far a run is, how it goes, and how to continue it
  best WORKDIR                     show the best architecture of a run
  retrain WORKDIR                  train the best for good, and keep its weights
  report WORKDIR                   write one HTML file about a run
  compare WORKDIR WORKDIR ...      write one HTML file that compares runs
  export WORKDIR                   write the history as a table: --csv FILE, --parquet FILE
  reproduce NAME                   run a published experiment again; --list names them
  tables convert FROM TO.npz       a published benchmark table in compact form
  launch tpu|xpk FILE.py ...       run a search on Cloud TPU; also launch status|logs|stop NAME
  doctor                           show whether a search would run on this machine, and what to mend
  --version                        of evonas, JAX and Flax

{FLAGS}

evonas COMMAND --help says more; evonas run FILE.py --help lists the file's fields."""

COMMANDS: dict[str, Callable[..., None]] = {
    "resume": commands.resume,
    "status": commands.status,
    "best": commands.best,
    "retrain": commands.retrain,
    "report": report,
    "compare": compare,
    "export": export,
    "doctor": doctor,
}

IN_PROCESSES = ("run", "resume", "reproduce", "doctor")

PREEMPTIBLE = ("run", "resume", "reproduce", "retrain")

MISTAKE, INTERRUPTED = 2, 130
"""Exit codes beside 0 and AGAIN, with which the same command, in all processes, goes on: a mistake; Ctrl-C."""


def main() -> None:
    """The entry point."""
    arguments = sys.argv[1:]
    if is_supervised():
        end_with_parent()
    elif arguments[:1] and arguments[0] in IN_PROCESSES and "--distributed" in arguments:
        sys.exit(supervise(arguments))
    sys.exit(run_command(arguments))


def run_command(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else MISTAKE
    if arguments[0] == "--version":
        print(f"evonas {version('evonas')}, jax {version('jax')}, flax {version('flax')}")
        return 0
    name, *rest = arguments
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it shows each error in full, and the error is raised, too
    try:
        rest = join_processes(rest) if name in IN_PROCESSES else rest
        with noticing() if name in PREEMPTIBLE else contextlib.nullcontext(), together():
            return _dispatch(name, rest)
    except (NoAnswerError, Preempted, TimeoutError) as error:  # the last of an object store that does not answer
        print(f"evonas: {error}", file=sys.stderr)
        return AGAIN
    except OtherProcessError as error:
        print(f"evonas: {error}", file=sys.stderr)
        return AGAIN if error.again else MISTAKE
    except (ValueError, OSError, ImportError) as error:
        print(f"evonas: {_sentence(error)}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("\nevonas: stopped", file=sys.stderr)
        return INTERRUPTED


def _dispatch(name: str, rest: list[str]) -> int:
    if name == "run":
        if not rest or rest[0].startswith("-"):
            print("usage: evonas run FILE.py [--FIELD VALUE ...]\n\nevonas run FILE.py --help lists the file's fields.")
            return 0 if rest in (["-h"], ["--help"]) else MISTAKE
        commands.run(rest[0], rest[1:])
    elif name == "reproduce":
        reproduce(rest)
    elif name == "tables":
        convert_table(rest)
    elif name == "launch":
        launch(rest)
    elif name in COMMANDS:
        tyro.cli(COMMANDS[name], args=rest, prog=f"evonas {name}")
    else:
        print(f"evonas: unknown command {name!r}\n\n{USAGE}", file=sys.stderr)
        return MISTAKE
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror}: nothing already written is lost; mend this and run the same command again"
    return str(error)
