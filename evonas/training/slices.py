"""A candidate's training as a function that JAX traces: a slice of it at a time, the genome an argument."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from evonas.data.dataset import Dataset
from evonas.keys import TRAINING
from evonas.spaces.base import Space
from evonas.training.leaves import leaves_of, tree_of
from evonas.training.model import Model
from evonas.training.optimizer import Hyperparameters
from evonas.training.program import DeviceData, Program, device_data, has_ended
from evonas.training.settings import Training

State = dict[str, Any]
"""A training under way: the leaves of its `Progress`, by number."""


class Slice(NamedTuple):
    """What is done of which training, on one device."""

    genome: Any  # [L] int32
    candidate: Any  # int32: its id
    seed: Any  # uint32: of the run
    begin: Any  # bool: whether from fresh weights, in place of the state
    blocks: Any  # int32: how much is done, see `Program.blocks_per_epoch`; 0: the device has no candidate


class Outcome(NamedTuple):
    """How far a slice has got."""

    ended: Any  # bool: whether the training is over
    blocks: Any  # int32: done in all
    metrics: dict[str, Any]  # float32 each; of meaning once it is over


class SlicedTraining:
    """The trainings of all genomes of one signature.

    Args:
        space: of the genomes.
        genome: ``[L]``, one of them.
        dataset: to train and judge on.
        training: the settings.
    """

    def __init__(self, space: Space, genome: np.ndarray, dataset: Dataset, training: Training):
        style = {"dtype": jnp.dtype(training.precision), "initializer": training.initializer}
        self._shared = has_supernet(space)
        signature = space.signature(genome) if self._shared else ()
        parts: dict[str, Any] = {"signature": signature} if signature else {}  # of one for all, nothing is said
        model = Model(
            (lambda rngs: space.supernet(rngs=rngs, **parts, **style))  # type: ignore[arg-type, return-value]
            if self._shared
            else (lambda rngs: space.network(genome, rngs=rngs, **style))
        )
        self._program = Program(model, training, dataset.task, dataset.classes)
        self._like = jax.eval_shape(self._program.start, jax.random.key(0), *self._context(genome))
        self.state_shapes: dict[str, jax.ShapeDtypeStruct] = jax.eval_shape(leaves_of, self._like)
        data = jax.eval_shape(lambda: device_data(dataset, dataset.validation))
        self.blocks = training.epochs * self._program.blocks_per_epoch(data)

    def __call__(
        self, state: State, part: Slice, hyperparameters: Hyperparameters, data: DeviceData
    ) -> tuple[State, Outcome]:
        """Do a slice of a training; its state and how far it is. Once over, it is measured on ``data.judge``."""
        context, key = self._context(part.genome), candidate_key(part.seed, part.candidate)
        progress = jax.lax.cond(
            part.begin, lambda: self._program.start(key, *context), lambda: tree_of(state, self._like)
        )
        progress = self._program.advance(progress, key, hyperparameters, data, *context, blocks=part.blocks)
        ended = has_ended(progress, hyperparameters) & (part.blocks > 0)
        measure = lambda: self._program.measure(progress, data, *context)  # noqa: E731
        nothing = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), jax.eval_shape(measure))
        metrics = jax.lax.cond(ended, measure, lambda: nothing)
        metrics |= {"train_loss": progress.loss, "epochs": progress.epoch}
        done = progress.epoch * self._program.blocks_per_epoch(data) + progress.block
        return leaves_of(progress), Outcome(ended, done, metrics)

    def whole(
        self, genome: Any, candidate: Any, seed: Any, hyperparameters: Hyperparameters, data: DeviceData
    ) -> dict[str, Any]:
        """A training in one slice: its metrics."""
        state = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), self.state_shapes)
        blocks = hyperparameters.epochs * self._program.blocks_per_epoch(data)
        return self(state, Slice(genome, candidate, seed, True, blocks), hyperparameters, data)[1].metrics

    def _context(self, genome: Any) -> tuple:
        return (genome,) if self._shared else ()


def candidate_key(seed: Any, candidate: Any) -> jax.Array:
    """The key of a candidate's training, by its place in the run.

    Of JAX's own kind, whose draws are loops: a training draws little, and `evonas.threefry` takes long to compile.
    """
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), TRAINING), candidate)


def has_supernet(space: Space) -> bool:
    """Whether its genomes can share a program."""
    return type(space).supernet is not Space.supernet
