"""Search spaces: genes, and their way to text and to networks."""

from evonas.spaces.base import Space as Space
from evonas.spaces.bitstring import BitString as BitString
from evonas.spaces.macro_cnn import MacroCNN as MacroCNN
from evonas.spaces.mlp import MLP as MLP
from evonas.spaces.nasbench201 import NASBench201 as NASBench201
