"""Charts of a search."""

import subprocess
import sys

import numpy as np
import pytest

from evonas.drawing.charts import history_chart, pareto_chart

FITNESS = np.array([1.0, np.nan, 3.0, 2.0, 5.0, 4.0], np.float32)
GENERATIONS = [{"evaluations": 3, "mean_distance": 0.5}, {"evaluations": 6, "mean_distance": 0.25}]


def lines(axis):
    return {line.get_label(): line.get_xydata().tolist() for line in axis.lines}


def test_fitness_is_shown_with_its_best_and_its_failures():
    (axis,) = history_chart(FITNESS, 3, []).axes
    drawn = lines(axis)
    assert drawn["candidates"] == [[1, 1], [3, 3], [4, 2], [5, 5], [6, 4]]
    assert [x for x, _ in drawn["failed"]] == [2]
    assert [best for _, best in drawn["best so far"]] == [1, 1, 3, 3, 5, 5]
    assert [median for _, median in drawn["median and quartiles of the last 3"]] == [1, 1, 2, 2.5, 3, 4]


def test_diversity_is_shown_below_once_there_are_two_generations():
    assert len(history_chart(FITNESS, 3, GENERATIONS[:1]).axes) == 1
    upper, lower = history_chart(FITNESS, 3, GENERATIONS).axes
    assert lines(lower) == {"mean distance": [[3, 0.5], [6, 0.25]]}
    assert upper.get_xlabel() == ""
    assert lower.get_xlabel() == "evaluations"


def test_a_search_whose_candidates_all_failed_can_be_shown():
    (axis,) = history_chart(np.full(4, np.nan), 3, []).axes
    assert "best so far" not in lines(axis)
    assert len(lines(axis)["failed"]) == 4


def test_long_histories_have_as_many_points_as_can_be_seen():
    fitness = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    (axis,) = history_chart(fitness, 100, []).axes
    median = lines(axis)["median and quartiles of the last 100"]
    assert len(median) == 400
    assert median[-1] == pytest.approx([5000, np.median(fitness[-100:])])


@pytest.mark.parametrize(
    ("smaller", "front"),
    [((False, True), [[1, 2], [2, 3], [4, 5]]), ((False, False), [[4, 5]]), ((True, True), [[1, 2], [3, 1]])],
)
def test_the_front_is_what_nothing_beats(smaller, front):
    values = np.array([[2, 1], [3, 2], [1, 3], [2, 1], [5, 4]])
    (axis,) = pareto_chart(values, ("accuracy", "parameters"), smaller).axes
    assert lines(axis)["Pareto front"] == front
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("parameters", "accuracy")


def test_nothing_dominated_lies_beyond_the_step():
    values = np.array([[1.0, 1.0], [2.0, 2.0]])
    for smaller, style in (((False, True), "steps-post"), ((True, False), "steps-pre")):
        (axis,) = pareto_chart(values, ("y", "x"), smaller).axes
        front = next(line for line in axis.lines if line.get_label() == "Pareto front")
        assert front.get_drawstyle() == style


def test_a_chart_is_a_picture_without_the_state_of_pyplot():
    code = """
import sys
import numpy as np
from evonas.drawing.charts import history_chart
assert history_chart(np.ones(3), 2, [])._repr_png_().startswith(b"\\x89PNG")
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_matplotlib_it_is_said_what_to_install():
    code = """
import sys
sys.modules["matplotlib"] = None
import evonas
population = evonas.Population(evonas.spaces.BitString(4), evonas.random_search())
population.tell(population.ask(1), [1.0])
population.plot()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'ImportError: a plot needs matplotlib: pip install "evonas[plots]"' in done.stderr
