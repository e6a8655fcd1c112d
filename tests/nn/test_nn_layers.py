"""Layers, against JAX's own convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import LineConvolution, Style


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("axis", [1, 2])
def test_a_convolution_along_one_axis_equals_that_of_jax(axis, stride):
    layer = LineConvolution(3, 4, 5, axis, stride, rngs=nnx.Rngs(0), style=Style())
    x = jax.random.normal(jax.random.key(0), (2, 7, 8, 3))
    kernel = layer.kernel[...]
    shape, strides = [(5, 1), (1, 5)][axis - 1], [(stride, 1), (1, stride)][axis - 1]
    padding = [(size // 2, size // 2) for size in shape]

    def wanted(x):
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel.reshape(*shape, 3, 4), strides, padding, dimension_numbers=layout)

    y, pull = jax.vjp(layer, x)
    other, pull_other = jax.vjp(wanted, x)
    np.testing.assert_allclose(y, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(pull(jnp.sin(y))[0], pull_other(jnp.sin(y))[0], rtol=1e-4, atol=1e-4)
