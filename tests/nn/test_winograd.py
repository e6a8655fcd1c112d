"""The 3x3 convolution with fewer multiplications against the plain one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.nn import convolve, winograd

PLAIN = ("NHWC", "HWIO", "NHWC")


def random_arrays(shape, outputs):
    random = np.random.default_rng(0)
    sizes = shape, (3, 3, shape[-1], outputs), (*shape[:3], outputs)
    return [jnp.asarray(random.normal(size=size), jnp.float32) for size in sizes]


def plain(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=PLAIN)


def with_slopes(function, x, kernel, slope):
    y, pull = jax.vjp(function, x, kernel)
    return (y, *pull(slope))


def check(function, x, kernel, slope, expected=plain):
    wanted = with_slopes(expected, x, kernel, slope)
    for one, other in zip(jax.jit(with_slopes, static_argnums=0)(function, x, kernel, slope), wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=3e-5 * float(jnp.abs(other).max()))


def direct(x, kernel):
    """The function with its derivatives, whatever `winograd.fits` says."""
    run = jax.custom_vjp(winograd.convolve)
    run.defvjp(
        lambda x, kernel: (winograd.convolve(x, kernel), (x, kernel)),
        lambda kept, slope: winograd.slopes(*kept, slope),
    )
    return run(x, kernel)


@pytest.mark.parametrize("side", [(4, 4), (8, 12), (7, 5), (1, 9)])
@pytest.mark.parametrize(("inputs", "outputs"), [(3, 5), (16, 8)])
def test_convolution_and_its_derivatives_equal_the_plain_ones(side, inputs, outputs):
    check(direct, *random_arrays((2, *side, inputs), outputs))


@pytest.mark.parametrize("batch", [16, 24, 13])
def test_a_batch_beyond_the_cache_is_taken_in_parts(batch, monkeypatch):
    monkeypatch.setattr(winograd, "CACHED", 2**10)
    check(direct, *random_arrays((batch, 6, 7, 4), 3))


def test_a_batch_of_kernels_has_the_results_of_each():
    x, kernel, slope = random_arrays((2, 8, 8, 4), 3)
    kernels = jnp.stack([kernel, 2 * kernel])
    several = jax.vmap(lambda kernel: with_slopes(direct, x, kernel, slope))(kernels)
    for i in range(2):
        for one, other in zip(several, with_slopes(direct, x, kernels[i], slope), strict=True):
            np.testing.assert_allclose(one[i], other, rtol=0, atol=1e-5 * float(jnp.abs(other).max()))


@pytest.mark.parametrize("rectified", [False, True])
def test_large_convolutions_take_this_way(rectified):
    def function(x, kernel):
        return convolve(x, kernel, rectified=rectified)

    x, kernel, slope = random_arrays((32, 16, 16, 16), 16)
    check(function, x, kernel, slope, lambda x, kernel: plain(jax.nn.relu(x) if rectified else x, kernel))
    assert winograd.fits(x, kernel)
    program = jax.jit(function).trace(x, kernel).lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.convolution" not in program


@pytest.mark.parametrize(
    ("shape", "kernel", "dtype", "why"),
    [
        ((32, 16, 16, 16), (3, 3, 16, 16), "bfloat16", "points would be rounded"),
        ((32, 16, 16, 16), (5, 5, 16, 16), "float32", "other size"),
        ((32, 16, 16, 16), (3, 3, 16, 8), "float32", "few outputs"),
        ((64, 16, 16, 8), (3, 3, 8, 16), "float32", "few inputs"),
        ((8, 16, 16, 16), (3, 3, 16, 16), "float32", "small"),
        ((256, 5, 5, 32), (3, 3, 32, 32), "float32", "mostly beyond the image"),
    ],
)
def test_others_do_not(shape, kernel, dtype, why):
    assert not winograd.fits(jnp.zeros(shape, dtype), jnp.zeros(kernel, dtype)), why
