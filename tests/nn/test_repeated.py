"""Repeated modules as one loop, against calling each."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from evonas.nn.repeated import repeated, runs


class Scaled(nnx.Module):
    """A step that counts its calls."""

    def __init__(self, scale):
        self.scale = nnx.Param(jnp.float32(scale))
        self.calls = nnx.BatchStat(jnp.float32(0))

    def __call__(self, x, shift):
        self.calls[...] += x.mean()
        return x * self.scale[...] + shift


def test_repeated_modules_equal_calling_each():
    x, shifts = jnp.arange(3.0), jnp.array([0.5, -1.0, 2.0])

    def steps(run):
        modules = [Scaled(scale) for scale in (2.0, 3.0, -1.0)]
        return run(modules), [module.calls[...] for module in modules]

    def one_by_one(modules):
        y = x
        for module, shift in zip(modules, shifts, strict=True):
            y = module(y, shift)
        return y

    def looped(modules):
        return repeated(lambda step, y, shift: step[0](y, shift), [(m,) for m in modules], x, shifts)

    jax.tree.map(np.testing.assert_allclose, steps(looped), steps(one_by_one))


def test_equal_modules_of_a_shared_network_are_runs():
    assert runs("aabcc", shared=True) == ((0, 1), (2, 2), (3, 4))
    assert runs("aabcc", shared=False) == ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4))
