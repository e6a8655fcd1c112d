"""How a run tells others what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evonas.run.log import Evaluation
    from evonas.run.loop import Run


class Callback:
    """Three moments of a run; override those of interest. An exception here stops the run, which can be resumed."""

    def started(self, run: Run) -> None:
        """Before the first evaluation of this process; ``run.log`` holds those of earlier ones."""

    def evaluated(self, run: Run, evaluation: Evaluation) -> None:
        """After an evaluation is on disk, in ``run.log``; the population is told at the end of its round."""

    def finished(self, run: Run) -> None:
        """After the last evaluation."""
