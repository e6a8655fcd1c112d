"""Training one architecture for good: longer, on all training data, resumable, with its weights kept."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from etils import epath

from evonas.data.dataset import Dataset, Split
from evonas.description import describe
from evonas.spaces.base import Space
from evonas.storage import write_whole
from evonas.training.model import Model
from evonas.training.network_files import TrainedNetwork, save_network
from evonas.training.optimizer import hyperparameters_of
from evonas.training.program import Program, Progress, device_data
from evonas.training.settings import Training

NETWORK, CHECKPOINTS, CURVE, SETTINGS, RESULT = "network", "checkpoints", "curve.json", "settings.json", "result.json"


class Retrained(NamedTuple):
    """What came out."""

    metrics: dict[str, float]  # on the test data, read once, at the end; on validation data where there is no test
    curve: list[dict[str, float]]  # one entry an epoch
    network: epath.Path  # for `load_network`


def retrain(
    space: Space,
    genome: Any,
    dataset: Dataset,
    training: Training,
    directory: Any,
    *,
    seed: int = 0,
    checkpoint_epochs: int = 1,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Retrained:
    """Train an architecture from scratch on train and validation data together, and measure it on test data.

    Called again, it resumes from the last checkpoint, and gives the result that it would have given unbroken.

    Args:
        space: fitted to the data.
        genome: ``[L]`` integers.
        dataset: without a test split, validation data are kept out of training and measured in its place.
        training: the settings, a longer schedule than the search's.
        directory: for checkpoints, the curve, and the network.
        seed: of weights, order and augmentation.
        checkpoint_epochs: epochs between checkpoints.
        on_epoch: called with each new entry of the curve.

    Raises:
        ValueError: if the directory holds the training of another network or with other settings, or the training
            diverged.
    """
    directory = epath.Path(directory)
    genome = space.check(genome)
    _agree(directory, space, genome, dataset, training, seed)
    model = Model(
        lambda rngs: space.network(
            genome, rngs=rngs, dtype=jnp.dtype(training.precision), initializer=training.initializer
        )
    )
    program = Program(model, training, dataset.task, dataset.classes)
    whole, judge = _whole(dataset)
    data = jax.tree.map(jnp.asarray, device_data(whole, judge))
    hyperparameters, key = hyperparameters_of(training), jax.random.key(seed)
    progress = jax.jit(program.start)(key, hyperparameters, data)
    epoch = jax.jit(program.epoch)
    with ocp.CheckpointManager(
        directory / CHECKPOINTS, options=ocp.CheckpointManagerOptions(max_to_keep=1)
    ) as checkpoints:
        progress = _restored(checkpoints, progress)
        curve = _curve(directory, int(progress.epoch))
        while int(progress.epoch) < training.epochs:
            started = time.perf_counter()
            progress = jax.block_until_ready(epoch(progress, key, hyperparameters, data))
            curve.append(_entry(progress, time.perf_counter() - started, training))
            if len(curve) % checkpoint_epochs == 0 or len(curve) == training.epochs:
                write_whole(directory / CURVE, json.dumps(curve, indent=1).encode())
                checkpoints.save(len(curve), args=ocp.args.StandardSave(_arrays(progress)))
            if on_epoch is not None:
                on_epoch(curve[-1])
    metrics = {name: float(value) for name, value in jax.jit(program.measure)(progress, data).items()}
    trained = TrainedNetwork(
        model.module(progress.parameters, progress.statistics),
        data.mean,
        data.deviation,
        space.format(genome),
        dataset.label_names,
    )
    save_network(directory / NETWORK, space, trained)
    write_whole(directory / RESULT, json.dumps(metrics, indent=2).encode())
    return Retrained(metrics, curve, directory / NETWORK)


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
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / SETTINGS
    if not path.exists():
        write_whole(path, json.dumps(settings, indent=2).encode())
        return
    known = json.loads(path.read_text())
    if changed := sorted(name for name in settings if known.get(name) != settings[name]):
        raise ValueError(
            f"{directory} holds a training with another {' and '.join(changed)}: give another directory, or the same "
            "settings to resume it"
        )


def _restored(checkpoints: ocp.CheckpointManager, progress: Progress) -> Progress:
    if (latest := checkpoints.latest_step()) is None:
        return progress
    wanted = jax.eval_shape(lambda: _arrays(progress))
    arrays = checkpoints.restore(latest, args=ocp.args.StandardRestore(wanted))
    leaves = [
        jax.random.wrap_key_data(array) if _is_key(leaf) else array
        for array, leaf in zip((arrays[name] for name in sorted(arrays)), jax.tree.leaves(progress), strict=True)
    ]
    return jax.tree.unflatten(jax.tree.structure(progress), leaves)


def _arrays(progress: Progress) -> dict[str, jax.Array]:
    """Leaves by number, random keys as their data."""
    return {
        f"{i:05d}": jax.random.key_data(leaf) if _is_key(leaf) else leaf
        for i, leaf in enumerate(jax.tree.leaves(progress))
    }


def _is_key(leaf: jax.Array) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _curve(directory: epath.Path, epochs: int) -> list[dict[str, float]]:
    path = directory / CURVE
    return json.loads(path.read_text())[:epochs] if epochs and path.exists() else []


def _entry(progress: Progress, seconds: float, training: Training) -> dict[str, float]:
    entry = {"epoch": int(progress.epoch), "train_loss": float(progress.loss), "seconds": round(seconds, 3)}
    if not np.isfinite(entry["train_loss"]):
        raise ValueError(
            f"the training diverged in epoch {entry['epoch']} at learning rate {training.learning_rate}: lower it"
        )
    return entry | {"train_accuracy": float(progress.accuracy)}
