"""What pictures of the spaces' architectures say, against what their networks compute."""

import collections
import itertools

import jax
import numpy as np
import pytest
from flax import nnx

from evonas.spaces import (
    AMOEBANET_A,
    DARTS,
    DARTS_V2,
    MLP,
    BitString,
    MacroCNN,
    NASBench101,
    NASBench201,
    NASNet,
)
from evonas.spaces.graph import Edge, Graph, Node, Part, written

SPACES = [NASBench201(), NASBench101(), NASNet(), DARTS(), MacroCNN(), MLP(), BitString()]


def genomes(space, count):
    """The first valid ones that are drawn at random."""
    drawn = (np.asarray(space.sample(jax.random.key(seed))) for seed in itertools.count())
    return list(itertools.islice((genome for genome in drawn if space.is_valid(genome)), count))


def parts_of(space, genome):
    return {part.title: part for row in space.graph(genome).rows for part in row}


def operations(part):
    """What the edges that are not faint do, and the boxes."""
    return sorted(edge.label for edge in part.edges if edge.label and not edge.faint)


def paths(part, start, end):
    """The labels along each path of edges that are not faint, identities left out."""
    if start == end:
        return [()]
    return [
        (*([edge.label] if edge.label not in ("", "identity") else []), *rest)
        for edge in part.edges
        if edge.start == start and not edge.faint
        for rest in paths(part, edge.end, end)
    ]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_every_space_gives_a_graph_of_its_random_genomes(space):
    for genome in genomes(space, 3):
        titles = [part.title for row in space.graph(genome).rows for part in row]
        assert titles
        assert len(set(titles)) == len(titles)


def test_paths_of_nas_bench_201_are_those_of_its_path_encoding():
    space = NASBench201()
    for genome in genomes(space, 30):
        cell = parts_of(space, genome)["cell"]
        drawn = sorted(collections.Counter(paths(cell, "0", "3")).values())
        assert drawn == sorted(space.structure(genome)[space.structure(genome) > 0].astype(int).tolist())


def test_operations_without_use_are_faint_in_nas_bench_201():
    space = NASBench201()
    genome = space.parse("|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|")
    cell = parts_of(space, genome)["cell"]
    assert operations(cell) == ["identity"]
    assert {node.name for node in cell.nodes if node.faint} == {"1", "2"}
    assert len(cell.edges) == 6


def test_paths_of_nas_bench_101_are_those_of_its_matrix():
    space = NASBench101()
    for genome in genomes(space, 10):
        matrix, names = space.to_matrix(genome)
        cell = parts_of(space, genome)["cell"]
        powers = [np.linalg.matrix_power(matrix, length)[0, -1] for length in range(1, len(names))]
        assert len(paths(cell, "0", "output")) == sum(powers)
        # Every edge from the input is a projection, as the network has it.
        assert operations(cell) == ["conv 1x1"] * matrix[0].sum()
        assert not any(node.faint for node in cell.nodes)


def test_the_input_of_a_nas_bench_101_cell_is_added_to_the_concatenation():
    space = NASBench101()
    genome = space.parse("0111|0001|0001|0000 conv3x3-bn-relu maxpool3x3")
    cell = parts_of(space, genome)["cell"]
    arrows = {(edge.start, edge.end) for edge in cell.edges}
    assert {("concatenation", "sum"), ("0", "sum"), ("sum", "output")} <= arrows
    assert {node.label for node in cell.nodes} >= {"conv 3x3", "max pool 3x3", "concatenate", "+"}


def test_a_nas_bench_101_cell_without_a_path_has_nothing_between_its_ends():
    space = NASBench101()
    cell = parts_of(space, np.zeros(26, int))["cell"]
    assert [(node.name, node.faint) for node in cell.nodes] == [("0", True), ("output", True)]
    assert cell.edges == ()


def test_amoebanet_a_is_drawn_as_published():
    space = NASNet()
    parts = parts_of(space, space.parse(AMOEBANET_A))
    arrows = {(edge.start, edge.label, edge.end) for edge in parts["normal cell"].edges}
    assert {("0", "avg pool 3x3", "2"), ("0", "max pool 3x3", "2"), ("1", "identity", "3")} <= arrows
    assert {start for start, label, end in arrows if end == "output"} == {"1", "3", "4", "6"}
    halving = [edge for edge in parts["reduction cell"].edges if edge.end != "output"]
    assert all(edge.label.endswith(" /2") == (edge.start in "01") for edge in halving)
    assert len(halving) == 10


def test_a_state_of_nasnet_that_leads_nowhere_is_faint():
    space = NASNet()
    genes = {name: place for place, name in enumerate(space.genes)}
    genome = np.zeros(54, np.int32)
    genome[genes["normal.state6.exception"]] = 1
    cell = parts_of(space, genome)["normal cell"]
    assert {node.name for node in cell.nodes if node.faint} == {"6"}
    assert [edge.faint for edge in cell.edges if edge.end == "6"] == [True, True]


def test_identities_that_halve_the_image_are_drawn_as_the_convolutions_that_they_are():
    for space in (NASNet(cells_per_stage=1, filters=4), DARTS(cells=3, channels=4)):
        skip = {"none", "skip_connect"} if isinstance(space, DARTS) else {"none"}
        genome = np.array(
            [
                max(choices.index(name) for name in skip if name in choices) if "none" in choices else 0
                for choices in space.genes.values()
            ]
        )
        parts = parts_of(space, genome)
        assert "conv 1x1 /2" not in operations(parts["normal cell"])
        assert "conv 1x1 /2" in operations(parts["reduction cell"])


def test_darts_v2_is_drawn_as_published():
    space = DARTS()
    parts = parts_of(space, space.parse(DARTS_V2))
    arrows = [(edge.start, edge.label, edge.end) for edge in parts["normal cell"].edges]
    assert arrows.count(("0", "sep conv 3x3", "2")) == 1
    assert ("2", "dil conv 3x3", "5") in arrows
    assert {start for start, label, end in arrows if end == "output"} == {"2", "3", "4", "5"}
    assert [node.label for node in parts["network"].nodes if "normal" in node.label] == [
        "6 x normal\n36 channels",
        "6 x normal\n72 channels",
        "6 x normal\n144 channels",
    ]


def test_none_of_darts_is_faint():
    space = DARTS()
    genome = space.parse(DARTS_V2.replace("'skip_connect', 0", "'none', 0"))
    cell = parts_of(space, genome)["normal cell"]
    assert [edge.label for edge in cell.edges if edge.faint] == ["none", "none"]


def test_macro_networks_are_drawn_with_their_layers_and_sums_alone():
    space = MacroCNN(layers_per_stage=10)
    for genome in genomes(space, 10):
        parts = list(parts_of(space, genome).values())
        kinds = collections.Counter(node.kind for part in parts for node in part.nodes)
        chosen = space.decode(genome)
        present = [name for name in chosen if name.endswith(".type") and chosen[name] != "none"]
        added = [name for name in present if chosen[name.replace("type", "connection")] != "plain"]
        assert kinds["convolution"] + kinds["separable"] + kinds["pool"] == len(present) + space.stages - 1
        assert kinds["sum"] == len(added)


def test_a_skip_adds_the_input_of_the_layer_before():
    space = MacroCNN(stages=1, layers_per_stage=3)
    text = "conv3x3-16-relu-batch-residual | max_pool-plain | avg_pool-skip / linear"
    (stage,) = parts_of(space, space.parse(text)).values()
    label = {node.name: node.label for node in stage.nodes}
    shortcuts = [(edge.start, edge.end) for edge in stage.edges if edge.shortcut]
    (first, second), (entered, _) = [(start, end) for start, end in shortcuts]
    assert label[first] == "image, 3 channels"
    # What came into the layer before: the first sum.
    assert entered == second


def test_layers_of_an_mlp_are_drawn_as_they_are_built():
    space = MLP(max_depth=2, widths=(16, 32), dropout=(0.0, 0.5))
    layers = "layer1.width=32 layer1.activation=gelu layer1.skip=none layer2.width=16 layer2.activation=tanh"
    text = f"depth=2 dropout=0.5 {layers} layer2.skip=residual"
    (part,) = parts_of(space, space.parse(text)).values()
    labels = [node.label for node in part.nodes]
    assert labels == [
        "16 inputs",
        "dense 32, gelu\ndropout 0.5",
        "dense 16, tanh\ndropout 0.5",
        "+",
        "linear",
        "10 outputs",
    ]
    network = space.network(space.parse(text), rngs=nnx.Rngs(0))
    assert [layer.linear.kernel.shape for layer in network.hidden] == [(16, 32), (32, 16)]


def test_bits_are_written_in_lines_and_counted():
    labels = [node.label for node in BitString(12).graph([1, 0] * 6).rows[0][0].nodes]
    assert labels == ["12 inputs", "1010101010\n10", "6 selected", "linear", "2 outputs"]


def test_lines_of_text_are_wrapped_and_stand_in_columns():
    graph = written([f"gene{number}: {'word ' * 20}" for number in range(20)])
    columns = [part.nodes[0].label.split("\n") for part in graph.rows[0]]
    assert [len(column) for column in columns] == [30, 10]
    assert max(len(line) for column in columns for line in column) <= 64


def test_edges_of_unknown_nodes_and_in_circles_are_refused():
    nodes = (Node("a", "a"), Node("b", "b"))
    with pytest.raises(ValueError, match=r"lead to \['c'\]; its nodes are \['a', 'b'\]"):
        Part("cell", nodes, (Edge("a", "c"),))
    with pytest.raises(ValueError, match="lead in a circle: a -> b -> a"):
        Part("cell", nodes, (Edge("a", "b"), Edge("b", "a")))
    with pytest.raises(ValueError, match="different names"):
        Part("cell", (nodes[0], nodes[0]))
    with pytest.raises(ValueError, match="one or more rows of one or more parts"):
        Graph(((),))
    with pytest.raises(ValueError, match=r"is one of operation, .*; got 'convolutoin'"):
        Node("a", "a", "convolutoin")
