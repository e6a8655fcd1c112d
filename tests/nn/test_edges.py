"""A loop over edges and its derivative, against the same written out and JAX's derivative."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.nn.edges import Edges, run_edges

SHAPE = (2, 4, 4, 3)
OPERATIONS = (
    lambda _weights, statistics, x: (jnp.zeros_like(x[:, :4, :4]), statistics),
    lambda weights, statistics, x: (jnp.tanh(x * weights[0]), statistics + x.mean()),
    lambda weights, statistics, x: (jnp.sin(x[:, ::2, ::2] @ weights[1]), statistics + 1),
)
READS = (0, 0, 1)
EDGES = Edges(
    sources=np.array([0, 0, 1, 0, 2]), targets=np.array([1, 2, 2, 3, 3]), operations=np.array([2, 1, 1, 0, 1])
)
"""Four states of the first buffer's shape, and one of twice its size, which the first edge reads."""


def graph_inputs():
    random = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(random.normal(size=shape), jnp.float32)

    small = normal(4, *SHAPE).at[1:].set(0)
    buffers = (small, normal(1, 2, 8, 8, 3))
    return (normal(5, 3), normal(5, 3, 3)), jnp.zeros(5), buffers, jnp.abs(normal(5, 2))


def written_out(weights, statistics, buffers, gates):
    states, large = list(buffers[0]), list(buffers[1])
    statistics = list(statistics)
    for e in range(5):
        source, target, kind = int(EDGES.sources[e]), int(EDGES.targets[e]), int(EDGES.operations[e])
        x = (states, large)[READS[kind]][source]
        y, statistics[e] = OPERATIONS[kind]([each[e] for each in weights], statistics[e], x)
        states[target] = states[target] + (y if gates is None else y * gates[e][:, None, None, None])
    return jnp.stack(states), jnp.stack(statistics)


@pytest.mark.parametrize("gated", [False, True])
def test_a_graph_and_its_derivative_are_those_of_its_edges_one_by_one(gated):
    weights, statistics, buffers, gates = graph_inputs()
    gates = gates if gated else None
    edges = EDGES._replace(gates=gates)

    def loss(run, weights, buffers):
        states, changed = run(weights, buffers)
        return (states * jnp.cos(jnp.arange(states.size).reshape(states.shape))).sum(), (states, changed)

    def looped(weights, buffers):
        return run_edges(OPERATIONS, READS, edges, weights, statistics, buffers)

    def plain(weights, buffers):
        return written_out(weights, statistics, buffers, gates)

    found, wanted = (
        jax.jit(jax.value_and_grad(lambda w, b, run=run: loss(run, w, b), argnums=(0, 1), has_aux=True))(
            weights, buffers
        )
        for run in (looped, plain)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), found, wanted)
