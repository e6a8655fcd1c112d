"""What a history says about a search: pure functions of evaluations, in the order in which they were given.

N evaluations, L genes. Where a fitness is one number, it is the first objective; it is maximised. A candidate that
failed has none: it counts as an evaluation, and its fitness is passed over.
"""

from evonas.report.analysis.ancestry import Step as Step
from evonas.report.analysis.ancestry import lineage as lineage
from evonas.report.analysis.comparison import Comparison as Comparison
from evonas.report.analysis.comparison import compare_runs as compare_runs
from evonas.report.analysis.diversity import diversity_over_time as diversity_over_time
from evonas.report.analysis.effects import Effect as Effect
from evonas.report.analysis.effects import main_effects as main_effects
from evonas.report.analysis.fitness import best_so_far as best_so_far
from evonas.report.analysis.fitness import pareto_front as pareto_front
from evonas.report.analysis.fitness import population_bands as population_bands
from evonas.report.analysis.interval import wilson_interval as wilson_interval
from evonas.report.analysis.mutations import MutationKind as MutationKind
from evonas.report.analysis.mutations import mutation_success as mutation_success
from evonas.report.analysis.scaling import embedding as embedding
