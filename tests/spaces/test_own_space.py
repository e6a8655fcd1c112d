"""What a space of the user's own gets without writing it."""

import dataclasses

import hypothesis
import numpy as np
import pytest
from flax import nnx
from hypothesis import strategies

import evonas
from evonas.nn import Linear, Style
from evonas.spaces import Space


@dataclasses.dataclass(frozen=True)
class Own(Space):
    choices: dict = dataclasses.field(hash=False)

    @property
    def genes(self):
        return self.choices


@dataclasses.dataclass(frozen=True)
class Shaped(Space):
    input_shape: tuple[int, ...]
    classes: int = 3

    @property
    def genes(self):
        return {"width": (2, 5)}

    def network(self, genome, *, rngs, **style):
        return Line(self.decode(genome)["width"], self, rngs, Style(**style))


class Line(nnx.Module):
    def __init__(self, width, space, rngs, style):
        self.hidden = Linear(space.input_shape[0], width, rngs=rngs, style=style)
        self.head = Linear(width, space.classes, rngs=rngs, style=style)

    def __call__(self, x):
        return self.head(self.hidden(x))


CHOICE = strategies.one_of(
    strategies.integers(), strategies.booleans(), strategies.text(), strategies.tuples(strategies.integers()),
    strategies.floats(allow_nan=False), strategies.none(),
)  # fmt: skip
CHOICES = strategies.lists(CHOICE, min_size=1, max_size=4, unique_by=lambda choice: "".join(str(choice).split()))
NAMES = strategies.text("abc._-", min_size=1, max_size=5)


@hypothesis.given(strategies.dictionaries(NAMES, CHOICES, min_size=1, max_size=4), strategies.data())
def test_the_default_text_reads_back_whatever_the_choices_are(choices, data):
    space = Own(choices)
    space.check_genes()
    genome = [data.draw(strategies.integers(0, size - 1)) for size in space.cardinalities]
    np.testing.assert_array_equal(space.parse(space.format(genome)), genome)


def test_spaces_within_a_value_are_left_out_of_the_text():
    space = Own({"kernel": ((1, 1), (3, 3)), "name": ("two words", "one")})
    assert space.format([1, 0]) == "kernel=(3,3) name=twowords"


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        ({}, "Own has no genes"),
        ({"width": ()}, "gene 'width' needs one or more choices of different text"),
        ({"width": (1, "1")}, r"gene 'width' needs one or more choices of different text, got \[1, '1'\]"),
        ({"width": ("a b", "ab")}, "gene 'width' needs"),
        ({"the width": (1, 2)}, "the name of a gene must be a word .* got 'the width'"),
        ({"a=b": (1, 2)}, "the name of a gene must be a word"),
        ({"width": 4}, r"the choices of gene 'width' must be a tuple, got 4: write \(4,\)"),
        ({"kind": "relu"}, r"the choices of gene 'kind' must be a tuple, got 'relu'"),
        ({3: (1, 2)}, "the name of a gene must be a word .* got 3"),
    ],
)
def test_genes_that_no_search_could_handle_are_refused_at_its_start(genes, message):
    with pytest.raises(ValueError, match=message):
        evonas.Population(Own(genes), evonas.random_search(), seed=0)


def test_a_field_input_shape_needs_no_default_and_is_fitted():
    space = Shaped((4,))
    assert space.fitted((7,), 2) == Shaped((7,), 2)
    assert space.count([1]).parameters == 4 * 5 + 5 + 5 * 3 + 3
    with pytest.raises(TypeError, match="input_shape"):
        Shaped()


@dataclasses.dataclass(frozen=True)
class WithoutNetwork(Space):
    input_shape: tuple[int, ...] = (4,)

    @property
    def genes(self):
        return {"a": (1, 2), "b": (3, 4, 5)}


def test_genes_are_enough_for_a_fitness_of_ones_own_but_not_to_train_or_count():
    space = WithoutNetwork()
    run = evonas.search(space, fitness=lambda candidates: candidates.genomes.sum(1), evaluations=20, seed=0)
    assert run.best.architecture == "a=2 b=5"
    assert repr(run) == "Run(20 of 20 evaluations; best (3.0,): a=2 b=5)"
    message = r"WithoutNetwork has genes alone: .* give it a method network\(self, genome, \*, rngs, \*\*style\)"
    with pytest.raises(ValueError, match=message):
        space.count([0, 0])
    with pytest.raises(ValueError, match=message):
        evonas.search(space, (np.ones((20, 4)), np.arange(20) % 2), evaluations=2)


def test_a_text_is_no_genome():
    with pytest.raises(ValueError, match=r"got the text 'width=5': give parse\(text\)"):
        Shaped((4,)).count("width=5")


def test_counting_without_an_input_shape_says_what_is_missing():
    with pytest.raises(ValueError, match="Own needs a field `input_shape`"):
        Own({"width": (1,)}).count([0])
