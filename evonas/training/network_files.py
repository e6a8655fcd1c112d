"""Trained networks on disk: weights by Orbax, the architecture as text."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath
from flax import nnx

from evonas.data.dataset import Scales
from evonas.description import describe, rebuild
from evonas.nn import split
from evonas.spaces.base import Space
from evonas.storage import absolute, make_directory, read_whole, write_whole
from evonas.training.leaves import leaves_of, tree_of
from evonas.training.model import Model

DESCRIPTION, WEIGHTS = "network.json", "weights"
_FIELDS = {"space", "architecture", "input_shape", "label_names", "precision", *Scales._fields}


class TrainedNetwork(nnx.Module):
    """A network with the normalisation that its data had: raw inputs in, logits or targets in their units out.

    Attributes:
        network: the space's module.
        scales: of the data.
        input_shape: of one example.
        architecture: its text.
        label_names: a name for each output, or none: ``label_names[outputs[0].argmax()]``.
    """

    def __init__(
        self,
        network: nnx.Module,
        scales: Scales,
        input_shape: tuple[int, ...],
        architecture: str,
        label_names: tuple[str, ...] = (),
    ):
        self.network = network
        self.scales = nnx.Variable(jax.tree.map(jnp.asarray, scales))
        self.input_shape = tuple(input_shape)
        self.architecture, self.label_names = architecture, tuple(label_names)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Outputs ``[B, K]`` (logits of classes, or targets) of inputs as the data set has them ``[B, ...]``.

        Raises:
            ValueError: if the inputs have another shape.
        """
        inputs, scales = jnp.asarray(inputs, jnp.float32), self.scales.get_value()
        if inputs.shape[1:] != self.input_shape:
            shape = ", ".join(map(str, self.input_shape))
            raise ValueError(f"inputs must be a batch of shape [B, {shape}], got {list(inputs.shape)}")
        return scales.in_units(self.network(scales.standardise(inputs)))


def save_network(path: Any, space: Space, trained: TrainedNetwork, precision: str = "float32") -> None:
    """Write a network for `load_network`.

    Args:
        path: of a directory, made or overwritten.
        space: fitted to the data.
        trained: the network.
        precision: of its computation.
    """
    import orbax.checkpoint as ocp  # here, since importing it takes longer than all of evonas

    directory = absolute(path)
    make_directory(directory)
    description = {
        "space": describe(space),
        "architecture": trained.architecture,
        "input_shape": list(trained.input_shape),
        **{name: np.asarray(array).tolist() for name, array in trained.scales.get_value()._asdict().items()},
        "label_names": list(trained.label_names),
        "precision": precision,
    }
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(directory / WEIGHTS, leaves_of(split(trained.network)[1:]), force=True)
    write_whole(directory / DESCRIPTION, json.dumps(description, indent=2).encode())


def load_network(path: Any, *, space: Space | None = None) -> TrainedNetwork:
    """The network that ``evonas retrain`` wrote, as a Flax module in evaluation mode.

    Args:
        path: of the network's directory, ``WORKDIR/retrain/network``.
        space: needed only where the space is not one of evonas's own.

    Returns:
        A module from raw inputs ``[B, ...]``, in the units of the data set, to outputs ``[B, K]``.

    Raises:
        ValueError: if there is no network, one of another space, or a damaged one.
    """
    directory = absolute(path)
    description = _description_in(directory)
    if space is None:
        space = rebuild(description["space"])
    elif describe(space) != description["space"]:
        raise ValueError(f"{directory} is a network of the space {description['space']}, not of {describe(space)}")
    genome = space.parse(description["architecture"])
    model = Model(lambda rngs: space.network(genome, rngs=rngs, dtype=jnp.dtype(description["precision"])))
    trained = TrainedNetwork(
        model.module(*_weights_in(directory, model)),
        Scales(*(np.array(description[name], np.float32) for name in Scales._fields)),
        tuple(description["input_shape"]),
        description["architecture"],
        tuple(description["label_names"]),
    )
    trained.eval()
    return trained


def _description_in(directory: epath.Path) -> dict[str, Any]:
    path = directory / DESCRIPTION
    try:
        description = json.loads(read_whole(path).decode())
    except FileNotFoundError as error:
        raise ValueError(f"{directory} holds no network: expected a directory that `evonas retrain` wrote") from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): retrain the network again") from error
    if not isinstance(description, dict) or not description.keys() >= _FIELDS:
        raise ValueError(f"{path} does not describe a network: expected {', '.join(sorted(_FIELDS))} in it")
    return description


def _weights_in(directory: epath.Path, model: Model) -> tuple[Any, Any]:
    """Parameters and statistics of a model."""
    import orbax.checkpoint as ocp

    wanted = jax.eval_shape(model.init, jax.random.key(0))
    leaves = jax.eval_shape(lambda: leaves_of(model.init(jax.random.key(0))))
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            # Compared first: a restoration that fails on the way leaves its other reads hanging.
            kept = checkpointer.metadata(directory / WEIGHTS).item_metadata.tree
            if {name: leaf.shape for name, leaf in kept.items()} != {name: leaf.shape for name, leaf in leaves.items()}:
                raise ValueError("other shapes")
            return tree_of(checkpointer.restore(directory / WEIGHTS, leaves), wanted)
    except Exception as error:  # Orbax raises errors of many kinds
        raise ValueError(
            f"the weights in {directory / WEIGHTS} are missing, damaged, or of another network "
            f"({type(error).__name__}): retrain the network again"
        ) from error
