"""Parts of a batch."""

import jax.numpy as jnp
import pytest

from evonas.nn.parts import examples_at_once, in_parts


@pytest.mark.parametrize(
    ("batch", "numbers", "size"),
    [
        (64, 10_000, 64),  # the whole fits
        (64, 1_600, 16),
        (60, 1_600, 15),  # the most that divide the batch
        (250, 900, 10),  # 9 would fit, and do not divide
        (64, 1, 8),  # never fewer
        (61, 1_600, 61),  # nothing divides it
        (4, 1, 4),
    ],
)
def test_as_many_examples_as_fit_and_divide_the_batch(batch, numbers, size):
    assert examples_at_once((batch, 10, 10), numbers) == size


def test_parts_are_the_batch_in_order():
    array = jnp.arange(24).reshape(8, 3)
    (parts,) = in_parts(4, array)
    assert parts.shape == (2, 4, 3)
    assert (parts.reshape(8, 3) == array).all()
