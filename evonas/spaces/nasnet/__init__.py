"""The space of NASNet and AmoebaNet."""

from evonas.spaces.nasnet.published import AMOEBANET_A as AMOEBANET_A
from evonas.spaces.nasnet.published import NASNET_A as NASNET_A
from evonas.spaces.nasnet.space import NASNet as NASNet
