"""Operations as Flax modules."""

from evonas.nn.activations import ACTIVATIONS as ACTIVATIONS
from evonas.nn.activations import Activation as Activation
from evonas.nn.auxiliary import WithAuxiliary as WithAuxiliary
from evonas.nn.choice import Choice as Choice
from evonas.nn.convolution import convolve as convolve
from evonas.nn.counting import count_module as count_module
from evonas.nn.draws import Draws as Draws
from evonas.nn.inheritance import inherit as inherit
from evonas.nn.layers import Convolution as Convolution
from evonas.nn.layers import Dropout as Dropout
from evonas.nn.layers import Linear as Linear
from evonas.nn.layers import LineConvolution as LineConvolution
from evonas.nn.layers import ReluConvNorm as ReluConvNorm
from evonas.nn.layers import SeparableConvolution as SeparableConvolution
from evonas.nn.normalization import BatchNorm as BatchNorm
from evonas.nn.normalization import LayerNorm as LayerNorm
from evonas.nn.plain import Parts as Parts
from evonas.nn.plain import merge as merge
from evonas.nn.plain import split as split
from evonas.nn.pooling import average_pool as average_pool
from evonas.nn.pooling import halve as halve
from evonas.nn.pooling import max_pool as max_pool
from evonas.nn.style import Style as Style
from evonas.nn.width import fit_channels as fit_channels
from evonas.nn.width import used_channels as used_channels
