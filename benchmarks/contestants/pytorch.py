"""PyTorch, one module per architecture, in eager mode or under `torch.compile`.

Channels last, one fused tensor list for the optimiser (``foreach``), data resident as standardised float tensors on the
device, no data loader: the best of what a loop over architectures can do.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import torch
import work
from torch import nn
from torch.nn import functional


class ReluConvNorm(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1):
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


def operation(name: str, channels: int) -> nn.Module:
    return {
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: ReluConvNorm(channels, channels, 1),
        "nor_conv_3x3": lambda: ReluConvNorm(channels, channels, 3),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    }[name]()


class Cell(nn.Module):
    """Edges without an operation are left out, as they cost nothing."""

    def __init__(self, channels: int, names: list[str]):
        super().__init__()
        self.kept = [edge for edge, name in zip(work.EDGES, names, strict=True) if name != "none"]
        self.operations = nn.ModuleList(operation(name, channels) for name in names if name != "none")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nodes: list[torch.Tensor | None] = [x, None, None, None]
        for (start, end), operation in zip(self.kept, self.operations, strict=True):
            y = operation(nodes[start])
            nodes[end] = y if nodes[end] is None else nodes[end] + y
        return torch.zeros_like(x) if nodes[3] is None else nodes[3]


class Reduction(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.first = ReluConvNorm(channels, 2 * channels, 3, 2)
        self.second = ReluConvNorm(2 * channels, 2 * channels, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x)) + self.shortcut(x)


def network(given: work.Work, genome: list[int]) -> nn.Module:
    names = [work.OPERATIONS[gene] for gene in genome]
    layers: list[nn.Module] = [nn.Conv2d(3, given.channels, 3, 1, 1, bias=False), nn.BatchNorm2d(given.channels)]
    for stage in range(3):
        channels = given.channels * 2**stage
        layers += [Reduction(channels // 2)] if stage else []
        layers += [Cell(channels, names) for _ in range(given.cells)]
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, work.CLASSES))


class Trainer:
    """Trains one architecture after another on data that stay on the device."""

    def __init__(self, given: work.Work, device: str, compiled: bool = False):
        self.given, self.device, self.compiled = given, torch.device(device), compiled
        arrays = given.data()
        self.images, self.labels = self._on_device(arrays, "train")
        self.validation, self.validation_labels = self._on_device(arrays, "validation")
        self.dtype = getattr(torch, given.precision)

    def _on_device(self, arrays: dict, part: str) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.from_numpy(arrays[f"{part}_images"]).permute(0, 3, 1, 2).float().sub(128).div(64)
        images = images.to(self.device).contiguous(memory_format=torch.channels_last)
        return images, torch.from_numpy(arrays[f"{part}_labels"]).long().to(self.device)

    def start(self, genome: list[int]) -> None:
        torch.manual_seed(0)
        self.model = network(self.given, genome).to(self.device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=work.LEARNING_RATE,
            momentum=work.MOMENTUM,
            weight_decay=work.WEIGHT_DECAY,
            nesterov=True,
            foreach=True,
        )
        self.forward = torch.compile(self.model) if self.compiled else self.model

    def epoch(self, steps: int) -> None:
        self.model.train()
        order = torch.randperm(len(self.images), device=self.device)
        for step in range(steps):
            rows = order[step * self.given.batch : (step + 1) * self.given.batch]
            for group in self.optimizer.param_groups:
                group["lr"] = work.LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                loss = functional.cross_entropy(self.forward(self.images[rows]), self.labels[rows])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def accuracy(self) -> float:
        self.model.eval()
        right = sum(
            (self.forward(images).argmax(1) == labels).sum()
            for images, labels in zip(self.validation.split(250), self.validation_labels.split(250), strict=True)
        )
        return float(right) / len(self.validation)


def main() -> None:
    given, options = work.from_command_line(threads=2, share=0, of=1, device="cpu", compiled=0, rounds=0)
    torch.set_num_threads(options.threads)
    device = {"gpu": "cuda"}.get(options.device, options.device)
    work.run(Trainer(given, device, bool(options.compiled)), given, options)


if __name__ == "__main__":
    main()
