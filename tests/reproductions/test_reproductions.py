"""Quick forms of the reproductions, and what is made of their outcomes."""

import dataclasses
import math

import numpy as np
import pytest

from evonas.data import TFDS
from evonas.genome import genome_index
from evonas.reproductions import REPRODUCTIONS, Finding, Outcome, amoebanet, nasbench201, nasnet_search, recipe, toy
from evonas.reproductions.images import at_scale
from evonas.reproductions.outcome import Line, Panel, Published, markdown, table
from evonas.reproductions.plot import picture
from evonas.spaces import NASBench201, NASNet
from evonas.training import Training

TABLE = "data/nas_tables/nasbench201.npz"


@pytest.fixture(scope="module")
def digits_folder(shared):
    return TFDS("digits", data_dir=str(shared / "data/datasets/tfds"))


OUTCOME = Outcome(
    "name",
    "paper",
    (
        Finding.of("many", [0.9, 1.0, 1.1], Published(1.0, 0.0, 5, 0.05, "1.0 +- 0.1"), "not needed"),
        Finding.of("far", [1.0, 1.5], Published(2.0, 0.0, 5, 0.1, "2"), "a remark"),
        Finding("|one~0|", "", 123.456, math.nan, math.nan, 1),
    ),
    (
        Panel(
            *("title", "x", "y"),
            (Line("a", [1, 2], [3.0, 4.0], [0.1, 0.2]), Line("b", [1], [2.0], [], joined=False)),
            published=((2, 4.1),),
        ),
    ),
)


def test_a_finding_is_the_mean_of_its_repeats_and_knows_its_band():
    many, far, one = OUTCOME.findings
    assert many.mean == pytest.approx(1.0)
    assert many.deviation == pytest.approx(0.1)
    assert many.error == pytest.approx(0.1 / math.sqrt(3))
    assert (many.within, far.within, one.within) == (True, False, None)


def test_an_outcome_is_written_and_read():
    again = Outcome.from_json(OUTCOME.to_json())
    assert again.to_json() == OUTCOME.to_json()
    assert again.findings[0] == OUTCOME.findings[0]
    assert again.panels == OUTCOME.panels


def test_tables_show_what_was_published_and_what_was_found():
    lines = table(OUTCOME).splitlines()
    assert lines[0].split() == ["published", "ours", "repeats", "in", "the", "band"]
    assert "1.0 +- 0.1" in lines[1]
    assert "yes [0.95, 1.05]" in lines[1]
    assert "NO [1.9, 2.1]" in lines[2]
    page = markdown([OUTCOME], ["picture.png"], ["what it shows"])
    assert "| [name](#name) | paper | 1 of 2 | 3 |" in page
    assert "## name" in page
    assert "far: a remark" in page
    assert r"| \|one~0\| |  | 123.46 | 1 |  |" in page
    assert "![name](picture.png)" in page
    assert page.endswith("\nwhat it shows\n")
    assert "not needed" not in page


def test_a_limit_beside_that_of_the_scale_is_refused():
    assert at_scale(TFDS("cifar10"), 7, validation_share=0.2) == TFDS("cifar10", limit=7, validation_share=0.2)
    with pytest.raises(ValueError, match=r"set by the scale, 7: leave it out, got 5"):
        at_scale(TFDS("cifar10", limit=5), 7)
    with pytest.raises(ValueError, match=r"data.validation_share is set by the scale, 0.2: leave it out, got 0.3"):
        at_scale(TFDS("cifar10", validation_share=0.3), 7, validation_share=0.2)


def test_settings_that_leave_nothing_to_do_are_refused(shared):
    table = str(shared / TABLE)
    with pytest.raises(ValueError, match="seeds must be one or more, got none"):
        amoebanet.run(amoebanet.Settings(seeds=()))
    with pytest.raises(ValueError, match="seeds must be one or more, got none"):
        nasnet_search.run(nasnet_search.Settings(seeds=()))
    with pytest.raises(ValueError, match="cells must be an integer of at least 3, got 0"):
        recipe.run(recipe.Settings(table, cells=0))
    with pytest.raises(ValueError, match=r"a budget for more than the longest training, of \d+: got 100"):
        nasbench201.run(nasbench201.Settings(table, seconds=100))


def test_figures_of_another_budget_are_not_set_beside_the_published_ones(shared):
    outcome = nasbench201.run(nasbench201.Settings(str(shared / TABLE), repeats=1, seconds=3000))
    published = [finding.quantity for finding in outcome.findings if finding.published]
    assert published == ["cifar100, evaluations to the optimum, local search"]


def test_every_reproduction_has_its_parts():
    for each in REPRODUCTIONS.values():
        assert each.module.PAPER
        assert dataclasses.is_dataclass(each.module.Settings)
        assert each.module.Settings.workdir == f"runs/{each.name}"
        assert callable(each.module.run)


def test_the_band_is_that_of_a_difference_of_two_means():
    low, high = Published(93.70, 0.36, 500, 0.005, "").band(500)
    assert high - low == pytest.approx(2 * (3 * 0.36 * math.sqrt(2 / 500) + 0.005))
    assert (low + high) / 2 == pytest.approx(93.70)


def test_a_plot_is_a_picture():
    assert picture(OUTCOME).startswith(b"\x89PNG")


def test_the_toy_problem_in_short():
    outcome = toy.run(toy.Settings(repeats=60, dimensions=(50, 100), cycles=600))
    by_name = {finding.quantity: finding for finding in outcome.findings}
    assert by_name["measured accuracy of the best, D=100, P=100, S=10, 1000 cycles"].within
    assert by_name["true accuracy of the best, D=100, P=100, S=10, 1000 cycles"].within
    assert [line.name for line in outcome.panels[0].lines] == ["aging", "non-aging"]
    assert sum(outcome.panels[1].lines[0].y) == pytest.approx(1.0, abs=0.05)


@pytest.mark.slow
def test_the_toy_problem_of_a_plain_loop_ends_where_it_does_in_the_engine():
    repeats, settings = 100, toy.Settings(repeats=100, dimensions=(200,), cycles=2000)
    findings = [each for each in toy.run(settings).findings if each.quantity.endswith(", aging")]
    random, rows = np.random.default_rng(0), np.arange(repeats)
    bits = random.integers(0, 2, (repeats, 100, 200), np.int8)
    measured = np.clip(bits.mean(2) + random.normal(0, 0.01, (repeats, 100)), 0, 1)
    best, true = measured.max(1), bits.mean(2)[rows, measured.argmax(1)]
    for cycle in range(100, 2000):
        sample = random.integers(0, 100, (repeats, 25))
        parents = sample[rows, np.take_along_axis(measured, sample, 1).argmax(1)]
        children = bits[rows, parents]
        children[rows, random.integers(0, 200, repeats)] ^= 1
        accuracy = np.clip(children.mean(1) + random.normal(0, 0.01, repeats), 0, 1)
        # The oldest is the one in whose place it was put a hundred cycles ago.
        bits[:, cycle % 100], measured[:, cycle % 100] = children, accuracy
        true = np.where(accuracy > best, children.mean(1), true)
        best = np.maximum(best, accuracy)
    error = math.hypot(true.std() / math.sqrt(repeats), findings[0].error)
    assert abs(true.mean() - findings[0].mean) < 4 * error < 0.015


def test_nas_bench_201_in_short(shared):
    outcome = nasbench201.run(nasbench201.Settings(str(shared / TABLE), repeats=40))
    by_name = {finding.quantity: finding for finding in outcome.findings}
    # Published: 500 runs each.
    for name in ("random search", "regularized evolution (10, 3)"):
        for part in ("validation", "test"):
            assert by_name[f"cifar10, {part} accuracy, {name}"].within
    assert by_name["cifar100, evaluations to the optimum, local search"].within
    assert 90 < by_name["evaluations, regularized evolution (10, 3)"].mean < 110
    assert [panel.title for panel in outcome.panels] == list(nasbench201.DATASETS)
    assert [[y for _, y in panel.published] for panel in outcome.panels] == [[93.70, 93.92], [], []]
    ends = [line.y[-1] for panel in outcome.panels for line in panel.lines]
    tests = [finding.mean for name, finding in by_name.items() if "test accuracy" in name]
    np.testing.assert_allclose(ends, tests, rtol=1e-5)


@pytest.mark.slow
def test_the_comparison_in_the_nasnet_space_in_short(tmp_path, digits_folder):
    training = Training(epochs=1, batch_size=32, learning_rate=0.05)
    space = NASNet(1, 4, searched=("none", "max_pool_3x3"))
    scale = nasnet_search.Scale(space, training, 160, 0.3, 6, population_size=3, sample_size=2, batch_size=3)
    settings = nasnet_search.Settings(data=digits_folder, seeds=(0,), workdir=str(tmp_path))
    outcome = nasnet_search.compare(scale, settings)
    random, evolution, gain = outcome.findings
    assert gain.mean == pytest.approx(evolution.mean - random.mean)
    assert all(len(line.y) == 6 and (np.diff(line.y) >= 0).all() for line in outcome.panels[0].lines)
    assert nasnet_search.compare(scale, settings).to_json() == outcome.to_json()


@pytest.mark.slow
def test_retraining_of_published_cells_in_short(tmp_path, digits_folder, monkeypatch):
    monkeypatch.setattr(amoebanet, "NETWORKS", {"NASNet-A": amoebanet.NETWORKS["NASNet-A"]})
    space = NASNet(1, 4, auxiliary_weight=0.0, drop_path=0.3)
    scale = amoebanet.Scale(space, Training(epochs=2, batch_size=32, learning_rate=0.05), 96)
    outcome = amoebanet.train(scale, amoebanet.Settings(data=digits_folder, workdir=str(tmp_path)))
    assert [finding.quantity.split(",")[0] for finding in outcome.findings] == ["NASNet-A"]
    assert all(0 <= finding.mean <= 100 for finding in outcome.findings)
    assert all(len(line.y) == 2 for line in outcome.panels[0].lines)


@pytest.mark.slow
def test_the_recipe_in_short(shared, digits_folder):
    settings = recipe.Settings(
        str(shared / TABLE), data=dataclasses.replace(digits_folder, limit=160), cells=3, channels=4, cells_per_stage=1
    )
    outcome = recipe.run(settings)
    assert len(outcome.findings) == 4
    assert -1 <= outcome.findings[0].mean <= 1
    assert len(outcome.panels[0].lines[0].y) == 3


def test_cells_of_all_qualities_are_chosen():
    space = NASBench201()
    accuracy = np.random.default_rng(0).random(15625).astype(np.float32)
    cells = recipe.chosen(space, accuracy, 5)
    assert cells.shape == (5, 6)
    found = accuracy[np.asarray(genome_index(cells, space.cardinalities))]
    np.testing.assert_allclose(found, np.linspace(0, 1, 5), atol=0.01)
    assert all(np.array_equal(space.canonical(cell), cell) for cell in cells)
