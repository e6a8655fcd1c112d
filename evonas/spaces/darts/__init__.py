"""The space of DARTS."""

from evonas.spaces.darts.published import DARTS_V2 as DARTS_V2
from evonas.spaces.darts.space import DARTS as DARTS
