"""States of trainings that are not over, and of the best that are, on disk or in an object store, by Orbax."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from evonas.storage import absolute, exists, files_in, make_directory, remove_tree
from evonas.training.slices import State

if TYPE_CHECKING:
    import orbax.checkpoint as ocp


class Checkpoints:
    """A directory with a checkpoint for each candidate that is under way, and for the best of those that are done.

    They save time and decide nothing: where one is missing or damaged the training starts over, and comes to the same.
    Each of several processes writes those of its own candidates.

    Args:
        directory: local or of an object store; made when it is needed.
        seconds: of training between two checkpoints of a candidate.
        keep: how many of the best are kept when they are done.
    """

    def __init__(self, directory: Any, seconds: float, keep: int = 0):
        self.directory, self.seconds, self.keep = absolute(directory), seconds, keep
        present = files_in(self.directory) if exists(self.directory) else []
        self._saved = {int(path.name) for path in present if path.name.isdecimal()}
        self._best: dict[int, float] = {}  # fitness of those that are kept

    def load(self, candidate: int, shapes: dict[str, jax.ShapeDtypeStruct]) -> tuple[int, State] | None:
        """The blocks that a candidate has done, and its state, if there is one of these shapes."""
        if candidate not in self._saved:
            return None
        path = self.directory / str(candidate)
        wanted = {name: np.zeros(shape.shape, shape.dtype) for name, shape in shapes.items()}
        try:
            path /= str(blocks := max(self._versions(candidate)))
            return blocks, self._orbax(lambda orbax, args: orbax.restore(path, args=args.StandardRestore(wanted)))
        except Exception as error:  # Orbax raises errors of many kinds
            warnings.warn(
                f"the checkpoint {path} can't be read ({type(error).__name__}): its training starts over", stacklevel=2
            )
            return None

    def save(self, candidate: int, blocks: int, state: State) -> None:
        """Write a candidate's state after so many blocks, and then delete its older ones.

        Raises:
            OSError: if it can't be written.
        """
        place = self.directory / str(candidate)
        make_directory(place)
        path, older = place / str(blocks), set(self._versions(candidate)) - {blocks}
        self._orbax(lambda orbax, args: orbax.save(path, args=args.StandardSave(state), force=True))
        self._saved.add(candidate)
        for version in older:
            remove_tree(place / str(version))

    def is_kept(self, fitness: float) -> bool:
        """Whether a candidate that is done belongs to the best, as far as is known."""
        return self.keep > len(self._best) or fitness > min(self._best.values(), default=np.inf)

    def drop(self, candidate: int) -> None:
        """Delete a candidate's checkpoint, unless it is one of the best."""
        if candidate in self._saved and candidate not in self._best:
            remove_tree(self.directory / str(candidate))
            self._saved.remove(candidate)

    def told(self, ids: Sequence[int], fitness: Sequence[float]) -> None:
        """Delete the checkpoints of candidates that are in the history, but for the best.

        Args:
            ids: of candidates that are in the history now.
            fitness: the first of each, -inf if it failed.
        """
        known = self._best | {each: value for each, value in zip(ids, fitness, strict=True) if value > -np.inf}
        self._best = dict(sorted(known.items(), key=lambda pair: (-pair[1], pair[0]))[: self.keep])
        for candidate in self._saved.intersection({*ids, *known}):
            self.drop(candidate)

    def _versions(self, candidate: int) -> list[int]:
        """Those that are whole."""
        import orbax.checkpoint as ocp

        return ocp.utils.checkpoint_steps(absolute(self.directory / str(candidate)))

    def _orbax(self, action: Callable[[ocp.Checkpointer, Any], Any]) -> Any:
        import orbax.checkpoint as ocp  # here, since importing it takes longer than all of evonas

        process = jax.process_index()
        alone = ocp.options.MultiprocessingOptions(
            primary_host=process, active_processes={process}, barrier_sync_key_prefix=f"evonas-{process}"
        )
        handler = ocp.StandardCheckpointHandler(multiprocessing_options=alone)
        with ocp.Checkpointer(handler, multiprocessing_options=alone) as checkpointer:
            return action(checkpointer, ocp.args)
