"""The cells of DARTS against the published network, and the space's own rules."""

import jax
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Draws, count_module, merge, split
from evonas.spaces import DARTS, DARTS_V2
from evonas.spaces.darts.genes import unfold

SPACE = DARTS()


def keys(number, seed=0):
    return jax.random.split(jax.random.key(seed), number)


def sampled(number=100, seed=0):
    return np.asarray(jax.jit(jax.vmap(SPACE.sample))(keys(number, seed)))


def test_the_published_network_has_its_parameters():
    # 3.349342 million: what the authors' code prints; 3.3 M in the paper's table 1.
    assert SPACE.count(SPACE.parse(DARTS_V2)).parameters == 3_349_342


@pytest.mark.slow
@pytest.mark.parametrize("space", [DARTS(4, 8, input_shape=(12, 13, 3)), DARTS(5, 7, input_shape=(8, 8, 1))])
def test_the_count_is_that_of_the_flax_network(space):
    for genome in [space.parse(DARTS_V2), *sampled(3)]:
        assert space.count(genome) == count_module(
            lambda rngs, g=genome: space.network(g, rngs=rngs), space.input_shape
        )


def test_text_reads_and_writes():
    assert SPACE.format(SPACE.parse(DARTS_V2)) == DARTS_V2
    for genome in sampled(50):
        np.testing.assert_array_equal(SPACE.parse(SPACE.format(genome)), genome)


def test_text_is_read_as_python_writes_it():
    other = DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 6)").replace(", ", " ,\n ")
    np.testing.assert_array_equal(SPACE.parse(other), SPACE.parse(DARTS_V2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected Genotype\(normal="),
        (DARTS_V2 + " x", r"expected Genotype\(normal="),
        (DARTS_V2.replace("), (", ") other (", 1), r"expected Genotype\(normal="),
        (DARTS_V2.replace("('sep_conv_3x3', 0), ", "", 1), "expected 8 pairs"),
        (DARTS_V2.replace("dil_conv_3x3", "conv_3x3"), "unknown operation 'conv_3x3'"),
        (DARTS_V2.replace("('sep_conv_3x3', 0)", "('sep_conv_3x3', 3)", 1), "state 2 comes from earlier states, got 3"),
        (DARTS_V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=[4, 5]"), "all of states 2 to 5"),
    ],
)
def test_other_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        SPACE.parse(text)


def test_the_edges_of_a_node_come_from_different_states():
    genomes = sampled(500)
    changed = np.asarray(jax.jit(jax.vmap(SPACE.mutate))(keys(500, 1), genomes))
    for each in (genomes, changed):
        assert jax.vmap(SPACE.is_valid)(each).all()
        assert (each >= 0).all()
        assert (each < SPACE.cardinalities).all()
        assert all((cell.operations > 0).all() for genome in each for cell in unfold(genome))
    assert ((changed != genomes).sum(1) == 1).all()


def test_the_order_of_nodes_and_edges_does_not_matter():
    swapped = DARTS_V2.replace("('skip_connect', 0), ('dil_conv_3x3', 2)]", "('dil_conv_3x3', 2), ('skip_connect', 0)]")
    assert swapped != DARTS_V2
    # The first two nodes of the normal cell are alike: what takes the one may take the other.
    renamed = swapped.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 3)")
    first, *others = (SPACE.canonical(SPACE.parse(text)) for text in (DARTS_V2, swapped, renamed))
    for other in others:
        np.testing.assert_array_equal(other, first)
    np.testing.assert_array_equal(SPACE.canonical(first), first)


@pytest.mark.slow
def test_equal_cells_run_as_one_loop_give_what_they_give_one_by_one():
    space = DARTS(10, 2, classes=3, input_shape=(8, 8, 3))
    parts = split(nnx.eval_shape(lambda: space.supernet(rngs=Draws(jax.random.key(0)))))
    random, genome = np.random.default_rng(0), sampled(1)[0]
    weights = jax.tree.map(lambda leaf: random.random(leaf.shape, np.float32) - 0.2, parts.parameters)
    statistics = jax.tree.map(lambda leaf: random.random(leaf.shape, np.float32), parts.statistics)
    x = random.normal(size=(4, *space.input_shape)).astype(np.float32)

    def run(one_by_one):
        module = merge(parts.graph, weights, statistics)
        assert (8, 9) in module.runs
        if one_by_one:
            module.runs = tuple((number, number) for number in range(10))
        return module(x, genome), split(module).statistics

    together, apart = (jax.jit(run, static_argnums=0)(one_by_one) for one_by_one in (False, True))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), together, apart)
