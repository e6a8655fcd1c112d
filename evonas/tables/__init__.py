"""Published results of trained networks, in place of training."""

from evonas.tables.nasbench101 import NASBench101Table as NASBench101Table
from evonas.tables.nasbench101 import nasbench101 as nasbench101
from evonas.tables.nasbench201 import NASBench201Table as NASBench201Table
from evonas.tables.nasbench201 import nasbench201 as nasbench201
from evonas.tables.nasbench201 import read_nasbench201 as read_nasbench201
