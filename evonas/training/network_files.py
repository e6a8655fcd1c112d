"""Trained networks on disk: weights by Orbax, the architecture as text."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from flax import nnx

from evonas.description import describe, rebuild
from evonas.nn import split
from evonas.spaces.base import Space
from evonas.storage import write_whole
from evonas.training.model import Model

DESCRIPTION, WEIGHTS = "network.json", "weights"


class TrainedNetwork(nnx.Module):
    """A network with the normalisation that its data had: ready for raw inputs.

    Attributes:
        network: the space's module.
        architecture: its text.
        label_names: a name for each output, or none.
    """

    def __init__(
        self,
        network: nnx.Module,
        mean: Any,
        deviation: Any,
        architecture: str,
        label_names: tuple[str, ...] = (),
    ):
        self.network = network
        self.mean = nnx.Variable(jnp.asarray(mean))
        self.deviation = nnx.Variable(jnp.asarray(deviation))
        self.architecture, self.label_names = architecture, tuple(label_names)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Outputs ``[B, K]`` (logits of classes, or targets) of inputs as the data set has them ``[B, ...]``."""
        return self.network((jnp.asarray(inputs, jnp.float32) - self.mean[...]) / self.deviation[...])  # type: ignore[operator]


def save_network(path: Any, space: Space, trained: TrainedNetwork) -> None:
    """Write a network for `load_network`.

    Args:
        path: of a directory, made or overwritten.
        space: fitted to the data.
        trained: the network.
    """
    directory = epath.Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    description = {
        "space": describe(space),
        "architecture": trained.architecture,
        "mean": np.asarray(trained.mean[...]).tolist(),
        "deviation": np.asarray(trained.deviation[...]).tolist(),
        "label_names": list(trained.label_names),
    }
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(directory / WEIGHTS, _arrays(split(trained.network)[1:]), force=True)
    write_whole(directory / DESCRIPTION, json.dumps(description, indent=2).encode())


def load_network(path: Any, *, space: Space | None = None) -> TrainedNetwork:
    """The network that ``evonas retrain`` wrote, as a Flax module in evaluation mode.

    Args:
        path: of the network's directory, ``WORKDIR/retrain/network``.
        space: needed only where the space is not one of evonas's own.

    Returns:
        A module from raw inputs ``[B, ...]``, in the units of the data set, to outputs ``[B, K]``.

    Raises:
        ValueError: if there is no network, or one of another space.
    """
    directory = epath.Path(path)
    if not (directory / DESCRIPTION).exists():
        raise ValueError(f"{directory} holds no network: expected a directory that `evonas retrain` wrote")
    description = json.loads((directory / DESCRIPTION).read_text())
    if space is None:
        space = rebuild(description["space"])
    elif describe(space) != description["space"]:
        raise ValueError(f"{directory} is a network of the space {description['space']}, not of {describe(space)}")
    genome = space.parse(description["architecture"])
    model = Model(lambda rngs: space.network(genome, rngs=rngs))
    wanted = jax.eval_shape(model.init, jax.random.key(0))
    with ocp.StandardCheckpointer() as checkpointer:
        arrays = checkpointer.restore(directory / WEIGHTS, _arrays(wanted))
    parameters, statistics = jax.tree.unflatten(jax.tree.structure(wanted), [arrays[name] for name in sorted(arrays)])
    trained = TrainedNetwork(
        model.module(parameters, statistics),
        description["mean"],
        description["deviation"],
        description["architecture"],
        tuple(description["label_names"]),
    )
    trained.eval()
    return trained


def _arrays(tree: Any) -> dict[str, Any]:
    """Leaves by number: a form that does not depend on how Flax nests a module's state."""
    return {f"{i:05d}": leaf for i, leaf in enumerate(jax.tree.leaves(tree))}
