"""How a candidate is trained, as settings."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, get_args

from evonas.arguments import require_integers, require_one_of, require_share
from evonas.nn.style import Initializer

Optimizer = Literal["sgd", "adamw"]
Precision = Literal["float32", "bfloat16"]

OBJECTIVES = {
    "accuracy": 1.0,
    "macro_f1": 1.0,
    "loss": -1.0,
    "mean_absolute_error": -1.0,
    "parameters": -1.0,
    "multiply_adds": -1.0,
}
"""What a fitness may consist of, and its sign: fitness is maximised, so costs enter negated."""


@dataclasses.dataclass(frozen=True)
class Training:
    """The training of one candidate. Learning rate, weight decay and epochs do not enter the compiled program.

    Attributes:
        epochs: passes over the training data.
        batch_size: examples a step; a last incomplete batch of an epoch is left out, another one each epoch.
        optimizer: SGD with momentum, or AdamW.
        learning_rate: at the end of the warm-up; from there by cosine to 0.
        warmup_epochs: epochs in which the learning rate grows from 0.
        momentum: of SGD.
        nesterov: whether it is Nesterov's, which looks ahead (Sutskever et al. 2013), or the classical one.
        weight_decay: L2 for SGD, decoupled for AdamW.
        max_gradient_norm: norm that the gradient of all weights is cut to; None: 1 for regression, no limit for
            classification.
        label_smoothing: share of the target that goes to all classes alike.
        flip: mirror half of the images left to right.
        crop: shift images by up to this many pixels, zeros coming in.
        precision: of the computation; parameters and statistics stay float32.
        initializer: of kernels.
        objectives: what the fitness consists of, out of accuracy, macro_f1, loss, mean_absolute_error, parameters and
            multiply_adds, the last four negated; empty: accuracy, or mean absolute error for regression.
    """

    epochs: int = 10
    batch_size: int = 64
    optimizer: Optimizer = "sgd"
    learning_rate: float = 0.1
    warmup_epochs: float = 0.0
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    max_gradient_norm: float | None = None
    label_smoothing: float = 0.0
    flip: bool = False
    crop: int = 0
    precision: Precision = "float32"
    initializer: Initializer = "he"
    objectives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_integers(self, "epochs", "batch_size")
        require_integers(self, "crop", least=0)
        require_share(self, "momentum")
        require_one_of(self, "optimizer", get_args(Optimizer))
        require_one_of(self, "precision", get_args(Precision))
        require_one_of(self, "initializer", get_args(Initializer))
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise ValueError(
                f"warmup_epochs must be at least 0 and less than the {self.epochs} epochs, got {self.warmup_epochs}"
            )
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")
        if self.max_gradient_norm is not None and not self.max_gradient_norm > 0:
            raise ValueError(f"max_gradient_norm must be positive or None, got {self.max_gradient_norm}")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and less than 1, got {self.label_smoothing}")
        _check_objectives(self.objectives)

    def check_inputs(self, input_shape: tuple[int, ...]) -> None:
        """Refuse changes of images where an example is none.

        Raises:
            ValueError: if ``flip`` or ``crop`` is set and ``input_shape`` is not ``(H, W, C)``.
        """
        if (self.flip or self.crop) and len(input_shape) != 3:
            raise ValueError(f"flip and crop are for images [H, W, C]; an example of the data has shape {input_shape}")


def _check_objectives(objectives: Any) -> None:
    if isinstance(objectives, str):
        raise ValueError(f'objectives must be a tuple of names, such as ("{objectives}",), got {objectives!r}')
    for objective in objectives:
        if objective not in OBJECTIVES:
            raise ValueError(f"unknown objective {objective!r}; expected some of {', '.join(OBJECTIVES)}")
    if len(set(objectives)) < len(objectives):
        raise ValueError(f"objectives must be different, got {', '.join(objectives)}")
