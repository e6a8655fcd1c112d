"""Pictures of architectures as SVG."""

import dataclasses
import os
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import evonas
from evonas.drawing import Drawing, graphviz
from evonas.drawing.layered import layered
from evonas.drawing.lettering import text_width
from evonas.drawing.sheet import arranged
from evonas.drawing.svg import DARK, LIGHT
from evonas.spaces import AMOEBANET_A, MLP, BitString, MacroCNN, NASBench201, NASNet, Space
from evonas.spaces.graph import KINDS, Edge, Graph, Node, Part

SVG = "{http://www.w3.org/2000/svg}"
CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"


@dataclasses.dataclass(frozen=True)
class Own(Space):
    """A space whose names and values mean something in HTML."""

    @property
    def genes(self):
        return {"<b>&amp;": ("]]></title></svg><script>alert(1)</script>", "\x08"), 'quoted"': ("'", "relu")}


@dataclasses.dataclass(frozen=True)
class Pictured(Own):
    """The same with a graph of its own."""

    def graph(self, genome):
        nodes = (Node("in", "</text>", "input"), Node("out", "<out>", "output"))
        return Graph(((Part("<title>", nodes, (Edge("in", "out", "a & b", "dense", faint=bool(genome[1])),)),),))


def texts(drawing):
    """All that is written in a drawing, but for its own title and style."""
    return [element.text for element in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]


def test_a_drawing_holds_what_the_graph_says():
    space = NASBench201(channels=8)
    drawing = evonas.draw(space, space.parse(CELL), layout="layered")
    assert isinstance(drawing, Drawing)
    assert {"network", "cell", "input", "1", "2", "output", "5 x cell", "8 channels"} <= set(texts(drawing))
    assert texts(drawing).count("conv 3x3") == 5  # the stem, and four edges
    assert drawing._repr_svg_() == drawing.svg


def test_both_layouts_draw_the_same_things_alike():
    if not graphviz.is_installed():
        pytest.skip("graphviz is not installed: apt-get install graphviz")
    space = NASNet()
    drawings = [evonas.draw(space, space.parse(AMOEBANET_A), layout=layout) for layout in ("dot", "layered")]
    assert sorted(texts(drawings[0])) == sorted(texts(drawings[1]))
    looks = [
        sorted((element.tag, element.get("class")) for element in ElementTree.fromstring(drawing.svg).iter())
        for drawing in drawings
    ]
    assert looks[0] == looks[1]


def test_without_graphviz_the_own_layout_is_taken(monkeypatch, tmp_path):
    space = NASBench201()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert evonas.draw(space, space.parse(CELL)) == evonas.draw(space, space.parse(CELL), layout="layered")


@pytest.mark.parametrize("space", [Own(), Pictured()], ids=["text", "graph"])
def test_text_of_a_space_does_not_become_markup(space):
    drawing = evonas.draw(space, [0, 0], layout="layered")
    tags = {element.tag for element in ElementTree.fromstring(drawing.svg).iter()}
    assert tags <= {SVG + name for name in ("svg", "title", "style", "rect", "g", "path", "text")}
    assert "<script" not in drawing.svg
    assert "alert(1)" in drawing.svg


def test_control_characters_are_left_out_for_they_can_not_be_in_xml():
    assert ElementTree.fromstring(evonas.draw(Own(), [1, 1]).svg) is not None


def test_a_space_without_a_graph_is_drawn_as_its_layers():
    lines = texts(evonas.draw(Own(), [0, 1], layout="layered"))
    assert lines[-1] == 'quoted": relu'


def test_a_drawing_can_stand_in_a_page_many_times():
    space = MLP()
    svg = evonas.draw(space, np.zeros(14, int), layout="layered").svg
    assert not [element for element in ElementTree.fromstring(svg).iter() if element.get("id")]
    # No rule is about anything but drawings.
    style = ElementTree.fromstring(svg).find(f"{SVG}style").text
    rules = style.replace("@media(prefers-color-scheme:dark){", "").split("}")
    assert all(rule.startswith(".evonas-drawing") for rule in rules if rule)


def test_colours_are_variables_with_a_light_and_a_dark_value():
    style = evonas.draw(MLP(), np.zeros(14, int), layout="layered").svg
    assert LIGHT.keys() == DARK.keys()
    for name in LIGHT:
        assert f"var(--evonas-{name},{LIGHT[name]})" in style
        assert f"var(--evonas-{name},{DARK[name]})" in style


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_node_is_drawn(kind):
    @dataclasses.dataclass(frozen=True)
    class One(Space):
        genes = {"a": (1,)}  # noqa: RUF012

        def graph(self, _):
            return Graph(((Part("", (Node("a", "label", kind, faint=True),)),),))

    root = ElementTree.fromstring(evonas.draw(One(), [0], layout="layered").svg)
    (group,) = root.iter(f"{SVG}g")
    assert group.get("class") == f"{kind} faint"


def test_text_fits_its_box():
    sheet = arranged(MacroCNN().graph(np.ones(len(MacroCNN().genes), int)), layered)
    for shape in sheet.shapes:
        assert all(text_width(line, shape.font) <= shape.size[0] for line in shape.lines)


def test_thirty_layers_stand_in_a_column_a_stage():
    space = MacroCNN(layers_per_stage=10)
    root = ElementTree.fromstring(evonas.draw(space, np.ones(len(space.genes), int), layout="layered").svg)
    # All of them with a sum behind them: no wider than a screen, and half as high as one column would be.
    assert float(root.get("width")) < 800
    assert float(root.get("height")) < 1600


def test_a_drawing_is_the_same_in_every_process():
    environments = [os.environ | {"PYTHONHASHSEED": seed} for seed in ("1", "2")]
    code = f"import evonas; space = evonas.spaces.NASBench201(); print(evonas.draw(space, space.parse({CELL!r})).svg)"
    done = [subprocess.run([sys.executable, "-c", code], capture_output=True, env=env) for env in environments]
    assert done[0].stdout.startswith(b"<svg"), done[0].stderr
    assert done[0].stdout == done[1].stdout


def test_a_drawing_is_saved_in_the_format_of_its_name(tmp_path):
    drawing = evonas.draw(BitString(8), [0, 1] * 4, layout="layered")
    for name, start in (("best.svg", b"<svg"), ("best.png", b"\x89PNG"), ("best.pdf", b"%PDF")):
        drawing.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    assert (tmp_path / "best.svg").read_text() == drawing.svg
    with pytest.raises(ValueError, match=r"ends in one of \.svg, \.png, \.pdf; got .*best\.gif"):
        drawing.save(tmp_path / "best.gif")


@pytest.mark.parametrize("space", [NASBench201(), Pictured(), Own()], ids=lambda space: type(space).__name__)
def test_as_a_figure_a_drawing_says_the_same(space):
    drawing = evonas.draw(space, np.zeros(len(space.genes), int), layout="layered")
    figure = drawing.figure()
    (axis,) = figure.axes
    written = [line for text in axis.texts for line in text.get_text().split("\n")]
    assert sorted(written) == sorted(texts(drawing))
    width, height = (float(ElementTree.fromstring(drawing.svg).get(side)) for side in ("width", "height"))
    assert figure.get_size_inches() * figure.dpi == pytest.approx([width, height], abs=1)


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match=r"space must be an evonas Space, got .*MLP"):
        evonas.draw(MLP, [0] * 14)
    with pytest.raises(ValueError, match="a genome of BitString is 8 integers"):
        evonas.draw(BitString(8), [0, 1])
    with pytest.raises(ValueError, match="layout is one of dot, layered, got 'neato'"):
        evonas.draw(BitString(8), [0, 1] * 4, layout="neato")
