"""What a depthwise convolution and its derivative take in a loop on a CPU: evonas's, and JAX's own.

Each is a loop of calls that depend on each other; the contestants take turns, and the fastest round counts.

    python benchmarks/depthwise.py --rounds 2

It takes about 2 minutes on 2 CPU cores, nearly all of it JAX's derivative.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from evonas.nn import convolve
from evonas.nn.lax_convolution import plain
from evonas.training.parallel import compiler_options

CALLS = 3
SHAPES = ((64, 32, 32, 8), (64, 32, 32, 24), (64, 8, 8, 96))
SIZES = (3, 5, 7)
CONTESTANTS = {
    "evonas": lambda x, kernel: convolve(x, kernel, groups=x.shape[3]),
    "jax": lambda x, kernel: plain(x, kernel, 1, 1, x.shape[3]),
}


def forward(layer: Callable, x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.fori_loop(0, CALLS, lambda _, x: layer(x, kernel), x)


def derivative(layer: Callable, x: jax.Array, kernel: jax.Array) -> jax.Array:
    def step(_: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        x, slope, kernel = carry
        to_x, to_kernel = jax.vjp(layer, x, kernel)[1](slope)
        return slope, to_x, kernel + 1e-6 * to_kernel

    return jax.lax.fori_loop(0, CALLS, step, (x, x, kernel))[2]


def milliseconds(program: Callable, *arguments: jax.Array) -> float:
    start = time.perf_counter()
    jax.block_until_ready(program(*arguments))
    return (time.perf_counter() - start) / CALLS * 1e3


def main() -> None:
    jax.config.update("jax_platforms", "cpu")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    columns = [f"{name} {part.__name__}" for part in (forward, derivative) for name in CONTESTANTS]
    print(f"{'milliseconds a call':26}" + "".join(f"{column:>20}" for column in columns))
    for shape in SHAPES:
        for size in SIZES:
            x = jnp.asarray(random.normal(size=shape), jnp.float32)
            kernel = jnp.asarray(random.normal(size=(size, size, 1, shape[3])) / size**2, jnp.float32)
            programs = [
                jax.jit(lambda x, k, part=part, layer=layer: part(layer, x, k))
                .lower(x, kernel)
                .compile(compiler_options(jax.default_backend()))
                for part in (forward, derivative)
                for layer in CONTESTANTS.values()
            ]
            rounds = [[milliseconds(program, x, kernel) for program in programs] for _ in range(options.rounds)]
            name = f"{size}x{size} on " + "x".join(map(str, shape))
            print(f"{name:26}" + "".join(f"{best:20.2f}" for best in np.min(rounds, 0)), flush=True)


if __name__ == "__main__":
    main()
