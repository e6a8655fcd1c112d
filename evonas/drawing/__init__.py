"""Pictures of architectures."""

from evonas.drawing.drawing import Drawing as Drawing
from evonas.drawing.drawing import draw as draw
