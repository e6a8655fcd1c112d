import dataclasses
import enum
import json

import pytest

import evonas
from evonas.description import completed, describe, rebuild, type_name
from evonas.evolution.scores import CrowdedParetoRank, FitnessAndNovelty, SharedFitness
from evonas.evolution.variation import ChangeEach, OnePoint, OrIdentity

SPACES = [
    evonas.spaces.BitString(7),
    evonas.spaces.MLP(max_depth=2, widths=(8, 16), max_parameters=1000),
    evonas.spaces.MacroCNN(),
    evonas.spaces.NASBench201(channels=4, cells_per_stage=1, input_shape=(8, 8, 1)),
]
ALGORITHMS = [
    evonas.random_search(7),
    evonas.regularized_evolution(),
    evonas.regularized_evolution(9, 3, OrIdentity(ChangeEach(0.1), 0.2), aging=False, score=FitnessAndNovelty(0.5, 2)),
    evonas.regularized_evolution(reaction=evonas.Reaction(0.1, 3, 0.5), distance=evonas.Structural()),
    evonas.genetic_algorithm(crossover=OnePoint(), elites=2, score=SharedFitness(0.1)),
    evonas.genetic_algorithm(crowding=True),
    evonas.nsga2(crossover=None, novelty_objective=True),
]


@dataclasses.dataclass(frozen=True)
class Mine:
    """A setting that is not evonas's."""

    numbers: tuple[int, ...] = (1, 2)
    inner: object = None


def test_settings_written_before_a_field_was_there_have_its_default():
    old = describe(evonas.Training(epochs=3))
    del old["nesterov"]
    assert completed(old) == describe(evonas.Training(epochs=3))
    assert completed(None) is None


@pytest.mark.parametrize("setting", [*SPACES, *ALGORITHMS, evonas.Training()], ids=lambda value: type(value).__name__)
def test_spaces_algorithms_and_training_come_back_equal_from_json(setting):
    back = rebuild(json.loads(json.dumps(describe(setting))))
    assert back == setting
    assert type(back) is type(setting)


def test_a_nested_score_keeps_its_settings():
    algorithm = rebuild(describe(ALGORITHMS[-1]))
    assert algorithm.survive.score == algorithm.reproduce.score == CrowdedParetoRank(novelty_objective=True)


def test_plain_values_describe_themselves():
    class Colour(enum.StrEnum):
        RED = "red"

    value = {"a": (1, [2.5, None]), "b": True, "c": Colour.RED}
    assert describe(value) == {"a": [1, [2.5, None]], "b": True, "c": "red"}
    assert rebuild(describe(value)) == {"a": (1, (2.5, None)), "b": True, "c": "red"}


def test_a_foreign_class_is_built_only_if_it_is_known():
    mine = Mine((3,), evonas.spaces.BitString(3))
    description = json.loads(json.dumps(describe(mine)))
    assert description["type"] == type_name(Mine)
    with pytest.raises(ValueError, match=r"Mine is not a class of evonas: pass the object itself"):
        rebuild(description)
    assert rebuild(description, {type_name(Mine): Mine}) == mine


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os:system", "not a class of evonas"),
        ("evonas_other:Space", "not a class of evonas"),
        ("subprocess:Popen", "not a class of evonas"),
        (5, "not a class of evonas"),
        ("evonas.spaces.bitstring:Nothing", "this version of evonas has no"),
        ("evonas.nowhere:Space", "this version of evonas has no"),
        ("evonas.spaces.base:Space", "is not a setting"),
        ("evonas.simulate:simulate", "is not a setting"),
        ("evonas.storage:os", "is not a setting"),
    ],
)
def test_what_is_not_a_setting_of_evonas_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        rebuild({"type": name})


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match=r"BitString can't be built from size.*size"):
        rebuild({"type": "evonas.spaces.bitstring:BitString", "size": 3})


@dataclasses.dataclass(frozen=True)
class Typed:
    """A setting with a field named as descriptions name the class."""

    type: str = "conv"


@pytest.mark.parametrize("value", [Typed(), {"type": "conv"}, Mine(inner=[{"type": 3}])])
def test_a_field_or_key_named_as_the_class_is_in_a_description_is_refused(value):
    with pytest.raises(ValueError, match=r"no field or key may be named that: rename it in .*type"):
        describe(value)


@pytest.mark.parametrize("value", [object(), lambda: 0, Mine, {1, 2}, Mine(inner=print)])
def test_what_can_not_be_written_down_is_refused(value):
    with pytest.raises(ValueError, match="must be a frozen dataclass, a tuple, a string, a number or None"):
        describe(value)
