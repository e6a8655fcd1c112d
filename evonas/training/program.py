"""The whole training of one candidate as pure functions: start, epoch, evaluation, and all of it in slices.

Python's work is done when the program is built; what is built is traced once, and the genome, the seed and the
hyperparameters are arguments of it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evonas.data.dataset import Dataset, Scales, Split
from evonas.nn import WithAuxiliary
from evonas.training import augmentation, metrics
from evonas.training.model import Model
from evonas.training.optimizer import Hyperparameters, learning_rates, make_optimizer
from evonas.training.settings import Training

_INIT, _EPOCH = 0, 1  # purposes of a candidate's keys

BLOCK = 32
"""Steps of a block, at most."""


class Examples(NamedTuple):
    """Examples on a device, perhaps padded at the end."""

    inputs: Any  # [n, ...] uint8 or float32
    targets: Any  # [n] int32 or [n, K] float32
    size: Any  # int32: the examples that count


class DeviceData(NamedTuple):
    """All that a training reads."""

    train: Examples
    judge: Examples  # what the metrics are measured on: validation data, or at the very end test data
    scales: Scales


class Progress(NamedTuple):
    """A training under way."""

    parameters: Any
    statistics: Any
    optimizer: Any
    epoch: jax.Array  # int32: epochs done
    block: jax.Array  # int32: blocks done of the epoch under way
    sums: jax.Array  # [2] float32: what that epoch's blocks add to its loss and accuracy
    loss: jax.Array  # float32: mean training loss of the last epoch, auxiliary heads included; targets standardised
    accuracy: jax.Array  # float32: share of right answers while training in the last epoch; 0 for regression


def examples_of(split: Split, length: int | None = None) -> Examples:
    """A split's arrays, padded to ``length`` with copies of its first example."""
    padding = (length or len(split)) - len(split)
    inputs, targets = (
        np.concatenate([array, array[:1].repeat(padding, 0)]) if padding else array
        for array in (split.inputs, split.targets)
    )
    return Examples(inputs, targets, np.int32(len(split)))


@dataclasses.dataclass(frozen=True)
class Program:
    """Training as pure functions. ``context`` is the genome for a shared model, and nothing for a specialised one.

    Attributes:
        model: the network.
        training: the settings.
        task: of the data.
        outputs: of the network.
    """

    model: Model
    training: Training
    task: metrics.Task
    outputs: int

    def start(self, key: jax.Array, *context: jax.Array) -> Progress:
        """Fresh weights."""
        parameters, statistics = self.model.init(jax.random.fold_in(key, _INIT), *context)
        optimizer = self._optimizer(0.0, 0.0)
        state, zero = optimizer.init(parameters), jnp.float32(0)
        return Progress(parameters, statistics, state, jnp.int32(0), jnp.int32(0), jnp.zeros(2), zero, zero)

    def steps_per_epoch(self, data: DeviceData) -> int:
        """Complete batches in the training data."""
        return max(len(data.train.targets) // self.training.batch_size, 1)

    def blocks_per_epoch(self, data: DeviceData) -> int:
        """Parts of equal length that an epoch has: a training can be left, and taken up again, between two of them.

        Their length is known when compiling, since XLA asks a GPU before each turn of a loop whose length is not.
        """
        steps = self.steps_per_epoch(data)
        return steps // max(size for size in range(1, BLOCK + 1) if steps % size == 0)

    def epoch(
        self,
        progress: Progress,
        key: jax.Array,
        hyperparameters: Hyperparameters,
        data: DeviceData,
        *context: jax.Array,
        blocks: Any = None,
    ) -> Progress:
        """One pass over the training data in a new order, that of the key and the epoch's number.

        Args:
            progress: perhaps amid the epoch.
            key: of the training.
            hyperparameters: of the training.
            data: to train on.
            *context: of the model.
            blocks: to do at most; by default all that the epoch has left.
        """
        steps, parts = self.steps_per_epoch(data), self.blocks_per_epoch(data)
        end = parts if blocks is None else jnp.minimum(progress.block + blocks, parts)
        order_key, step_key = jax.random.split(jax.random.fold_in(jax.random.fold_in(key, _EPOCH), progress.epoch))
        order = jax.random.permutation(order_key, len(data.train.targets))
        rates = learning_rates(progress.epoch, self.training, hyperparameters, steps)

        def step(i: jax.Array, carry: Any) -> Any:
            parameters, statistics, state, sums = carry
            rows = jax.lax.dynamic_slice_in_dim(order, i * self._batch(data), self._batch(data))
            key = jax.random.fold_in(step_key, i)
            done = (progress.epoch + i / steps) / hyperparameters.epochs
            slope, (statistics, batch_loss, batch_right) = jax.grad(self._loss, has_aux=True)(
                parameters, statistics, key, done, data, rows, *context
            )
            optimizer = self._optimizer(hyperparameters.weight_decay, rates[i])
            updates, state = optimizer.update(slope, state, parameters)
            parameters = jax.tree.map(jnp.add, parameters, updates)
            return parameters, statistics, state, sums + jnp.stack([batch_loss, batch_right]) / steps

        def block(i: jax.Array, carry: Any) -> Any:
            first = i * (steps // parts)
            return jax.lax.fori_loop(0, steps // parts, lambda j, carry: step(first + j, carry), carry)

        start = (progress.parameters, progress.statistics, progress.optimizer, progress.sums)
        parameters, statistics, state, sums = jax.lax.fori_loop(progress.block, end, block, start)
        ended = jnp.asarray(end) == parts
        loss, accuracy = jnp.where(ended, sums, jnp.stack([progress.loss, progress.accuracy]))
        return Progress(
            parameters,
            statistics,
            state,
            progress.epoch + ended,
            jnp.where(ended, 0, end),
            jnp.where(ended, 0.0, sums),
            loss,
            accuracy,
        )

    def measure(self, progress: Progress, data: DeviceData, *context: jax.Array) -> dict[str, jax.Array]:
        """Metrics on ``data.judge``: no example is dropped, none counts twice."""
        judge, size = data.judge, len(data.judge.targets)
        batch = min(max(self.training.batch_size, 64), size)

        def step(i: jax.Array, sums: metrics.Sums) -> metrics.Sums:
            rows = i * batch + jnp.arange(batch)
            weights = (rows < judge.size).astype(jnp.float32)
            rows = jnp.minimum(rows, size - 1)
            x = data.scales.standardise(judge.inputs[rows].astype(jnp.float32))
            outputs = self.model.evaluate(progress.parameters, progress.statistics, x, *context)
            outputs = data.scales.in_units(outputs) if self.task == "regression" else outputs
            return metrics.add_batch(sums, outputs, judge.targets[rows], weights, self.task)

        zero = metrics.Sums.zero(self.outputs if self.task == "classification" else 0)
        sums = jax.lax.fori_loop(0, -(-judge.size // batch), step, zero)
        return metrics.summarize(sums, judge.size, self.task)

    def advance(
        self,
        progress: Progress,
        key: jax.Array,
        hyperparameters: Hyperparameters,
        data: DeviceData,
        *context: jax.Array,
        blocks: Any,
    ) -> Progress:
        """So many blocks further, over the ends of epochs, or to the end of the training.

        A training whose loss is not finite has ended; its loss tells. The slices that it is done in change nothing.
        """
        parts = self.blocks_per_epoch(data)
        begun = progress.epoch * parts + progress.block

        def left(progress: Progress) -> jax.Array:
            return blocks + begun - (progress.epoch * parts + progress.block)

        def unfinished(progress: Progress) -> jax.Array:
            return ~has_ended(progress, hyperparameters) & (left(progress) > 0)

        def epoch(progress: Progress) -> Progress:
            return self.epoch(progress, key, hyperparameters, data, *context, blocks=left(progress))

        return jax.lax.while_loop(unfinished, epoch, progress)

    def _batch(self, data: DeviceData) -> int:
        return min(self.training.batch_size, len(data.train.targets))

    def _loss(
        self,
        parameters: Any,
        statistics: Any,
        key: jax.Array,
        done: jax.Array,
        data: DeviceData,
        rows: jax.Array,
        *context: jax.Array,
    ) -> tuple[jax.Array, tuple[Any, jax.Array, jax.Array]]:
        augment_key, dropout_key = jax.random.split(key)
        x = self._augmented(augment_key, data.scales.standardise(data.train.inputs[rows].astype(jnp.float32)))
        targets = data.train.targets[rows]
        targets = data.scales.standardise_targets(targets) if self.task == "regression" else targets
        trained, statistics = self.model.train(parameters, statistics, dropout_key, done, x, *context)
        losses = functools.partial(
            metrics.example_losses, targets=targets, task=self.task, label_smoothing=self.training.label_smoothing
        )
        outputs = trained.outputs if isinstance(trained, WithAuxiliary) else trained
        if outputs.shape != (wanted := (len(rows), self.outputs)):
            raise ValueError(
                f"the network's outputs are of shape {outputs.shape}, for {len(rows)} examples of data with "
                f"{self.outputs} {'targets' if self.task == 'regression' else 'classes'}: they must be {wanted}"
            )
        loss = losses(outputs).mean()
        if isinstance(trained, WithAuxiliary):
            loss += trained.weight * losses(trained.auxiliary).mean()
        right = jnp.float32(0) if self.task == "regression" else (outputs.argmax(-1) == targets).mean(dtype=jnp.float32)
        return loss, (statistics, loss, right)

    def _optimizer(self, weight_decay: Any, learning_rate: Any) -> optax.GradientTransformation:
        limit = self.training.max_gradient_norm or (1.0 if self.task == "regression" else math.inf)
        return make_optimizer(self.training, weight_decay, learning_rate, limit)

    def _augmented(self, key: jax.Array, x: jax.Array) -> jax.Array:
        flip_key, crop_key = jax.random.split(key)
        x = augmentation.flip(flip_key, x) if self.training.flip else x
        return augmentation.crop(crop_key, x, self.training.crop) if self.training.crop else x


def has_ended(progress: Progress, hyperparameters: Hyperparameters) -> jax.Array:
    """Whether no epoch is left, or the training diverged."""
    return (progress.epoch >= hyperparameters.epochs) | ~jnp.isfinite(progress.loss)


def device_data(dataset: Dataset, judge: Split, judge_length: int | None = None) -> DeviceData:
    """The arrays of a training on ``dataset.train``, measured on ``judge``, padded to ``judge_length`` examples."""
    return DeviceData(examples_of(dataset.train), examples_of(judge, judge_length), dataset.scales())
