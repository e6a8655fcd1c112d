"""Training one architecture for good: longer, on all training data, resumable, with its weights kept."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath

from evonas.arguments import require_integer, require_seed
from evonas.data.dataset import Dataset, Split
from evonas.data.resolve import resolve
from evonas.description import completed, describe, differences
from evonas.keys import RETRAINING
from evonas.preemption import Notice, Preempted, noticing
from evonas.spaces.base import Space
from evonas.storage import absolute, exists, lock_directory, make_directory, read_whole, write_whole
from evonas.training.leaves import leaves_of, tree_of
from evonas.training.metrics import Task
from evonas.training.model import Model
from evonas.training.network_files import TrainedNetwork, save_network
from evonas.training.optimizer import hyperparameters_of
from evonas.training.pace import SLICE_SECONDS
from evonas.training.parallel import compiler_options
from evonas.training.program import Program, Progress, device_data
from evonas.training.settings import Training

if TYPE_CHECKING:
    import orbax.checkpoint as ocp

NETWORK, CHECKPOINTS, CURVE, SETTINGS, RESULT = "network", "checkpoints", "curve.json", "settings.json", "result.json"

CHECKPOINT_SECONDS = 300.0
"""Of training between two checkpoints, where an epoch takes longer."""


class Retrained(NamedTuple):
    """What came out."""

    metrics: dict[str, float]  # measured once, at the end
    split: str  # what they were measured on: "test", or "validation" where the data have no test examples
    curve: list[dict[str, float]]  # one entry an epoch
    network: epath.Path  # for `load_network`


def retrain(
    space: Space,
    genome: Any,
    data: Any,
    training: Training,
    directory: Any,
    *,
    seed: int = 0,
    checkpoint_epochs: int = 1,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Retrained:
    """Train an architecture from scratch on train and validation data together, and measure it on test data.

    Called again, it resumes from the last checkpoint, and gives the result that it would have given unbroken. On
    SIGTERM, which clouds give before they take a machine, it writes one and ends with exit code 75.

    Args:
        space: where the genome is from; fitted to the data.
        genome: ``[L]`` integers.
        data: see `evonas.data.resolve`. Without a test split, validation data are kept out of training and measured
            in its place.
        training: the settings, a longer schedule than the search's.
        directory: for checkpoints, the curve, and the network.
        seed: of weights, order and augmentation.
        checkpoint_epochs: epochs between checkpoints; where they take long, there are more.
        on_epoch: called with each new entry of the curve.

    Raises:
        ValueError: if an argument is wrong, JAX runs in several processes, the directory holds the training of another
            network or with other settings, is damaged or in use by another process, or the training diverged.
        Preempted: on SIGTERM; a SystemExit, so that a program that does not catch it ends with code 75.
    """
    if jax.process_count() > 1:
        raise ValueError(f"one process trains for good, got {jax.process_count()}: leave jax.distributed out")
    require_integer("checkpoint_epochs", checkpoint_epochs)
    dataset = resolve(data)
    space = space.fitted(dataset.input_shape, dataset.classes)
    training.check_inputs(dataset.input_shape)
    genome, seed, directory = space.check(genome), require_seed(seed), absolute(directory)
    make_directory(directory)
    lock = lock_directory(directory)
    try:
        _agree(directory, space, genome, dataset, training, seed)
        with noticing() as notice:
            return _retrain(space, genome, dataset, training, directory, seed, checkpoint_epochs, on_epoch, notice)
    finally:
        if lock is not None:
            os.close(lock)


def _retrain(
    space: Space,
    genome: np.ndarray,
    dataset: Dataset,
    training: Training,
    directory: epath.Path,
    seed: int,
    checkpoint_epochs: int,
    on_epoch: Callable[[dict[str, float]], None] | None,
    notice: Notice,
) -> Retrained:
    import orbax.checkpoint as ocp  # here, since importing it takes longer than all of evonas

    model = _model(space, genome, training)
    program = Program(model, training, dataset.task, dataset.classes)
    whole, judge = _whole(dataset)
    data = jax.tree.map(jnp.asarray, device_data(whole, judge))
    key = jax.random.fold_in(jax.random.key(seed), RETRAINING)
    jit = functools.partial(jax.jit, compiler_options=compiler_options(jax.default_backend()))
    progress = jit(program.start)(key)
    epoch = functools.partial(jit(program.epoch), key=key, hyperparameters=hyperparameters_of(training), data=data)
    with ocp.CheckpointManager(
        directory / CHECKPOINTS, options=ocp.CheckpointManagerOptions(max_to_keep=1)
    ) as checkpoints:
        progress = _restored(checkpoints, progress)
        curve = _curve(directory, int(progress.epoch))

        def save(progress: Progress) -> None:
            write_whole(directory / CURVE, json.dumps(curve, indent=1).encode())
            done = int(progress.epoch) * program.blocks_per_epoch(data) + int(progress.block)
            if done != checkpoints.latest_step():
                checkpoints.save(done, args=ocp.args.StandardSave(leaves_of(progress)))

        saved = time.perf_counter()
        while (done := int(progress.epoch) + 1) <= training.epochs:
            progress, seconds, saved = _epoch(epoch, progress, program.blocks_per_epoch(data), notice, save, saved)
            curve.append(_entry(progress, seconds, training, dataset.task))
            if done % checkpoint_epochs == 0 or done == training.epochs:
                save(progress)
                saved = time.perf_counter()
            if on_epoch is not None:
                on_epoch(curve[-1])
    metrics = _metrics(jit(program.measure)(progress, data), training)
    network = model.module(progress.parameters, progress.statistics)
    text = space.format(genome)
    trained = TrainedNetwork(network, data.scales, dataset.input_shape, text, dataset.label_names)
    save_network(directory / NETWORK, space, trained, training.precision)
    write_whole(directory / RESULT, json.dumps(metrics, indent=2).encode())
    split = "validation" if dataset.test is None else "test"
    return Retrained(metrics, split, curve, directory / NETWORK)


def _model(space: Space, genome: np.ndarray, training: Training) -> Model:
    style = {"dtype": jnp.dtype(training.precision), "initializer": training.initializer}
    return Model(lambda rngs: space.network(genome, rngs=rngs, **style))


def _metrics(measured: dict[str, jax.Array], training: Training) -> dict[str, float]:
    metrics = {name: float(value) for name, value in measured.items()}
    if not all(np.isfinite(value) for value in metrics.values()):
        raise _diverged(training.epochs, training)
    return metrics


def _epoch(
    epoch: Callable[..., Progress],
    progress: Progress,
    parts: int,
    notice: Notice,
    save: Callable[[Progress], None],
    saved: float,
) -> tuple[Progress, float, float]:
    """The progress after the epoch under way, done in slices, the seconds that this took, and when it was saved last.

    Raises:
        Preempted: if the notice is given, after the progress is saved.
    """
    left, blocks = parts - int(progress.block), 1
    started = time.perf_counter()
    while left:
        if notice():
            save(progress)
            raise Preempted
        begun = time.perf_counter()
        if begun - saved > CHECKPOINT_SECONDS:
            save(progress)
            saved = begun
        blocks = min(blocks, left)
        progress = jax.block_until_ready(epoch(progress, blocks=blocks))
        left -= blocks
        blocks = max(1, int(blocks * SLICE_SECONDS / (time.perf_counter() - begun)))
    return progress, time.perf_counter() - started, saved


def _whole(dataset: Dataset) -> tuple[Dataset, Split]:
    """All that may be trained on, and what the result is measured on."""
    if dataset.test is None:
        return dataset, dataset.validation
    parts = (dataset.train, dataset.validation)
    joined = Split(np.concatenate([part.inputs for part in parts]), np.concatenate([part.targets for part in parts]))
    return dataclasses.replace(dataset, train=joined), dataset.test


def _agree(
    directory: epath.Path, space: Space, genome: np.ndarray, dataset: Dataset, training: Training, seed: int
) -> None:
    settings = {
        "space": describe(space),
        "architecture": space.format(genome),
        "training": describe(training),
        "seed": seed,
        "data_fingerprint": dataset.fingerprint(),
    }
    settings = json.loads(json.dumps(settings))
    path = directory / SETTINGS
    if not exists(path):
        write_whole(path, json.dumps(settings, indent=2).encode())
        return
    known = _read(path)
    known |= {"training": completed(known.get("training"))}
    if changed := sorted(name for name in settings if known.get(name) != settings[name]):
        raise ValueError(
            f"{directory} holds a training with other settings: {differences(known, settings, changed)}; give another "
            "directory, or the same settings to resume it"
        )


def _restored(checkpoints: ocp.CheckpointManager, progress: Progress) -> Progress:
    if (latest := checkpoints.latest_step()) is None:
        return progress
    import orbax.checkpoint as ocp

    wanted = jax.eval_shape(lambda: leaves_of(progress))
    try:
        return tree_of(checkpoints.restore(latest, args=ocp.args.StandardRestore(wanted)), progress)
    except Exception as error:  # Orbax raises errors of many kinds
        raise ValueError(
            f"the checkpoint {checkpoints.directory / str(latest)} is damaged ({type(error).__name__}): delete "
            f"{checkpoints.directory} to train from the start"
        ) from error


def _curve(directory: epath.Path, epochs: int) -> list[dict[str, float]]:
    path = directory / CURVE
    return _read(path)[:epochs] if epochs and exists(path) else []


def _read(path: epath.Path) -> Any:
    try:
        return json.loads(read_whole(path).decode())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): give another directory") from error


def _entry(progress: Progress, seconds: float, training: Training, task: Task) -> dict[str, float]:
    entry = {"epoch": int(progress.epoch), "train_loss": float(progress.loss), "seconds": round(seconds, 3)}
    if not np.isfinite(entry["train_loss"]):
        raise _diverged(entry["epoch"], training)
    return entry if task == "regression" else entry | {"train_accuracy": float(progress.accuracy)}


def _diverged(epoch: float, training: Training) -> ValueError:
    return ValueError(f"the training diverged in epoch {epoch} at learning rate {training.learning_rate}: lower it")
