"""Normalised convolutions, against the same written out in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import ConvNorm, FactorizedReduction, ReluConvNorm, ReluSeparableNorm, Style

X = jax.random.normal(jax.random.key(0), (4, 6, 6, 4))
GIVEN = {"rngs": nnx.Rngs(0), "style": Style()}


def convolved(x, layer, stride=1, dilation=1, groups=1):
    kernel = layer.kernel[...]
    pads = [(dilation * (size - 1) // 2,) * 2 for size in kernel.shape[:2]]
    return jax.lax.conv_general_dilated(
        *(x, kernel, (stride, stride), pads),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def normalised(x):
    """With new scales and offsets, 1 and 0."""
    return (x - x.mean((0, 1, 2))) / jnp.sqrt(x.var((0, 1, 2)) + 1e-5)


def same(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-4)


def test_convolution_and_normalisation():
    block = ConvNorm(4, 5, **GIVEN)
    same(block(X), normalised(convolved(X, block.convolution)))


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 1), (3, 2)])
def test_a_rectified_convolution_and_normalisation(size, stride):
    block = ReluConvNorm(4, 5, size, stride, **GIVEN)
    same(block(X), normalised(convolved(jax.nn.relu(X), block.convolution, stride)))


@pytest.mark.parametrize(("layers", "stride", "dilation"), [(1, 1, 2), (2, 1, 1), (2, 2, 1)])
def test_a_separable_convolution_strides_in_its_first_layer_alone(layers, stride, dilation):
    block = ReluSeparableNorm(4, 5, 3, layers, stride, dilation, **GIVEN)
    y = X
    for number, (depthwise, pointwise) in enumerate(zip(block.depthwise, block.pointwise, strict=True)):
        step = 1 if number else stride
        y = convolved(jax.nn.relu(y), depthwise, step, dilation, y.shape[3])
        y = normalised(convolved(y, pointwise))
    same(block(X), y)


@pytest.mark.parametrize("rectified", [False, True])
def test_a_factorized_reduction_reads_even_places_and_odd_ones(rectified):
    block = FactorizedReduction(4, 5, rectified, **GIVEN)
    x = jax.nn.relu(X) if rectified else X
    even, odd = (convolved(x[:, i::2, i::2], path) for i, path in enumerate(block.paths))
    assert (even.shape[3], odd.shape[3]) == (2, 3)
    same(block(X), normalised(jnp.concatenate([even, odd], -1)))


def test_a_factorized_reduction_of_an_odd_image_reads_zero_beyond_its_edge():
    block = FactorizedReduction(4, 5, **GIVEN)
    x = X[:, :5, :5]
    odd = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1::2, 1::2]
    parts = [convolved(y, path) for y, path in zip((x[:, ::2, ::2], odd), block.paths, strict=True)]
    same(block(x), normalised(jnp.concatenate(parts, -1)))
