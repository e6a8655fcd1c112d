"""Data sets: where they come from, and their splits in memory."""

from evonas.data.arrays import Arrays as Arrays
from evonas.data.dataset import Dataset as Dataset
from evonas.data.dataset import Source as Source
from evonas.data.dataset import Split as Split
from evonas.data.dataset import Task as Task
from evonas.data.digits import Digits as Digits
from evonas.data.npz import Npz as Npz
from evonas.data.resolve import as_source as as_source
from evonas.data.resolve import resolve as resolve
from evonas.data.tfds import TFDS as TFDS
