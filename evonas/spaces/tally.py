"""Parameters and multiply-adds, added up layer by layer."""

from __future__ import annotations

from evonas.types import Count

Size = tuple[int, int]
"""Height and width."""


class Tally:
    """A sum over layers, of one example.

    Attributes:
        parameters: trainable ones.
        multiply_adds: of convolutions and linear layers.
    """

    def __init__(self) -> None:
        self.parameters = self.multiply_adds = 0

    def convolution(
        self,
        inputs: int,
        outputs: int,
        size: Size,
        *,
        taps: int = 1,
        stride: Size = (1, 1),
        grouped: bool = False,
        normalised: bool = True,
    ) -> Size:
        """Add a convolution without bias, and its batch normalisation; the size of its output, the input's padded.

        Args:
            inputs: channels.
            outputs: channels.
            size: of the input.
            taps: of the kernel: its height times its width.
            stride: in both directions.
            grouped: depthwise, each channel by itself.
            normalised: whether a batch normalisation follows.
        """
        height, width = -(-size[0] // stride[0]), -(-size[1] // stride[1])
        weights = taps * (1 if grouped else inputs) * outputs
        self.parameters += weights + 2 * outputs * normalised
        self.multiply_adds += weights * height * width
        return height, width

    def separable(self, inputs: int, outputs: int, size: Size, kernel: int, layers: int, stride: int) -> Size:
        """Add depthwise and pointwise convolutions, ``layers`` times, the first with the stride."""
        for layer in range(layers):
            width, step = (inputs, stride) if layer == 0 else (outputs, 1)
            size = self.convolution(
                width, width, size, taps=kernel * kernel, stride=(step, step), grouped=True, normalised=False
            )
            size = self.convolution(width, outputs, size)
        return size

    def factorized_reduction(self, inputs: int, outputs: int, size: Size) -> Size:
        """Add two 1x1 convolutions of stride 2, of half the outputs each."""
        self.convolution(inputs, outputs // 2, size, stride=(2, 2))
        return self.convolution(inputs, outputs - outputs // 2, size, stride=(2, 2))

    def linear(self, inputs: int, outputs: int) -> None:
        """Add a linear layer with its bias, whose additions are left out."""
        self.parameters += (inputs + 1) * outputs
        self.multiply_adds += inputs * outputs

    @property
    def count(self) -> Count:
        """The sums."""
        return Count(self.parameters, self.multiply_adds)
