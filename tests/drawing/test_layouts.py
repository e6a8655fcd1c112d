"""Where boxes stand and links run, by graphviz and by evonas's own layout."""

import itertools

import numpy as np
import pytest

from evonas.drawing import graphviz
from evonas.drawing.curve import through
from evonas.drawing.drawing import LAYOUTS
from evonas.drawing.graphviz import by_dot
from evonas.drawing.layered import layered
from evonas.drawing.layout import Diagram

DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3)]


def diagram(links, count, first=(), last=()):
    sizes = [(40.0 + 7 * (box % 3), 20.0) for box in range(count)]
    return Diagram(sizes, links, [1] * len(links), frozenset(first), frozenset(last))


def random_diagram(seed):
    """Up to 20 boxes, each but the first linked with one to three of those before it."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 20))
    links = [(int(start), box) for box in range(1, count) for start in set(rng.integers(0, box, 3))]
    return diagram(links, count)


@pytest.fixture(params=LAYOUTS)
def layouter(request):
    if request.param == "dot" and not graphviz.is_installed():
        pytest.skip("graphviz is not installed: apt-get install graphviz")
    return LAYOUTS[request.param]


def overlap(diagram, layout, one, other):
    return all(
        abs(layout.centres[one][axis] - layout.centres[other][axis])
        < (diagram.sizes[one][axis] + diagram.sizes[other][axis]) / 2 - 0.1
        for axis in (0, 1)
    )


@pytest.mark.parametrize("seed", range(8))
def test_boxes_do_not_overlap_and_stand_inside_of_the_frame(layouter, seed):
    given = random_diagram(seed)
    layout = layouter(given)
    for one, other in itertools.combinations(range(len(given.sizes)), 2):
        assert not overlap(given, layout, one, other)
    for centre, size in zip(layout.centres, given.sizes, strict=True):
        for axis in (0, 1):
            assert size[axis] / 2 - 0.6 <= centre[axis] <= layout.size[axis] - size[axis] / 2 + 0.6


@pytest.mark.parametrize("seed", range(8))
def test_links_lead_down_from_one_box_to_the_other(layouter, seed):
    given = random_diagram(seed)
    layout = layouter(given)
    for (start, end), curve in zip(given.links, layout.curves, strict=True):
        assert len(curve) % 3 == 1
        assert layout.centres[start][1] < layout.centres[end][1]
        for box, point in ((start, curve[0]), (end, curve[-1])):
            distance = [abs(point[axis] - layout.centres[box][axis]) for axis in (0, 1)]
            assert distance[0] <= given.sizes[box][0] / 2 + 2
            assert distance[1] <= given.sizes[box][1] / 2 + 2


def test_a_diamond_is_drawn_without_crossings_and_upright(layouter):
    layout = layouter(diagram(DIAMOND, 4))
    (top, _), (left, level), (right, other), (bottom, _) = layout.centres
    assert level == pytest.approx(other, abs=0.5)
    assert abs(left - right) > 50
    assert top == pytest.approx(bottom, abs=1)


def test_the_same_diagram_has_the_same_places(layouter):
    assert layouter(random_diagram(5)) == layouter(random_diagram(5))


def test_inputs_stand_first_and_outputs_last(layouter):
    # Box 1 is needed late, and box 4 is there early.
    links = [(0, 2), (2, 3), (1, 3), (3, 5), (0, 4)]
    layout = layouter(diagram(links, 6, first=(0, 1), last=(4, 5)))
    down = [y for _, y in layout.centres]
    assert down[0] == pytest.approx(down[1], abs=0.5)
    assert down[4] == pytest.approx(down[5], abs=0.5)


def test_a_heavy_link_is_straight_where_a_light_one_gives_way(layouter):
    given = Diagram([(40.0, 20.0)] * 3, [(0, 1), (1, 2), (0, 2)], [8, 8, 1])
    centres = layouter(given).centres
    assert [x for x, _ in centres] == pytest.approx([centres[0][0]] * 3, abs=6)


def test_parallel_links_all_have_curves(layouter):
    layout = layouter(Diagram([(40.0, 20.0)] * 2, [(0, 1), (0, 1)], [1, 1]))
    assert len(layout.curves) == 2


def test_what_crosses_is_put_in_order():
    # In the order given, each of the three links crosses both others.
    layout = layered(diagram([(0, 5), (1, 4), (2, 3)], 6))
    tops, bottoms = (sorted(boxes, key=lambda box: layout.centres[box][0]) for boxes in ((0, 1, 2), (3, 4, 5)))
    assert [{0: 5, 1: 4, 2: 3}[box] for box in tops] == bottoms


def test_a_box_between_stands_where_there_is_room():
    # Box 5 may stand beside 1 and 2, which fill their rank, or beside 3.
    layout = layered(diagram([(0, 1), (0, 2), (0, 6), (1, 3), (3, 4), (0, 5), (5, 4)], 7))
    assert layout.centres[5][1] == layout.centres[3][1]


def test_a_curve_goes_through_its_points_and_not_beyond():
    points = [(0.0, 0.0), (10.0, 5.0), (10.0, 20.0), (-3.0, 30.0)]
    curve = through(points)
    assert curve[::3] == points
    assert min(x for x, _ in curve) == -3.0
    assert max(x for x, _ in curve) == 10.0


def test_a_turned_layout_leads_right():
    given = diagram(DIAMOND, 4)
    layout = layered(given.turned()).turned()
    assert layout.centres[0][0] < layout.centres[1][0] < layout.centres[3][0]
    assert layout.centres[1][0] == layout.centres[2][0]


def test_a_dot_that_fails_says_what_to_do(monkeypatch, tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho no such font >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert graphviz.is_installed()
    with pytest.raises(RuntimeError, match=r"dot failed \(no such font.*layout='layered'"):
        by_dot(diagram(DIAMOND, 4))


def test_a_dot_that_is_missing_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not graphviz.is_installed()
    with pytest.raises(RuntimeError, match=r"No such file.*layout='layered'"):
        by_dot(diagram(DIAMOND, 4))
