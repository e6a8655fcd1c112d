"""Graphs of one architecture and shared ones, against each other and the sums written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Linear, Style, merge, split
from evonas.nn.graph import Graph, SharedGraph, make_graph

CHANNELS = 3
TARGETS = (2, 2, 3, 3)
"""Two inputs, two sums of two edges each."""
GENES = np.array([0, 1, 2, 0]), np.array([2, 0, 2, 1])


def makers():
    return [
        [
            lambda _: jnp.zeros_like,
            lambda _: jnp.tanh,
            lambda rngs: Linear(CHANNELS, CHANNELS, rngs=rngs, style=Style()),
        ]
    ]


def make(genes):
    return make_graph(makers(), (0,) * 4, TARGETS, genes, nnx.Rngs(0))


def inputs():
    return list(jax.random.normal(jax.random.key(1), (2, 5, 4, 4, CHANNELS)))


def test_a_graph_adds_each_edge_to_its_target():
    graph, (first, second) = make(GENES), inputs()
    assert isinstance(graph, Graph)
    layers = [edge.in_order[0] for edge in graph.edges]
    third = layers[0](first)
    np.testing.assert_allclose(graph([first, second])[2], third, rtol=1e-6)
    np.testing.assert_allclose(graph([first, second])[3], layers[2](third) + jnp.tanh(first), rtol=1e-5, atol=1e-6)


def test_a_gate_multiplies_an_edge_for_each_example():
    graph, given = make(GENES), inputs()
    gates = jnp.ones((4, 5)).at[3].set(jnp.arange(5.0))
    whole, gated = graph(given)[3], graph(given, None, gates)[3]
    np.testing.assert_allclose(gated - whole, jnp.tanh(given[0]) * (gates[3] - 1)[:, None, None, None], atol=1e-5)


def test_a_shared_graph_is_the_graph_of_the_genes_it_is_called_with():
    shared = make(None)
    assert isinstance(shared, SharedGraph)
    own = make(GENES)
    for number, edge in enumerate(own.edges):
        nnx.update(edge.in_order[0], split(shared.edge(number)[GENES[1][number]]).parameters)
    parts = split(shared)
    states = jax.jit(lambda genes: merge(*parts)(inputs(), genes))(tuple(map(jnp.asarray, GENES)))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), states, own(inputs()))


def test_a_shared_graph_without_genes_says_what_it_needs():
    with pytest.raises(ValueError, match="call it with a genome"):
        make(None)(inputs())
