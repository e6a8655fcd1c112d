"""Kernels cut out of one draw: no number twice, and the variance of a draw of their own."""

import jax
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Draws, Linear, Style

SHAPES = [(3, 3, 8, 8), (8, 4), (5, 100)]


def test_kernels_follow_each_other_in_one_draw_and_share_no_number():
    draws = Draws(jax.random.key(0), 2000)
    kernels = [np.ravel(draws.normal(shape)) for shape in SHAPES]
    assert [len(kernel) for kernel in kernels] == [576, 32, 500]
    assert draws.taken == 1108
    drawn = np.concatenate(kernels)
    np.testing.assert_array_equal(drawn, draws.normals[:1108])
    assert len(np.unique(drawn)) > 1100
    assert np.abs(drawn).max() <= 2


def test_without_a_length_it_says_how_much_is_needed():
    draws = Draws(jax.random.key(0))
    assert [draws.normal(shape).shape for shape in SHAPES] == SHAPES
    assert draws.taken == 1108


@pytest.mark.parametrize(("initializer", "variance"), [("he", 2 / 64), ("lecun", 1 / 64), ("glorot", 2 / 192)])
def test_kernels_have_the_variance_of_their_paper(initializer, variance):
    kernel = Style(initializer=initializer).kernel(Draws(jax.random.key(1), 64 * 128), (64, 128))
    assert kernel.var() == pytest.approx(variance, rel=0.05)


def test_layers_that_draw_by_themselves_have_keys():
    draws = Draws(jax.random.key(0), 100)
    mine, first, second = Linear(4, 4, rngs=draws, style=Style()), *(nnx.Linear(4, 4, rngs=draws) for _ in range(2))
    assert draws.taken == 16
    kernels = [np.ravel(layer.kernel[...]) for layer in (mine, first, second)]
    assert len(np.unique(np.concatenate(kernels))) == 48
