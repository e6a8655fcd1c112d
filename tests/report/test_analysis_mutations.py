"""What mutations, gene values and ancestors did, read off a history made by hand."""

import math

import numpy as np
import pytest
from analysis_cases import Pairs, evaluation, random_history
from scipy import stats

from evonas.report.analysis import Effect, MutationKind, lineage, main_effects, mutation_success
from evonas.spaces import BitString

HISTORY = [
    evaluation(0, (0, 1, 0), 0.5),
    evaluation(1, (2, 2, 0), 0.25),
    evaluation(2, (0, 2, 0), 0.75, (0,)),  # second: b -> c, better by 0.25
    evaluation(3, (0, 2, 0), None, (0,)),  # the same, failed
    evaluation(4, (0, 2, 0), 0.25, (0,)),  # the same, worse by 0.25
    evaluation(5, (0, 2, 0), 0.75, (2,)),  # no change, equal
    evaluation(6, (1, 1, 0), 1.0, (2,)),  # two genes, better by 0.25
    evaluation(7, (2, 1, 0), 0.625, (1, 0)),  # of two: better than both, by 0.125
    evaluation(8, (2, 1, 0), 0.375, (1, 0)),  # better than its first parent only
    evaluation(9, (1, 1, 0), None, (6,)),
]


def test_kinds_of_mutations_by_hand():
    assert mutation_success(Pairs(), HISTORY) == [
        MutationKind("second: b -> c", 3, 1, 0.0),
        MutationKind("crossover", 2, 1, 0.0),
        MutationKind("no change", 2, 0, 0.0),
        MutationKind("2 genes at once", 1, 1, 0.25),
    ]
    assert mutation_success(Pairs(), HISTORY)[0].success_rate == 1 / 3


def test_a_kind_that_always_failed_has_no_gain():
    (kind,) = mutation_success(Pairs(), [HISTORY[0], HISTORY[3]])
    assert kind[:3] == ("second: b -> c", 1, 0)
    assert math.isnan(kind.mean_gain)


def test_children_of_parents_that_are_not_there_or_failed_are_passed_over():
    orphan, of_failed = evaluation(11, (0, 0, 0), 1.0, (77,)), evaluation(10, (0, 1, 0), 1.0, (9,))
    assert mutation_success(Pairs(), [orphan]) == []
    assert mutation_success(Pairs(), [HISTORY[9], of_failed]) == []


def test_every_child_is_of_one_kind():
    history = random_history(300, seed=2)
    by_id = {each.id: each for each in history}
    children = [each for each in history if each.parents[0] >= 0 and by_id[each.parents[0]].fitness]
    kinds = mutation_success(BitString(dim=6), history)
    assert sum(kind.tried for kind in kinds) == len(children) > 100
    better = [child for child in children if child.fitness > by_id[child.parents[0]].fitness]
    assert sum(kind.improved for kind in kinds) == len(better) > 10


def test_main_effects_by_hand():
    values = [((0, 0, 0), 1.0), ((0, 1, 0), 3.0), ((2, 1, 0), 5.0), ((2, 2, 0), None)]
    history = [evaluation(number, genome, fitness) for number, (genome, fitness) in enumerate(values)]
    effects = main_effects(Pairs(), history)
    found = [(each.gene, each.choice, each.mean, each.count) for each in effects]
    assert found == [("first", "a", 2, 2), ("first", "c", 5, 1), ("second", "a", 1, 1), ("second", "b", 4, 2)]
    # Student's t of one degree of freedom is 12.706 at 97.5 %; the standard error of (1, 3) is 1.
    np.testing.assert_allclose((effects[0].low, effects[0].high), (2 - 12.7062, 2 + 12.7062), rtol=1e-5)
    assert math.isnan(effects[1].low)
    assert math.isnan(effects[1].high)


def test_intervals_of_effects_are_those_of_scipy():
    history = [each for each in random_history(60, dim=2, choices=2, seed=4) if each.fitness]
    for effect in main_effects(BitString(dim=2), history):
        place = int(effect.gene.removeprefix("bit"))
        sample = [each.fitness[0] for each in history if str(each.genome[place]) == effect.choice]
        interval = stats.t.interval(0.95, len(sample) - 1, np.mean(sample), stats.sem(sample))
        np.testing.assert_allclose((effect.low, effect.high), interval)
        assert isinstance(effect, Effect)


def test_where_nothing_succeeded_there_is_no_effect():
    assert main_effects(Pairs(), []) == main_effects(Pairs(), [HISTORY[3]]) == []


def test_a_lineage_goes_back_to_its_founder_with_what_changed():
    steps = lineage(HISTORY, 6, Pairs())
    assert [step.evaluation.id for step in steps] == [6, 2, 0]
    assert [step.changed for step in steps] == ["first: a -> b, second: c -> b", "second: b -> c", "founder"]
    assert [step.changed for step in lineage(HISTORY, 5)] == ["no change", "gene 1: 1 -> 2", "founder"]


def test_a_child_of_two_names_the_second_parent():
    assert lineage(HISTORY, 7, Pairs())[0].changed == "crossover with 0: second: c -> b"


@pytest.mark.parametrize(
    ("history", "candidate", "match"),
    [(HISTORY, 99, "candidate 99, the one asked for,"), (HISTORY[1:], 2, "candidate 0, the parent of candidate 2,")],
)
def test_a_lineage_needs_the_whole_history(history, candidate, match):
    with pytest.raises(ValueError, match=match):
        lineage(history, candidate)
