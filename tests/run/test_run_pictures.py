"""What notebooks show of runs, their populations and their spaces."""

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest
from run_cases import SPACE, search

import evonas
from evonas.spaces import BitString, NASNet


def cells(markup):
    """The table of a card, by name."""
    rows = ElementTree.fromstring(markup).find("table")
    return {row[0].text: row[1].text for row in rows}


def two_objectives(candidates):
    genomes = np.asarray(candidates.genomes)
    return np.stack([np.sin(genomes @ np.arange(1.0, 13.0)), -genomes.sum(1)], 1)


def test_a_run_is_shown_with_the_drawing_of_its_best(tmp_path):
    run = search(tmp_path / "run")
    shown = cells(run._repr_html_())
    failed = sum(not evaluation.fitness for evaluation in run.evaluations)
    assert failed
    assert shown["evaluations"] == f"23 of 23, of which {failed} failed"
    assert shown["workdir"] == str(tmp_path / "run")
    assert shown["best"] == f"candidate {run.best.id}: {run.best.architecture}"
    assert float(shown["fitness"]) == pytest.approx(run.best.fitness[0], rel=1e-4)
    assert evonas.draw(SPACE, run.best.genome).svg in run._repr_html_()


def test_a_population_is_shown_with_the_drawing_of_its_best():
    population = search().population
    shown = cells(population._repr_html_())
    assert shown["space"] == repr(SPACE)
    assert shown["told"].startswith("23, of which ")
    assert shown["pending"] == f"{len(population.pending)}"
    assert shown["diversity"].startswith("mean distance 0.")
    assert evonas.draw(SPACE, population.best.genome).svg in population._repr_html_()
    assert f"best {population.best.fitness}: {population.best.architecture}" in repr(population)


def test_a_population_that_was_told_nothing_is_shown_without_a_best():
    population = evonas.Population(SPACE, evonas.random_search())
    assert "best" not in cells(population._repr_html_())
    assert repr(population).endswith("0 told, 0 pending; no fitness yet)")
    with pytest.raises(ValueError, match="nothing to plot yet"):
        population.plot()


def test_a_space_is_shown_with_genes_of_the_same_choices_together():
    assert cells(BitString(12)._repr_html_()) == {
        "settings": "BitString(dim=12, classes=2)",
        "genomes": "4,096",
        "genes": "12",
        "bit0 and 11 more": "0, 1",
    }
    assert cells(NASNet()._repr_html_())["genomes"] == "3.11e+42"


@dataclasses.dataclass(frozen=True)
class Odd(evonas.spaces.Space):
    name: str = "<img src=x onerror=alert(1)>"

    @property
    def genes(self):
        return {"<i>": ("<script>alert(1)</script>", "b"), "c": (0, 1)}


def test_text_of_a_space_does_not_become_markup():
    population = evonas.Population(Odd(), evonas.random_search())
    population.tell(population.ask(1), [1.0])
    for markup in (Odd()._repr_html_(), population._repr_html_()):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(markup).iter()}
        assert not tags & {"script", "img", "i"}
        assert "onerror" in markup


def test_a_population_plots_what_it_was_told():
    population = search().population
    upper, lower = population.plot().axes
    candidates = next(line for line in upper.lines if line.get_label() == "candidates")
    fitness = population.history.fitness[:, 0]
    assert candidates.get_ydata().tolist() == fitness[np.isfinite(fitness)].tolist()
    assert len(lower.lines) == 3


@pytest.mark.slow
def test_a_run_plots_its_first_two_objectives():
    run = search(fitness=two_objectives, algorithm=evonas.nsga2(population_size=6))
    (axis,) = run.plot_pareto().axes
    front = next(line for line in axis.lines if line.get_label() == "Pareto front")
    expected = sorted({record.fitness[::-1] for record in run.population.pareto_front()})
    assert front.get_xydata() == pytest.approx(np.array(expected), abs=1e-6)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("objective 2", "objective 1")


@pytest.mark.slow
def test_a_run_plots_fitness_against_a_metric_that_is_to_be_small():
    run = evonas.search(
        evonas.spaces.MLP(max_depth=1),
        evonas.data.Arrays(np.eye(40, 16, dtype=np.float32), np.arange(40) % 4),
        evonas.nsga2(population_size=4),
        training=evonas.Training(epochs=1, batch_size=8, objectives=("accuracy", "multiply_adds")),
        evaluations=6,
        batch_size=2,
    )
    for cost in (None, "parameters"):
        (axis,) = run.plot_pareto(cost).axes
        front = next(line for line in axis.lines if line.get_label() == "Pareto front").get_xydata()
        # Costs are shown as they are counted: positive, and the fewer the better.
        assert front[0][0] == min(evaluation.measurement.metrics["parameters"] for evaluation in run.evaluations)
        assert axis.get_xlabel() == (cost or "multiply_adds")
        assert axis.get_ylabel() == "accuracy"


def test_a_metric_that_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="no evaluation has a metric 'parameters'; there are: none"):
        search().plot_pareto()
