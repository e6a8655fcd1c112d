"""The switch with a derivative of its own, against JAX's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.nn.switch import switch

SHAPE = (2, 5, 5, 3)
OPERATIONS = (
    lambda _weights, statistics, x, _arguments: (jnp.zeros_like(x), statistics),
    lambda _weights, statistics, x, _arguments: (x, statistics),
    lambda weights, statistics, x, arguments: (jnp.tanh(x * weights) * arguments[0], statistics + x.mean()),
    lambda weights, statistics, x, arguments: (jnp.sin(x @ weights) ** 2 * arguments[1], statistics),
)


def plain_switch(operations, _last, index, weights, statistics, total, x, arguments):
    def branch(i):
        y, changed = operations[i](weights[i], statistics[i], x, arguments)
        return y if total is None else total + y, (*statistics[:i], changed, *statistics[i + 1 :])

    return *jax.lax.switch(index, [lambda i=i: branch(i) for i in range(len(operations))]), statistics


def graph(run, weights, x, scale, genome):
    """Nodes 0, 1, 2 and edges 0->1, 0->2, 1->2, as in a cell."""
    nodes, statistics = [x, None, None], (jnp.float32(0),) * 4
    for gene, (start, end) in zip(genome, ((0, 1), (0, 2), (1, 2)), strict=True):
        arguments = scale, jnp.int32(3)
        outputs = run(OPERATIONS, end == 2, gene, weights, statistics, nodes[end], nodes[start], arguments)
        if run is switch:
            nodes[end], nodes[start], statistics = outputs
        else:
            nodes[end], statistics, _ = outputs
    return nodes[2], statistics


@pytest.fixture(scope="module")
def inputs():
    random = np.random.default_rng(0)
    weights = (None, None, *(jnp.asarray(random.normal(size=size), jnp.float32) for size in ((3,), (3, 3))))
    x, slope = (jnp.asarray(random.normal(size=SHAPE), jnp.float32) for _ in range(2))
    return weights, x, jnp.float32(1.5), slope


@pytest.mark.parametrize("genome", [(0, 0, 0), (1, 2, 3), (3, 1, 2), (2, 3, 0), (3, 3, 1), (2, 0, 2)])
def test_outputs_statistics_and_derivatives_equal_those_of_jax(genome, inputs):
    *_, slope = inputs

    def both(genome):
        results = []
        for run in (switch, plain_switch):
            y, pull, statistics = jax.vjp(lambda w, x, s, r=run: graph(r, w, x, s, genome), *inputs[:3], has_aux=True)
            results.append((y, statistics, pull(slope)))
        return results

    mine, theirs = jax.jit(both)(jnp.array(genome))
    assert jax.tree.structure(mine) == jax.tree.structure(theirs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), mine, theirs)


def equations(jaxpr):
    """All of a program, but for what stands in branches."""
    for equation in jaxpr.eqns:
        yield equation
        if equation.primitive.name != "cond":
            for value in equation.params.values():
                if hasattr(value, "eqns") or hasattr(value, "jaxpr"):
                    yield from equations(getattr(value, "jaxpr", value))


def derivative(inputs):
    weights, x, scale, slope = inputs
    program = jax.make_jaxpr(
        lambda genome, *arguments: jax.vjp(lambda *a: graph(switch, *a, genome)[0], *arguments)[1](slope)
    )
    return list(equations(program(jnp.array([1, 2, 3]), weights, x, scale).jaxpr))


def test_operations_and_sums_run_in_branches(inputs):
    found = derivative(inputs)
    branches = [equation for equation in found if equation.primitive.name == "cond"]
    assert [len(branch.params["branches"]) for branch in branches] == [4] * 6
    large = {e.primitive.name for e in found if e.outvars[0].aval.shape == SHAPE and e not in branches}
    assert not large & {"dot_general", "tanh", "add", "add_any", "mul"}


def test_no_input_is_kept_and_branches_share_what_they_keep(inputs):
    """Of JAX's derivative, each forward branch writes x, and arrays of its own for each operation."""
    forward = [equation for equation in derivative(inputs) if equation.primitive.name == "cond"][:3]
    for branch in forward:
        written = [variable.aval.shape for variable in branch.outvars].count(SHAPE)
        kept_by_the_dearest = 3  # tanh(x w) and its derivative, or sin, cos and sin^2
        assert written <= 1 + kept_by_the_dearest


def test_without_a_derivative_only_the_output_is_written(inputs):
    weights, x, scale, _ = inputs
    program = jax.make_jaxpr(lambda genome: graph(switch, weights, x, scale, genome)[0])(jnp.array([1, 2, 3]))
    for branch in (e for e in equations(program.jaxpr) if e.primitive.name == "cond"):
        assert [variable.aval.shape for variable in branch.outvars].count(SHAPE) == 1
