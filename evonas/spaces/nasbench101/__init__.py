"""The space of NAS-Bench-101."""

from evonas.spaces.nasbench101.space import NASBench101 as NASBench101
