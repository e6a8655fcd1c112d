"""The machine's best rate of a square matrix product: the limit that the others are held against.

Run by itself it prints FLOP/s.
"""

from __future__ import annotations

import sys
import time

import jax


def rate(size: int = 2048, precision: str = "float32") -> float:
    """FLOP/s of the fastest of ten products."""
    x = jax.random.normal(jax.random.key(0), (size, size), precision)
    product, best = jax.jit(lambda x: x @ x), 0.0
    jax.block_until_ready(product(x))
    for _ in range(10):
        started = time.perf_counter()
        jax.block_until_ready(product(x))
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


if __name__ == "__main__":
    print(rate(int(sys.argv[1]), sys.argv[2]))
