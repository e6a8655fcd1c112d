"""The view of a search: a picture in a terminal, lines elsewhere, nothing if it is told to be quiet; and `status`."""

import io
import itertools
import re
import time

import pytest
from etils import epath
from rich.console import Console
from test_cli_run import facts_in

import evonas
from evonas.cli import facts, live, stored
from evonas.cli.live import LiveView
from evonas.report.progress import Progress
from evonas.run import RunLog
from evonas.run.timeline import DeviceTimes, spans_in


def fitness(candidates):
    """A third fails; the best are those with many convolutions."""
    return [float("nan") if genome[0] == 4 else float((genome == 3).mean()) for genome in candidates.genomes]


def search(console, **settings):
    given = {"evaluations": 23, "batch_size": 5, "fitness": fitness, "seed": 1} | settings
    algorithm = evonas.regularized_evolution(population_size=6, sample_size=3)
    return evonas.search(evonas.spaces.NASBench201(), algorithm=algorithm, callbacks=[LiveView(console)], **given)


def terminal(encoding="utf-8", width=90):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    return Console(file=file, force_terminal=True, width=width, height=40, legacy_windows=False, color_system=None)


def text_of(console):
    console.file.seek(0)
    return console.file.read()


def test_a_terminal_shows_what_is_known(tmp_path):
    console = terminal(width=120)
    run = search(console, workdir=tmp_path)
    picture = text_of(console)
    failed = sum(not evaluation.fitness for evaluation in run.log)
    assert 0 < failed < 23
    assert f"evonas - done - {tmp_path}"[:40] in picture
    assert "23/23 evaluations, 100%" in picture
    rows = dict(re.findall(r"^│ (\w[\w ]*?)(?:  +|, )(.*?) *│$", picture[picture.rindex("╭") :], re.MULTILINE))
    assert rows["best fitness"].startswith(f"{run.best.fitness[0]:.4f}  ")
    assert rows["failed"] == f"{failed} diverged"
    assert re.fullmatch(r"mean distance 0\.\d\d, \d+% unique", rows["diversity"])
    generation = run.population.generations[-1]
    assert rows["diversity"].startswith(f"mean distance {generation['mean_distance']:.2f}, ")
    assert rows["best so far"] == f"candidate {run.best.id}"
    assert f"│ {run.best.architecture} " in picture


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_cuts_values_and_no_names(width):
    console = terminal(width=width)
    search(console)
    lines = text_of(console)[text_of(console).rindex("╭") :].splitlines()
    assert max(map(len, lines)) <= width
    assert "│ median fitness  0." in "\n".join(lines)


def test_a_terminal_that_knows_ascii_alone_gets_no_other_letters():
    console = terminal("ascii", width=50)
    search(console)
    assert "23/23 evaluations" in text_of(console)
    assert "best fitness" in text_of(console)


def test_lines_come_one_an_interval_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(live, "PLAIN_SECONDS", 0.0)
    console = Console(file=io.StringIO(), width=80)
    run = search(console)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 24
    assert lines[-1] == "23/23 evaluations done"
    assert lines[-2].startswith("23/23 evaluations; ")
    assert f"best {run.best.fitness[0]:.4f}, median " in lines[-2]
    assert "diverged" in lines[-2]
    quick = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(live, "PLAIN_SECONDS", 1000.0)
    search(quick)
    assert quick.file.getvalue() == "23/23 evaluations done\n"


def test_what_earlier_processes_left_is_said_and_counted(tmp_path):
    search(terminal(), workdir=tmp_path, evaluations=12)
    console = terminal()
    search(console, workdir=tmp_path)
    assert "resuming: 12 of 23 evaluations are there" in text_of(console)
    assert "23/23 evaluations, 100%" in text_of(console)


def test_the_cursor_comes_back_when_a_search_fails():
    console, calls = terminal(), []

    def failing(candidates):
        calls.append(candidates)
        if len(calls) > 2:
            raise OSError("no power")
        return fitness(candidates)

    view = LiveView(console)
    with pytest.raises(OSError, match="no power"):
        evonas.search(evonas.spaces.NASBench201(), fitness=failing, evaluations=50, callbacks=[view])
    view.stop()
    assert text_of(console).rindex("\x1b[?25h") > text_of(console).rindex("\x1b[?25l")


def test_a_quiet_run_shows_its_result_alone_and_tensorboard_gets_it(evonas_here, folder):
    outcome = evonas_here("run", "pixels.py", "--workdir", "w", "--quiet", "--tensorboard", "t")
    assert outcome.code == 0, outcome
    assert outcome.out.lstrip().startswith("measuring the best")
    assert "evaluations done" not in outcome.out
    assert list((folder / "t").glob("*.tfevents.*"))
    spans = spans_in(folder / "w")
    trained = [span for span in spans if span.kind == "train"]
    assert sorted(span.candidates[0] for span in trained) == list(range(10))
    assert all(0 < span.busy <= span.seconds + 1e-3 for span in trained)
    log = RunLog(epath.Path(folder / "w" / "history"))
    assert sum(span.busy for span in trained) == pytest.approx(sum(each.measurement.seconds for each in log), abs=0.02)
    for device in {span.device for span in spans}:
        own = sorted((span for span in spans if span.device == device), key=lambda span: span.started)
        assert all(a.started + a.seconds <= b.started + 0.01 for a, b in itertools.pairwise(own))
    status = evonas_here("status", "w")
    devices = len({span.device for span in spans})
    assert re.fullmatch(
        rf"{devices}, \d+% busy; compile [\d.,]+ s, train [\d.,]+ s", facts_in(status.out)["devices"]
    ), status


def test_status_shows_the_diversity_and_the_course_of_a_run(evonas_here, finished):
    del finished
    shown = facts_in(evonas_here("status", "w").out)
    assert re.fullmatch(r"mean distance 0\.\d\d, \d+% unique", shown["diversity"])
    assert len(shown["median fitness"].split()[1]) == 10
    assert "pace" not in shown


@pytest.mark.parametrize(
    ("done", "running", "state"),
    [(3, True, "running"), (3, False, "stopped"), (10, False, "finished"), (10, None, "finished"), (0, None, "begun")],
)
def test_a_state_is_one_word(done, running, state):
    known = Progress(None, 4).facts()._replace(evaluations=done, finished=time.time() if done else 0.0)
    assert stored.state_of(known, 10, running) == state


def test_what_an_object_store_can_not_tell_is_said():
    known = Progress(None, 4).facts()._replace(evaluations=3, finished=time.time() - 3723)
    assert stored.state_of(known, 10, None) == "not finished; the last evaluation ended 1:02:03 ago"


@pytest.mark.parametrize(
    ("rate", "text"),
    [(25.0, "25.0/s"), (2.5, "150.0/min"), (0.5, "30.0/min"), (1 / 3600, "1.00/h"), (1234.0, "1,234.0/s")],
)
def test_a_rate_is_a_number_to_read(rate, text):
    assert facts.format_rate(rate) == text
    known = Progress(None, 4).facts()._replace(evaluations=5, rate=rate)
    assert facts.pace_of(known, 6).startswith(f"{text}, 0:00:0" if rate > 0.2 else f"{text}, 1:00:00 left")


def test_a_line_says_nothing_of_what_is_not_known():
    line = facts.line_of(Progress(None, 4).facts(), DeviceTimes(), 10)
    assert line == "0/10 evaluations; failed none"
