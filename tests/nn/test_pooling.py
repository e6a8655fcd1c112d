"""Pooling against reduce_window and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.nn import average_pool, halve, max_pool

SHAPES = [(2, 5, 5, 3), (2, 6, 7, 1), (1, 1, 2, 2)]


def images(shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_pools_equal_reduce_window(shape, size):
    x = images(shape)
    window = lambda y, start, f: jax.lax.reduce_window(y, start, f, (1, size, size, 1), (1,) * 4, "SAME")  # noqa: E731
    np.testing.assert_array_equal(max_pool(x, size), window(x, -jnp.inf, jax.lax.max))
    mean = window(x, 0.0, jax.lax.add) / window(jnp.ones_like(x), 0.0, jax.lax.add)
    np.testing.assert_allclose(average_pool(x, size), mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", ["average", "max"])
def test_halving_leaves_padding_out(shape, reduction):
    x = np.asarray(images(shape))
    y = halve(jnp.asarray(x), reduction)
    assert y.shape == (shape[0], -(-shape[1] // 2), -(-shape[2] // 2), shape[3])
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            block = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            wanted = block.max((1, 2)) if reduction == "max" else block.mean((1, 2))
            np.testing.assert_allclose(y[:, i, j], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pool", [max_pool, lambda x: halve(x, "max")], ids=["pool", "halve"])
def test_the_derivative_of_a_maximum_goes_to_one_place(pool):
    x = images((2, 5, 6, 3))
    np.testing.assert_array_equal(jax.grad(lambda x: pool(x).sum())(x).sum(), pool(x).size)
    ties = jnp.ones((1, 4, 4, 1))
    slope = jax.grad(lambda x: pool(x).sum())(ties)
    assert slope.sum() == pool(ties).size


def test_maxima_keep_nan():
    x = images((1, 4, 4, 1)).at[0, 1, 2, 0].set(jnp.nan)
    assert jnp.isnan(halve(x, "max")).sum() == 1
    assert jnp.isnan(max_pool(x)).sum() == 9


def test_pools_keep_the_number_format():
    x = images((1, 4, 5, 2)).astype(jnp.bfloat16)
    assert {f(x).dtype for f in (max_pool, average_pool, halve)} == {jnp.dtype("bfloat16")}


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_derivative_of_an_average_equals_that_of_reduce_window(shape, size):
    x, slope = images(shape), images(shape)[::-1]

    def mean(x):
        window = lambda y: jax.lax.reduce_window(y, 0.0, jax.lax.add, (1, size, size, 1), (1,) * 4, "SAME")  # noqa: E731
        return window(x) / window(jnp.ones_like(x))

    wanted = jax.vjp(mean, x)[1](slope)[0]
    np.testing.assert_allclose(jax.vjp(lambda x: average_pool(x, size), x)[1](slope)[0], wanted, rtol=1e-5, atol=1e-6)
