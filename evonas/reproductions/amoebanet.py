"""AmoebaNet-A and NASNet-A, trained from scratch on CIFAR-10.

Command:   evonas reproduce amoebanet --data.data-dir DIR [--scale paper]
           DIR holds ``cifar10/3.0.2`` as tensorflow-datasets prepares it; left out, it is downloaded to TFDS's own.
Time:      14 minutes on 2 CPU cores at the small scale (AMD EPYC, jax 0.10.2, 2026-11-26)
Expected:  after 6 epochs of 11,000 images, N=1, F=12: test error 37.6 % for AmoebaNet-A, 37.8 % for NASNet-A

The paper's "drop path 0.7" is the share of paths kept.
Interrupted, the same command goes on where it was.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from evonas.arguments import require_items
from evonas.data import TFDS
from evonas.reproductions.images import at_scale
from evonas.reproductions.outcome import Finding, Line, Outcome, Panel, Published
from evonas.spaces import AMOEBANET_A, NASNET_A, NASNet
from evonas.training import Retrained, Training, retrain

NOTE = (
    "At the small scale the paper's recipe (cosine, drop path, auxiliary head, L2) for networks of one cell a stage, 6 "
    "epochs of 11,000 images and one training each: it shows no difference between the two cells. The paper's N=6, "
    "F=32 and 600 epochs are --scale paper, which has not been run."
)
PAPER = "Real et al. 2019 (AAAI), table 1; Zoph et al. 2018 (CVPR), table 1"
NETWORKS = {"AmoebaNet-A": AMOEBANET_A, "NASNet-A": NASNET_A}
PUBLISHED = {"AmoebaNet-A": Published(3.40, 0.08, 5, 0.005, "3.40 +- 0.08")}
"""Test error in percent at the paper's scale; of how many repeats is not said there: 5 are taken."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """A size of the training."""

    space: NASNet
    training: Training
    limit: int | None  # training images, beside the validation split, which is trained on too; None for all


SCALES = {
    "small": Scale(
        NASNet(cells_per_stage=1, filters=12, auxiliary_weight=0.5, drop_path=0.3),
        Training(epochs=6, batch_size=64, learning_rate=0.05, nesterov=False, weight_decay=5e-4, flip=True, crop=4),
        limit=6_000,
    ),
    "paper": Scale(
        NASNet(cells_per_stage=6, filters=32, auxiliary_weight=0.5, drop_path=0.3),
        Training(epochs=600, batch_size=128, learning_rate=0.024, nesterov=False, weight_decay=5e-4, flip=True, crop=4),
        limit=None,
    ),
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """The trainings' settings."""

    scale: Literal["small", "paper"] = "small"
    """small: N=1, F=12, 6 epochs of 11,000 images, for 2 CPU cores. paper: N=6, F=32 and 600 epochs of all."""
    data: TFDS = dataclasses.field(default_factory=lambda: TFDS("cifar10"))
    """CIFAR-10; how many of its images are trained on is the scale's."""
    seeds: tuple[int, ...] = (0,)
    """Each is one training of either network."""
    workdir: str = "runs/amoebanet"
    """Outcome, picture and checkpoints are kept in its folder of the scale's name."""


def run(settings: Settings) -> Outcome:
    """Test errors after training."""
    return train(SCALES[settings.scale], settings)


def train(scale: Scale, settings: Settings) -> Outcome:
    """The trainings at a scale."""
    require_items("seeds", settings.seeds)
    space, epochs = scale.space, scale.training.epochs
    findings, lines = [], []
    for name, text in NETWORKS.items():
        genome = space.parse(text)
        done = [_trained(name, genome, scale, settings, seed) for seed in settings.seeds]
        size = f"N={space.cells_per_stage} F={space.filters}, {space.count(genome).parameters / 1e6:.2f} M"
        errors = [100 * (1 - each.metrics["accuracy"]) for each in done]
        published = PUBLISHED.get(name) if settings.scale == "paper" else None
        findings.append(Finding.of(f"{name}, {size}, {epochs} epochs, test error, %", errors, published))
        losses = np.mean([[entry["train_loss"] for entry in each.curve] for each in done], 0)
        lines.append(Line(name, list(range(1, len(losses) + 1)), losses.tolist()))
    panel = Panel(
        f"CIFAR-10, {epochs} epochs", "epoch", "training loss, that of the auxiliary head included", tuple(lines)
    )
    return Outcome("amoebanet", PAPER, tuple(findings), (panel,))


def _trained(name: str, genome: np.ndarray, scale: Scale, settings: Settings, seed: int) -> Retrained:
    data = at_scale(settings.data, scale.limit)
    workdir = f"{settings.workdir}/{settings.scale}/{name}_{seed}"
    return retrain(scale.space, genome, data, scale.training, workdir, seed=seed)
