"""Search spaces: genes, and their way to text and to networks."""

from evonas.spaces.base import Space as Space
from evonas.spaces.bitstring import BitString as BitString
from evonas.spaces.darts import DARTS as DARTS
from evonas.spaces.darts import DARTS_V2 as DARTS_V2
from evonas.spaces.macro_cnn import MacroCNN as MacroCNN
from evonas.spaces.mlp import MLP as MLP
from evonas.spaces.nasbench101 import NASBench101 as NASBench101
from evonas.spaces.nasbench201 import NASBench201 as NASBench201
from evonas.spaces.nasnet import AMOEBANET_A as AMOEBANET_A
from evonas.spaces.nasnet import NASNET_A as NASNET_A
from evonas.spaces.nasnet import NASNet as NASNet
