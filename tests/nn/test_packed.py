"""Many modules' arrays in one vector, against the modules themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import BatchNorm, Linear, Style, split
from evonas.nn.choice import as_module
from evonas.nn.packed import pack

COPIES = 3


def make(rngs):
    return [as_module(jnp.tanh), Linear(2, 5, rngs=rngs, style=Style()), BatchNorm(4)]


@pytest.fixture(scope="module")
def packed():
    return pack(make, COPIES, nnx.Rngs(params=0))


def test_each_copy_has_weights_of_its_own_and_all_modules_their_shapes(packed):
    modules, weights, statistics = packed
    assert weights.shape == (COPIES, 2 * 5 + 5 + 4 + 4)
    assert statistics.shape == (COPIES, 4 + 4)
    _, linear, norm = (module.module(weights[1], statistics[1], training=True) for module in modules)
    np.testing.assert_array_equal(norm.scale[...], 1)
    np.testing.assert_array_equal(linear.bias[...], 0)
    assert linear.kernel.shape == (2, 5)
    np.testing.assert_array_equal(linear.kernel[...].ravel(), weights[1, 5:15])
    assert len(np.unique(weights[:, :15])) == COPIES * 10 + 1


def test_a_module_of_the_vectors_computes_what_the_module_does_in_both_modes(packed):
    modules, weights, statistics = packed
    x = jax.random.normal(jax.random.key(0), (8, 4))
    for training in (True, False):
        found = modules[2].module(weights[0], statistics[0], training)
        wanted = BatchNorm(4)
        wanted.use_running_average = not training
        np.testing.assert_array_equal(found(x), wanted(x))
        np.testing.assert_array_equal(found.mean[...], wanted.mean[...])


def test_written_statistics_are_read_again_and_others_stay(packed):
    modules, weights, statistics = packed
    module = modules[2].module(weights[0], statistics[0], training=True)
    module(jnp.ones((8, 4)))
    vector = modules[2].statistics.write(statistics[0], split(module).statistics)
    again = modules[2].module(weights[0], vector, training=False)
    np.testing.assert_allclose(again.mean[...], 0.1, rtol=1e-6)
    np.testing.assert_array_equal(modules[0].statistics.write(vector, split(as_module(jnp.tanh)).statistics), vector)
