"""Search spaces: genes, and their way to text and to networks."""

from evonas.spaces.base import Space as Space
from evonas.spaces.nasbench201 import NASBench201 as NASBench201
