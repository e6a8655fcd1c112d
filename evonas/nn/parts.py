"""A batch in parts, small enough that what is computed from one stays in the cache until it is used."""

import math

import jax

LEAST_EXAMPLES = 8


def examples_at_once(shape: tuple[int, ...], numbers: int) -> int:
    """The most examples that divide a batch and have at most so many numbers, or the fewest that divide it.

    At least `LEAST_EXAMPLES`; a smaller batch is whole.
    """
    divisors = [part for part in range(LEAST_EXAMPLES, shape[0] + 1) if shape[0] % part == 0] or [shape[0]]
    fitting = [part for part in divisors if part * math.prod(shape[1:]) <= numbers]
    return max(fitting, default=divisors[0])


def in_parts(size: int, *arrays: jax.Array) -> list[jax.Array]:
    """Arrays ``[B, ...]`` as ``[B / size, size, ...]``."""
    return [array.reshape(-1, size, *array.shape[1:]) for array in arrays]
