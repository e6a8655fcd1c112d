"""Whole convolutional networks, layer by layer."""

from evonas.spaces.macro_cnn.space import MacroCNN as MacroCNN
