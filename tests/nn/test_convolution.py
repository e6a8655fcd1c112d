"""The convolution with derivatives of its own against JAX's."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.nn import convolve, cpu_convolution, cpu_depthwise

SHAPES = [(5, 5), (6, 8), (7, 4)]


def reference(x, kernel, stride, dilation, groups):
    pads = [(dilation * (size - 1) // 2,) * 2 for size in kernel.shape[:2]]
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), pads, rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups,
    )  # fmt: skip


def check(shape, size, stride, dilation, groups, batch=3, channels=(4, 6)):
    random = np.random.default_rng(0)
    inputs, outputs = channels if groups == 1 else (4, 4)
    x = jnp.asarray(random.normal(size=(batch, *shape, inputs)), jnp.float32)
    kernel = jnp.asarray(random.normal(size=(*size, inputs // groups, outputs)), jnp.float32)

    def both(x, kernel, slope):
        results = []
        for function in (convolve, reference):
            y, pull = jax.vjp(lambda a, b, f=function: f(a, b, stride, dilation, groups), x, kernel)
            results.append((y, *pull(slope)))
        return results

    wanted = jax.eval_shape(lambda: reference(x, kernel, stride, dilation, groups)).shape
    assert wanted[1:3] == tuple(-(-side // stride) for side in shape)
    slope = jnp.asarray(random.normal(size=wanted), jnp.float32)
    quick = {"xla_backend_optimization_level": 0}
    mine, theirs = jax.jit(both).lower(x, kernel, slope).compile(quick)(x, kernel, slope)
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("stride", "dilation", "groups"), [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 4), (2, 2, 4)])
@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_convolution_and_its_derivatives_equal_those_of_jax(size, stride, dilation, groups):
    check(SHAPES[size // 2 % 3], (size, size), stride, dilation, groups)


@pytest.mark.parametrize("channels", [(3, 16), (20, 24)])
@pytest.mark.parametrize("stride", [1, 2])
def test_colours_and_wide_arrays_are_convolved_as_jax_does(channels, stride):
    check((8, 6), (3, 3), stride, 1, 1, channels=channels)


@pytest.mark.parametrize("size", [(3, 3), (1, 7), (5, 3)])
@pytest.mark.parametrize("stride", [2, 3])
def test_wide_strided_convolutions_equal_those_of_jax(size, stride):
    check((9, 8), size, stride, 1, 1, channels=(16, 3))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (7, 1)])
def test_convolution_of_any_settings_equals_that_of_jax(size):
    for number, settings in enumerate(itertools.product((1, 2), (1, 2), (1, 4))):
        check(SHAPES[number % 3], size, *settings)


@pytest.mark.parametrize("batch", [16, 24, 13])
def test_a_batch_beyond_the_cache_is_taken_in_parts(batch, monkeypatch):
    monkeypatch.setattr(cpu_convolution, "CACHED", 2**10)
    check((6, 7), (3, 3), 1, 1, 1, batch)


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_depthwise_kernels_have_their_slope_of_some_columns_at_a_time(stride, dilation, columns, monkeypatch):
    monkeypatch.setattr(cpu_depthwise, "COLUMNS", columns)
    check((6, 7), (3, 5), stride, dilation, 4)


@pytest.mark.parametrize("groups", [1, 4])
def test_a_rectified_convolution_is_one_of_what_is_positive(groups):
    random = np.random.default_rng(0)
    x, kernel = (jnp.asarray(random.normal(size=size), jnp.float32) for size in ((2, 5, 6, 4), (3, 3, 4 // groups, 4)))
    found, pull = jax.vjp(lambda x, k: convolve(x, k, groups=groups, rectified=True), x, kernel)
    wanted, pull_wanted = jax.vjp(lambda x, k: reference(jax.nn.relu(x), k, 1, 1, groups), x, kernel)
    slopes = zip((found, *pull(jnp.sin(found))), (wanted, *pull_wanted(jnp.sin(wanted))), strict=True)
    for one, other in slopes:
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_depthwise_convolution_in_bfloat16_is_rounded_once():
    random = np.random.default_rng(0)
    x, kernel = (jnp.asarray(random.normal(size=size), jnp.bfloat16) for size in ((2, 9, 9, 4), (7, 7, 1, 4)))
    found, pull = jax.vjp(lambda x, k: convolve(x, k, groups=4), x, kernel)
    slope = jnp.sin(found)
    wide = [array.astype(jnp.float32) for array in (x, kernel, slope)]
    wanted, pull_wanted = jax.vjp(lambda x, k: reference(x, k, 1, 1, 4), *wide[:2])
    for one, other in zip((found, *pull(slope)), (wanted, *pull_wanted(wide[2])), strict=True):
        assert one.dtype == jnp.bfloat16
        np.testing.assert_allclose(one.astype(jnp.float32), other, rtol=2**-7, atol=1e-5)


def convolutions_of_training(convolution, platform, groups=1):
    x, kernel = jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3 // groups, 3))

    def train(kernel):
        def step(kernel, _):
            slope = jax.grad(lambda k: convolution(convolution(x, k, 1, 1, groups), k, 2, 1, groups).sum())(kernel)
            return kernel - slope, None

        return jax.lax.scan(step, kernel, None, length=3)[0]

    program = jax.jit(train).trace(kernel).lower(lowering_platforms=(platform,)).as_text()
    return re.findall(r"stablehlo.convolution.*dim_numbers = (\[.*?\]x\[.*?\]->\[.*?\])", program)


CANONICAL = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"


def test_training_in_a_loop_has_only_convolutions_in_the_canonical_layout():
    """XLA:CPU is 30 to 90 times slower with others there, which wall-clock would show but cannot assert."""
    mine = convolutions_of_training(convolve, "cpu")
    assert len(mine) >= 3
    assert set(mine) == {CANONICAL}
    assert set(convolutions_of_training(reference, "cpu")) > {CANONICAL}


def test_training_depthwise_convolutions_in_a_loop_has_none_for_xla():
    assert not convolutions_of_training(convolve, "cpu", 3)


@pytest.mark.parametrize("groups", [1, 3])
def test_other_platforms_have_the_derivatives_that_jax_writes(groups):
    """Theirs is a convolution whose kernel is as large as the image, which only a CPU's library is fast at."""
    mine, others = (convolutions_of_training(function, "cuda", groups) for function in (convolve, reference))
    assert sorted(mine) == sorted(others)


@pytest.mark.parametrize(
    ("kernel", "groups", "message"),
    [
        ((2, 2, 4, 6), 1, "a convolution has an odd size, got 2x2"),
        ((3, 4, 4, 6), 1, "a convolution has an odd size, got 3x4"),
        ((3, 3, 2, 4), 2, "got 2 groups, 4 inputs and 4 outputs"),
        ((3, 3, 1, 8), 4, "got 4 groups, 4 inputs and 8 outputs"),
    ],
)
def test_convolutions_without_a_right_derivative_are_refused(kernel, groups, message):
    with pytest.raises(ValueError, match=message):
        convolve(jnp.zeros((1, 8, 8, 4)), jnp.zeros(kernel), 1, 1, groups)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 3])
def test_a_rectified_convolution_is_that_of_the_positive_part(size, stride):
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(3, 6, 5, 4)), jnp.float32).at[0, 0, 0].set(0.0)
    kernel = jnp.asarray(random.normal(size=(size, size, 4, 2)), jnp.float32)
    fused, pull_fused = jax.vjp(lambda x, k: convolve(x, k, stride, rectified=True), x, kernel)
    plain, pull_plain = jax.vjp(lambda x, k: convolve(jax.nn.relu(x), k, stride), x, kernel)
    slope = jnp.asarray(random.normal(size=fused.shape), jnp.float32)
    jax.tree.map(np.testing.assert_array_equal, (fused, pull_fused(slope)), (plain, pull_plain(slope)))
