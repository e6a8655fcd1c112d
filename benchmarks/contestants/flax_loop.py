"""The usual JAX way: one Flax module and one jitted train step per architecture, a Python loop over batches.

Flax's own layers, initialisation under ``jit``, donated state, data resident on the device, batches gathered inside the
step, and one program for the whole validation: the best of what this way can do.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import jax
import jax.numpy as jnp
import numpy as np
import optax
import work
from flax import nnx


class ReluConvNorm(nnx.Module):
    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, *, rngs: nnx.Rngs, dtype: Any):
        pad = size // 2
        self.conv = nnx.Conv(
            inputs, outputs, (size, size), stride, padding=[(pad, pad)] * 2, use_bias=False, rngs=rngs, dtype=dtype
        )
        self.norm = nnx.BatchNorm(outputs, momentum=0.9, rngs=rngs, dtype=dtype)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.norm(self.conv(nnx.relu(x)))


def average_pool(x: jax.Array) -> jax.Array:
    return nnx.avg_pool(x, (3, 3), padding="SAME", count_include_pad=False)


class Cell(nnx.Module):
    """Edges without an operation are left out, as they cost nothing."""

    def __init__(self, channels: int, names: list[str], rngs: nnx.Rngs, dtype: Any):
        self.names = tuple(names)
        sizes = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
        self.operations = nnx.List(
            [
                ReluConvNorm(channels, channels, sizes[name], rngs=rngs, dtype=dtype) if name in sizes else None
                for name in names
            ]
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        nodes: list[Any] = [x, None, None, None]
        for (start, end), name, operation in zip(work.EDGES, self.names, self.operations, strict=True):
            if name == "none":
                continue
            function = operation or {"skip_connect": lambda x: x, "avg_pool_3x3": average_pool}[name]
            y = function(nodes[start])
            nodes[end] = y if nodes[end] is None else nodes[end] + y
        return jnp.zeros_like(x) if nodes[3] is None else nodes[3]


class Reduction(nnx.Module):
    def __init__(self, channels: int, rngs: nnx.Rngs, dtype: Any):
        self.first = ReluConvNorm(channels, 2 * channels, 3, 2, rngs=rngs, dtype=dtype)
        self.second = ReluConvNorm(2 * channels, 2 * channels, 3, rngs=rngs, dtype=dtype)
        self.shortcut = nnx.Conv(channels, 2 * channels, (1, 1), use_bias=False, rngs=rngs, dtype=dtype)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.second(self.first(x)) + self.shortcut(nnx.avg_pool(x, (2, 2), (2, 2)))


class Network(nnx.Module):
    def __init__(self, given: work.Work, genome: list[int], rngs: nnx.Rngs):
        dtype, names = jnp.dtype(given.precision), [work.OPERATIONS[gene] for gene in genome]
        self.stem = nnx.Conv(3, given.channels, (3, 3), use_bias=False, rngs=rngs, dtype=dtype)
        self.stem_norm = nnx.BatchNorm(given.channels, momentum=0.9, rngs=rngs, dtype=dtype)
        blocks: list[nnx.Module] = []
        for stage in range(3):
            channels = given.channels * 2**stage
            blocks += [Reduction(channels // 2, rngs, dtype)] if stage else []
            blocks += [Cell(channels, names, rngs, dtype) for _ in range(given.cells)]
        self.blocks = nnx.List(blocks)
        self.norm = nnx.BatchNorm(channels, momentum=0.9, rngs=rngs, dtype=dtype)
        self.head = nnx.Linear(channels, work.CLASSES, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem_norm(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.head(nnx.relu(self.norm(x)).mean((1, 2), dtype=jnp.float32))


class Trainer:
    """Trains one architecture after another on data that stay on the device."""

    def __init__(self, given: work.Work):
        self.given = given
        self.data = {name: jnp.asarray(array) for name, array in given.data().items()}
        self.optimizer = optax.chain(
            optax.add_decayed_weights(work.WEIGHT_DECAY),
            optax.sgd(
                optax.cosine_decay_schedule(work.LEARNING_RATE, given.steps), momentum=work.MOMENTUM, nesterov=True
            ),
        )

    def start(self, genome: list[int]) -> None:
        """New weights, and new functions to compile."""
        graphs = []

        @jax.jit
        def create(seed: jax.Array) -> tuple[Any, Any, Any]:
            module = Network(self.given, genome, nnx.Rngs(jax.random.key(seed)))
            graph, parameters, rest = nnx.split(module, nnx.Param, ...)
            graphs.append(graph)
            parameters, rest = nnx.as_pure(parameters), nnx.as_pure(rest)
            return parameters, rest, self.optimizer.init(parameters)

        self.state = create(0)
        graph = graphs[0]

        @partial(jax.jit, donate_argnums=0)
        def step(state: Any, data: dict[str, jax.Array], rows: jax.Array) -> tuple[Any, jax.Array]:
            parameters, rest, optimizer = state

            def loss_of(parameters: Any) -> tuple[jax.Array, Any]:
                module = nnx.merge(graph, parameters, rest)
                module.train()
                logits = module(standardised(data["train_images"][rows]))
                loss = optax.softmax_cross_entropy_with_integer_labels(logits, data["train_labels"][rows]).mean()
                return loss, nnx.as_pure(nnx.split(module, nnx.Param, ...)[2])

            (loss, rest), slope = jax.value_and_grad(loss_of, has_aux=True)(parameters)
            updates, optimizer = self.optimizer.update(slope, optimizer, parameters)
            return (optax.apply_updates(parameters, updates), rest, optimizer), loss

        @jax.jit
        def accuracy(state: Any, data: dict[str, jax.Array]) -> jax.Array:
            module = nnx.merge(graph, state[0], state[1])
            module.eval()
            answers = module(standardised(data["validation_images"])).argmax(-1)
            return (answers == data["validation_labels"]).mean()

        self.step, self.measure = step, accuracy

    def epoch(self, steps: int) -> None:
        order = np.random.default_rng(0).permutation(self.given.images)
        for i in range(steps):
            rows = order[i * self.given.batch : (i + 1) * self.given.batch]
            self.state, self.loss = self.step(self.state, self.data, rows)
        jax.block_until_ready(self.loss)

    def accuracy(self) -> float:
        return float(self.measure(self.state, self.data))


def standardised(images: jax.Array) -> jax.Array:
    return (images.astype(jnp.float32) - 128) / 64


def main() -> None:
    given, options = work.from_command_line(share=0, of=1, device="cpu", rounds=0)
    work.run(Trainer(given), given, options)


if __name__ == "__main__":
    main()
