"""Choice, counting, inheritance, dropout, activations, widths, style."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import (
    ACTIVATIONS,
    BatchNorm,
    Choice,
    Convolution,
    Dropout,
    Linear,
    SeparableConvolution,
    Style,
    count_module,
    fit_channels,
    inherit,
    merge,
    split,
    used_channels,
)


class Sum(nnx.Module):
    def __init__(self, only=None, *, rngs):
        makers = [
            lambda: jnp.zeros_like,
            lambda: Linear(4, 4, rngs=rngs, style=Style()),
            lambda: BatchNorm(4),
            lambda: lambda x: 2 * x,
        ]
        self.choice = Choice(makers, only)

    def __call__(self, x, index=None):
        return self.choice(x, index)


def test_choice_runs_the_one_it_names():
    parts = split(Sum(rngs=nnx.Rngs(params=0)))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(8, 4)), jnp.float32)
    program = jax.jit(lambda index: merge(*parts)(x, index))
    for index in range(4):
        own = inherit(Sum(index, rngs=nnx.Rngs(params=1)), merge(*parts))
        np.testing.assert_allclose(program(index), own(x), rtol=1e-6, atol=1e-6)


def test_choice_changes_the_statistics_of_the_one_it_runs():
    parts = split(Sum(rngs=nnx.Rngs(params=0)))

    @jax.jit
    def mean_after(index):
        module = merge(*parts)
        module(jnp.ones((8, 4)), index)
        return module.choice.operations["choice2"].mean[...]

    np.testing.assert_array_equal(mean_after(1), 0)
    np.testing.assert_allclose(mean_after(2), 0.1, rtol=1e-6)


def test_choice_without_an_index_says_what_it_needs():
    with pytest.raises(ValueError, match="genome"):
        Sum(rngs=nnx.Rngs(params=0))(jnp.ones((1, 4)))


def test_choice_hands_on_further_arguments():
    choice = Choice([lambda: lambda x, y: x + y, lambda: lambda x, y: x * y])
    assert choice(jnp.float32(3), 1, jnp.float32(4)) == 12
    assert Choice([lambda: lambda x, y: x + y], 0)(jnp.float32(3), None, jnp.float32(4)) == 7


def test_inherited_weights_are_the_leading_corner():
    wide, narrow = (Linear(n, n + 1, rngs=nnx.Rngs(params=n), style=Style()) for n in (6, 2))
    own = inherit(narrow, wide)
    np.testing.assert_array_equal(own.kernel[...], wide.kernel[...][:2, :3])


@pytest.mark.parametrize(
    ("make", "parameters", "multiply_adds"),
    [
        (lambda rngs: Convolution(3, 8, 5, 2, rngs=rngs, style=Style()), 25 * 24, 25 * 24 * 16),
        (lambda rngs: Convolution(3, 3, 3, groups=3, rngs=rngs, style=Style()), 27, 27 * 64),
        (lambda rngs: SeparableConvolution(3, 8, 3, rngs=rngs, style=Style()), 27 + 24, (27 + 24) * 64),
        (lambda rngs: Linear(3, 5, rngs=rngs, style=Style()), 20, 15 * 64),
    ],
    ids=["convolution", "depthwise", "separable", "linear"],
)
def test_modules_are_counted_without_running(make, parameters, multiply_adds):
    assert count_module(make, (8, 8, 3)) == (parameters, multiply_adds)


def test_dropout_keeps_the_mean_and_takes_a_traced_rate():
    x = jnp.ones((2000, 10))
    run = jax.jit(lambda rate: Dropout()(x, rate, nnx.Rngs(dropout=0)))
    for rate in (0.0, 0.25, 0.5):
        y = run(rate)
        assert (y == 0).mean() == pytest.approx(rate, abs=0.02)
        assert y.mean() == pytest.approx(1, abs=0.02)


def test_dropout_of_fewer_channels_drops_the_same_units():
    x = jnp.ones((5, 12))
    wide = Dropout(12)(x, 0.5, nnx.Rngs(dropout=3))
    np.testing.assert_array_equal(Dropout(12)(x[:, :7], 0.5, nnx.Rngs(dropout=3)), wide[:, :7])


def test_dropout_rests_in_evaluation_and_without_a_key():
    dropout, x = Dropout(), jnp.ones((5, 12))
    np.testing.assert_array_equal(dropout(x, 0.5, None), x)
    dropout.eval()
    np.testing.assert_array_equal(dropout(x, 0.5, nnx.Rngs(dropout=3)), x)


def test_activations_are_those_of_their_names():
    x = jnp.linspace(-3, 3, 13)
    np.testing.assert_allclose(ACTIVATIONS["silu"](x), x / (1 + jnp.exp(-x)), rtol=1e-5)
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"](x), 1 / (1 + jnp.exp(-x)), rtol=1e-5)
    np.testing.assert_allclose(ACTIVATIONS["relu"](x), jnp.maximum(x, 0))


def test_widths_cut_pad_and_clear():
    x = jnp.arange(1.0, 7.0).reshape(2, 3)
    np.testing.assert_array_equal(fit_channels(x, 2), x[:, :2])
    np.testing.assert_array_equal(fit_channels(x, 4), jnp.pad(x, ((0, 0), (0, 1))))
    np.testing.assert_array_equal(used_channels(x, 1), x * jnp.array([1, 0, 0]))
    assert used_channels(x, None) is x


@pytest.mark.parametrize(("initializer", "variance"), [("he", 2 / 64), ("lecun", 1 / 64), ("glorot", 2 / 192)])
def test_initial_kernels_have_the_variance_of_their_paper(initializer, variance):
    kernel = Style(initializer=initializer).kernel(nnx.Rngs(params=0), (64, 128))
    assert kernel.var() == pytest.approx(variance, rel=0.05)
    assert Style(initializer=initializer).kernel(nnx.Rngs(params=0), (0, 3)).shape == (0, 3)


class Looping(nnx.Module):
    def __init__(self, how, rngs):
        self.how, self.kernel = how, nnx.Param(jnp.ones((8, 8)))
        del rngs

    def __call__(self, x):
        kernel = self.kernel[...]
        if self.how == "scan":
            return jax.lax.scan(lambda x, _: (x @ kernel, None), x, None, length=4)[0]
        if self.how == "switch":
            branches = [lambda x: x, lambda x: x @ kernel, lambda x: x @ kernel @ kernel]
            return jax.lax.switch(x.sum().astype(int), branches, x)
        return jax.lax.while_loop(lambda x: x.sum() < 5, lambda x: x @ kernel, x)


@pytest.mark.parametrize(("how", "multiply_adds"), [("scan", 4 * 64), ("switch", 2 * 64)])
def test_loops_and_switches_are_counted_as_often_as_they_run(how, multiply_adds):
    assert count_module(lambda rngs: Looping(how, rngs), (8,)) == (64, multiply_adds)


def test_a_loop_of_unknown_length_is_not_counted_but_refused():
    with pytest.raises(ValueError, match=r"a loop of unknown length can't be counted: give the space a count\(\)"):
        count_module(lambda rngs: Looping("while", rngs), (8,))


def test_a_choice_among_more_than_ten_keeps_its_order_when_put_together_again():
    parts = split(Choice([lambda n=n: lambda x: n * x for n in range(12)]))
    choice = merge(parts.graph, parts.parameters, parts.statistics)
    assert [float(choice(jnp.float32(1), jnp.int32(n))) for n in range(12)] == list(range(12))
