"""What the sections of a report say, without a browser."""

import base64
import dataclasses
import gzip
import json

import numpy as np
import pytest
from analysis_cases import evaluation
from report_cases import CONFIG, subject

import evonas
from evonas.report.analysis import MutationKind
from evonas.report.comparison import comparison, grouped
from evonas.report.drawings import packed_drawings
from evonas.report.page import as_script
from evonas.report.sections.devices import devices
from evonas.report.sections.genes import success
from evonas.report.sections.progress import POINTS, thinned
from evonas.report.sections.result import result
from evonas.report.sections.tradeoff import tradeoff
from evonas.types import Span

SPACE = evonas.spaces.BitString(dim=4)


def told(*rows):
    """Evaluations with a fitness, and metrics by name."""
    evaluations = []
    for number, (fitness, metrics) in enumerate(rows):
        one = evaluation(number, (number % 2, 0, 1, 1), fitness)
        evaluations.append(one._replace(measurement=one.measurement._replace(metrics=metrics, seconds=2.0)))
    return evaluations


def trained(evaluations, objectives=(), **changes):
    """A run that trained its candidates."""
    config = CONFIG | {"training": {"objectives": list(objectives)}}
    made = {"config": config, "evaluations": evaluations, "spans": ()}
    return dataclasses.replace(subject(SPACE, 5), **made | changes)


def test_an_accuracy_has_wilsons_interval_where_the_number_of_examples_is_known():
    run = trained(told((0.5, {"accuracy": 0.5}), (0.9, {"accuracy": 0.9})), examples={"validation": 100})
    measure = result(run).panels[0].measures[0]
    assert measure.value == "90.00 %"
    assert "95 % interval 82.6 to 94.5 % (100 examples)" in measure.label  # Wilson 1927, 90 of 100


def test_a_cost_is_shown_as_it_is_and_not_as_its_fitness():
    run = trained(told((-3.0, {}), (-2.0, {})), objectives=["mean_absolute_error"])
    assert result(run).panels[0].measures[0].value == "2"
    assert run.values().tolist() == [3.0, 2.0]


def test_the_front_joins_what_no_other_candidate_beats_in_fitness_and_cost():
    rows = [(0.5, 10), (0.9, 30), (0.8, 40), (0.7, 20), (0.4, 15)]
    run = trained(told(*[(value, {"accuracy": value, "parameters": size}) for value, size in rows]))
    figure = tradeoff(run).panels[0].views[0].figure
    front = next(trace for trace in figure.data if trace.name == "Pareto front")
    assert list(front.customdata) == [0, 3, 1]
    assert np.allclose(front.x, [10, 20, 30])


def test_time_without_a_process_is_no_idle_time():
    spans = [Span("train", 0, start, 10.0, 10.0, (0,)) for start in (1000.0, 1010.0, 900_000.0)]
    figure = devices(trained(told((1.0, {}), (2.0, {})), spans=spans)).panels[0].views[0].figure
    bars = next(trace for trace in figure.data if trace.name == "train")
    assert np.allclose(np.array(bars.base) * 60, [0.0, 10.0, 20.0])


def test_failures_are_grouped():
    run = trained(told((1.0, {}), (None, {}), (None, {})))
    assert devices(run).panels[0].rows == [("diverged", "2", "66.7 %", "1, 2")]


def test_each_different_architecture_is_drawn_once():
    space = evonas.spaces.NASBench201()
    run = subject(space, evaluations=30)
    twice = [(space, one) for one in run.evaluations] * 2
    packed = packed_drawings(twice)
    drawings = [svg for block in packed["blocks"] for svg in json.loads(gzip.decompress(base64.b64decode(block)))]
    assert len(drawings) == len({one.architecture for one in run.evaluations})
    for (_, one), number in zip(twice, packed["numbers"], strict=True):
        assert one.architecture in drawings[number]


def test_no_text_ends_the_script_that_holds_it():
    text = as_script({"name": "</script><!--&"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script><!--&"}


def test_a_long_curve_keeps_its_ends():
    rows = thinned(1_000_000)
    assert len(rows) == POINTS
    assert (rows[0], rows[-1]) == (0, 999_999)


def test_runs_that_differ_in_their_seed_alone_are_one_group():
    runs = [subject(SPACE, 30, seed) for seed in range(2)]
    other = dataclasses.replace(runs[0], config=runs[0].config | {"algorithm": {"population_size": 7}})
    groups = grouped([*runs, other])
    assert [len(group.runs) for group in groups] == [2, 1]
    assert groups[1].name.startswith("population_size 7")


def test_runs_of_different_objectives_are_not_compared():
    runs = [subject(SPACE, 30), trained(told((0.5, {"accuracy": 0.5})))]
    with pytest.raises(ValueError, match="accuracy, fitness"):
        comparison(runs)


def test_a_comparison_opens_without_a_complaint(open_page):
    runs = [subject(SPACE, 30, seed, workdir=f"runs/{seed}") for seed in range(4)]
    runs += [
        dataclasses.replace(run, config=run.config | {"batch_size": 5}, workdir=f"runs/other{run.workdir[-1]}")
        for run in (subject(SPACE, 30, seed + 4, workdir=f"runs/{seed}") for seed in range(4))
    ]
    opened = open_page(comparison(runs))
    opened.scroll_through()
    assert "Mann-Whitney U" in opened.page.inner_text("#result")
    opened.page.locator("#rows tbody tr[data-row]").nth(5).click()
    opened.page.locator("#detail svg").wait_for()
    assert not opened.complaints


def test_a_mutation_that_was_tried_once_does_not_lead():
    kinds = [MutationKind("once", 1, 1, 0.1), MutationKind("never", 9, 0, -0.1), MutationKind("often", 40, 30, 0.1)]
    (bars,) = success(kinds).data
    assert list(bars.y) == ["never", "once", "often"]  # from the bottom
    assert list(bars.text) == ["0 of 9", "1 of 1", "30 of 40"]
