"""Ask and tell, with everything remembered."""

from evonas.population.core import Population as Population
from evonas.population.core import Record as Record
