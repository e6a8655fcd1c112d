"""Ask and tell, with everything remembered."""

from evonas.population.core import Population as Population
from evonas.population.records import Record as Record
