"""Genomes: fixed-length int32 vectors of categorical genes, as pure functions on arrays.

Axis letters, here and everywhere: L genes, N candidates, P members of a population, M objectives, B batch.
``cardinalities`` is an int32 ``[L]`` array or a tuple: the number of choices of each gene.
"""

from evonas.genome.crossover import one_point_crossover as one_point_crossover
from evonas.genome.crossover import two_point_crossover as two_point_crossover
from evonas.genome.crossover import uniform_crossover as uniform_crossover
from evonas.genome.encoding import enumerate_genomes as enumerate_genomes
from evonas.genome.encoding import first_row as first_row
from evonas.genome.encoding import genome_index as genome_index
from evonas.genome.encoding import one_hot as one_hot
from evonas.genome.encoding import random_genome as random_genome
from evonas.genome.encoding import random_index as random_index
from evonas.genome.mutation import change_each as change_each
from evonas.genome.mutation import change_one as change_one
from evonas.genome.mutation import redraw_one as redraw_one
