"""A fitness of the user's own as an evaluator."""

import numpy as np
from run_cases import fitness

from evonas.run.function import FunctionEvaluator


def test_each_process_gets_a_part_of_the_candidates_at_once():
    groups = FunctionEvaluator(fitness).groups(np.arange(7), processes=3)
    assert [group.tolist() for group in groups] == [[0, 1, 2], [3, 4], [5, 6]]
    assert [group.tolist() for group in FunctionEvaluator(fitness).groups(np.arange(2), processes=3)] == [[0], [1]]
