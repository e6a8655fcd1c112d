"""Normalisation against that of Flax."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn import BatchNorm, LayerNorm, merge, split


def images(channels=3):
    return jnp.asarray(np.random.default_rng(0).normal(1.0, 2.0, size=(4, 5, 5, channels)), jnp.float32)


def test_batch_norm_equals_that_of_flax():
    mine, theirs = BatchNorm(3), nnx.BatchNorm(3, momentum=0.9, epsilon=1e-5, rngs=nnx.Rngs(0))
    for norm in (mine, theirs):
        norm.scale.set_value(jnp.array([1.0, 2.0, 0.5]))
        norm.bias.set_value(jnp.array([0.0, -1.0, 3.0]))
    for _ in range(2):
        np.testing.assert_allclose(mine(images()), theirs(images()), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mine.mean[...], theirs.mean[...], rtol=1e-5)
    np.testing.assert_allclose(mine.variance[...], theirs.var[...], rtol=1e-5)
    mine.eval()
    theirs.eval()
    before = mine.mean[...]
    np.testing.assert_allclose(mine(images()), theirs(images()), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(mine.mean[...], before)


def test_batch_norm_derivatives_equal_those_of_flax():
    slope = jnp.asarray(np.random.default_rng(1).normal(size=(4, 5, 5, 3)), jnp.float32)

    def pulled(norm):
        parts = split(norm)
        run = lambda p, x: (merge(parts.graph, p, parts.statistics)(x) * slope).sum()  # noqa: E731
        parameters, x = jax.jit(jax.grad(run, argnums=(0, 1)))(parts.parameters, images())
        return parameters["scale"], parameters["bias"], x

    for one, other in zip(pulled(BatchNorm(3)), pulled(nnx.BatchNorm(3, rngs=nnx.Rngs(0))), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_running_statistics_have_the_derivatives_of_moments():
    norm = BatchNorm(3)
    parts = split(norm)
    weights = jnp.array([0.5, -1.0, 2.0])

    def of_statistics(x):
        module = merge(parts.graph, parts.parameters, parts.statistics)
        module(x)
        return ((module.mean[...] + module.variance[...]) * weights).sum()

    def of_moments(x):
        return (0.1 * (x.mean((0, 1, 2)) + x.var((0, 1, 2))) * weights).sum()

    np.testing.assert_allclose(jax.grad(of_statistics)(images()), jax.grad(of_moments)(images()), rtol=1e-4, atol=1e-6)


def test_layer_norm_equals_that_of_flax():
    theirs = nnx.LayerNorm(3, epsilon=1e-5, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(LayerNorm(3)(images()), theirs(images()), rtol=1e-4, atol=1e-4)


def test_layer_norm_sees_the_channels_in_use_only():
    x = images(3)
    wide = jnp.pad(x, ((0, 0),) * 3 + ((0, 5),))
    y = jax.jit(lambda width: LayerNorm(8)(wide, width))(3)
    np.testing.assert_allclose(y[..., :3], LayerNorm(3)(x), rtol=1e-5, atol=1e-5)


def test_layer_norm_keeps_its_digits_far_from_zero():
    x = images(8) + 1000.0
    np.testing.assert_allclose(LayerNorm(8)(x), LayerNorm(8)(x - 1000.0), atol=1e-3)


def test_norms_without_a_spread_are_finite():
    for norm in (BatchNorm(3), LayerNorm(3)):
        parts = split(norm)
        slopes = jax.grad(lambda p, parts=parts: merge(parts.graph, p, parts.statistics)(jnp.ones((2, 3))).sum())
        assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes(parts.parameters)))
