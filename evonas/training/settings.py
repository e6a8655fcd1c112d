"""How a candidate is trained, as settings."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, get_args

from evonas.nn.style import Initializer
from evonas.spaces.arguments import require_count, require_share

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
    """The training of one candidate. Learning rate, weight decay and epochs do not enter the compiled program."""

    epochs: int = 10
    """Passes over the training data."""
    batch_size: int = 64
    """Examples a step; a last incomplete batch of an epoch is left out, another one each epoch."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """SGD with Nesterov momentum, or AdamW."""
    learning_rate: float = 0.1
    """At the end of the warm-up; from there by cosine to 0."""
    warmup_epochs: float = 0.0
    """Epochs in which the learning rate grows from 0."""
    momentum: float = 0.9
    """Of SGD."""
    weight_decay: float = 5e-4
    """L2 for SGD, decoupled for AdamW."""
    label_smoothing: float = 0.0
    """Share of the target that goes to all classes alike."""
    flip: bool = False
    """Mirror half of the images left to right."""
    crop: int = 0
    """Shift images by up to this many pixels, zeros coming in."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the computation; parameters and statistics stay float32."""
    initializer: Initializer = "he"
    """Of kernels."""
    objectives: tuple[str, ...] = ()
    """What the fitness consists of, from `OBJECTIVES`; empty: accuracy, or mean absolute error for regression."""

    def __post_init__(self) -> None:
        require_count(self, 1, "epochs", "batch_size")
        require_count(self, 0, "crop")
        require_share(self, "momentum")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        for name, value in {"warmup_epochs": self.warmup_epochs, "weight_decay": self.weight_decay}.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is at least 0, got {value}")
        if self.initializer not in get_args(Initializer):
            raise ValueError(f"initializer is one of {', '.join(get_args(Initializer))}, got {self.initializer!r}")
        if self.optimizer not in ("sgd", "adamw"):
            raise ValueError(f'optimizer is "sgd" or "adamw", got {self.optimizer!r}')
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f'precision is "float32" or "bfloat16", got {self.precision!r}')
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing is at least 0 and less than 1, got {self.label_smoothing}")
        for objective in self.objectives:
            if objective not in OBJECTIVES:
                raise ValueError(f"unknown objective {objective!r}; expected some of {', '.join(OBJECTIVES)}")

    def check_inputs(self, input_shape: tuple[int, ...]) -> None:
        """Refuse changes of images where an example is none.

        Raises:
            ValueError: if ``flip`` or ``crop`` is set and ``input_shape`` is not ``(H, W, C)``.
        """
        if (self.flip or self.crop) and len(input_shape) != 3:
            raise ValueError(f"flip and crop are for images [H, W, C]; an example of the data has shape {input_shape}")
