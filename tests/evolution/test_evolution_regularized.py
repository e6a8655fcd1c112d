"""Regularized evolution against a reference in plain Python that replays the same draws."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import Letters, compiled, told

from evonas.evolution import regularized_evolution
from evonas.evolution.survival import Oldest
from evonas.genome import random_index
from evonas.spaces import BitString
from evonas.types import NOBODY

SPACE = Letters()
KEY = jax.random.key(11)
P, S = 8, 3


@jax.jit
def draws_of(candidate, living):
    """What chance decides about one candidate: its genome as a founder, places in the tournament, mutation key."""
    found_key, reproduce_key = jax.random.split(jax.random.fold_in(KEY, candidate))
    tournament_key, _, _, vary_key, _ = jax.random.split(reproduce_key, 5)
    places = random_index(tournament_key, (S,), living)
    return SPACE.sample(found_key), places, jax.random.split(vary_key)[1]


mutate = jax.jit(SPACE.mutate)


class Reference:
    """Algorithm 1 of Real et al. 2019, and its non-aging twin, one candidate at a time."""

    def __init__(self, aging):
        self.aging, self.queue, self.asked = aging, [], 0

    def ask(self):
        number, self.asked = self.asked, self.asked + 1
        living = [member for member in self.queue if member["fitness"] > -np.inf]
        founder, places, mutation_key = draws_of(number, max(len(living), 1))
        if number < P or not living:
            return {"id": number, "genome": np.asarray(founder), "parent": NOBODY, "replaces": NOBODY}
        sample = [living[place] for place in places]
        parent = max(sample, key=lambda member: member["fitness"])
        worst = min(sample, key=lambda member: member["fitness"])
        genome = np.asarray(mutate(mutation_key, parent["genome"]))
        return {"id": number, "genome": genome, "parent": parent["id"], "replaces": worst["id"]}

    def tell(self, child, fitness):
        child = {**child, "fitness": fitness}
        if len(self.queue) < P:
            self.queue.append(child)
        else:
            self.queue[self.leaving(child)] = child

    def leaving(self, child):
        if self.aging:
            return min(range(P), key=lambda place: self.queue[place]["id"])
        failed = [place for place in range(P) if self.queue[place]["fitness"] == -np.inf]
        return failed[0] if failed else [member["id"] for member in self.queue].index(child["replaces"])


@pytest.mark.parametrize(("aging", "failing"), [(True, 0.0), (True, 0.9), (False, 0.3)])
def test_each_step_is_that_of_the_published_algorithm(aging, failing):
    bound = compiled(regularized_evolution(P, S, aging=aging), SPACE)
    state, reference = bound.init(KEY), Reference(aging)
    rng = np.random.default_rng(1)
    for _ in range(50):
        candidate, state = bound.ask(KEY, state, 1)
        expected = reference.ask()
        assert candidate.ids[0] == expected["id"]
        assert candidate.genomes[0].tolist() == expected["genome"].tolist()
        assert candidate.parents[0].tolist() == [expected["parent"], NOBODY]
        # Few different values, so that there are ties.
        fitness = -np.inf if rng.random() < failing else float(rng.integers(4))
        state = bound.tell(state, candidate, jnp.full((1, 1), fitness))
        reference.tell(expected, fitness)
        size = len(reference.queue)
        assert state.members.ids[:size].tolist() == [member["id"] for member in reference.queue]
        assert (state.members.ids[size:] == NOBODY).all()
        assert state.members.fitness[:size, 0].tolist() == [member["fitness"] for member in reference.queue]
        np.testing.assert_array_equal(state.members.genomes[:size], [member["genome"] for member in reference.queue])


def test_the_first_candidates_are_random_founders_even_when_earlier_ones_are_told():
    bound = compiled(regularized_evolution(P, S), SPACE)
    state = told(bound, KEY, [1.0, 2.0, 3.0])
    candidates, _ = bound.ask(KEY, state, P)
    assert (candidates.parents[: P - 3] == NOBODY).all()
    assert (candidates.parents[P - 3 :, 0] != NOBODY).all()


def test_founders_are_uniform_over_the_choices():
    candidates, _ = compiled(regularized_evolution(4000, S), SPACE).ask(
        KEY, compiled(regularized_evolution(), SPACE).init(KEY), 4000
    )
    assert (candidates.parents == NOBODY).all()
    for gene, size in zip(candidates.genomes.T, SPACE.cardinalities, strict=True):
        share = np.bincount(np.asarray(gene), minlength=size) / 4000
        assert np.abs(share - 1 / size).max() < 4 * np.sqrt((1 / size) * (1 - 1 / size) / 4000) + 1e-9


def test_a_sample_of_one_takes_each_living_member_equally_often_and_a_pair_the_better_one():
    # With replacement, the rank r of 1..n wins a pair with probability (2r - 1) / n^2; without, the worst never would.
    fitness = [0.0, 1.0, -np.inf, 2.0, 3.0]
    for sample, expected in ((1, [1, 1, 0, 1, 1]), (2, [1 / 4, 3 / 4, 0, 5 / 4, 7 / 4])):
        bound = compiled(regularized_evolution(5, sample), SPACE)
        candidates, _ = bound.ask(KEY, told(bound, KEY, fitness), 4000)
        share = np.bincount(np.asarray(candidates.parents[:, 0]), minlength=5) / 4000
        np.testing.assert_allclose(share, np.array(expected) / 4, atol=0.03)


@pytest.mark.parametrize("aging", [True, False])
def test_one_living_member_is_every_childs_parent(aging):
    bound = compiled(regularized_evolution(20, 2, aging=aging), SPACE)
    candidates, _ = bound.ask(KEY, told(bound, KEY, [-np.inf] * 13 + [-5.0] + [-np.inf] * 6), 200)
    assert (candidates.parents == jnp.array([13, NOBODY])).all()


def test_where_all_failed_candidates_are_random_again():
    bound = compiled(regularized_evolution(20, 5), BitString(30))
    state = told(bound, KEY, [np.nan] * 20)
    candidates, _ = bound.ask(KEY, state, 400)
    assert (candidates.parents == NOBODY).all()
    assert abs(float(candidates.genomes.mean()) - 0.5) < 0.02
    assert len(np.unique(candidates.genomes, axis=0)) == 400


def test_failures_do_not_pile_up_where_the_worst_of_the_sample_leaves():
    bound = compiled(regularized_evolution(10, 3, aging=False), SPACE)
    state, rng = told(bound, KEY, [1.0] * 6 + [np.nan] * 4), np.random.default_rng(0)
    for step in range(60):
        candidate, state = bound.ask(KEY, state, 1)
        state = bound.tell(state, candidate, jnp.full((1, 1), np.nan if rng.random() < 0.5 else rng.random()))
        alive = int(state.members.alive.sum())
        assert alive >= (9 if step > 20 else 6)


def test_the_worst_of_all_leaves_where_the_worst_of_the_sample_has_left_already():
    bound = compiled(regularized_evolution(4, 2, aging=False), SPACE)
    state = told(bound, KEY, [4.0, 1.0, 3.0, 2.0])
    child, state = bound.ask(KEY, state, 1)
    state = bound.tell(state, child.replace(replaces=jnp.array([99])), jnp.array([[5.0]]))
    assert state.members.ids.tolist() == [0, 4, 2, 3]


@dataclasses.dataclass(frozen=True)
class WorstEver(Oldest):
    """A user's own: the worst of the sample leaves, dead or alive."""

    def place(self, members, _child, replaces, *_):
        return jnp.argmax(members.ids == replaces), True


def test_a_users_own_survival_knows_the_worst_of_the_sample():
    whole = regularized_evolution(4, 200)  # all members are in each sample
    bound = compiled(dataclasses.replace(whole, survive=WorstEver()), SPACE)
    state = told(bound, KEY, [4.0, 1.0, 3.0, 2.0])
    child, state = bound.ask(KEY, state, 1)
    assert child.replaces.tolist() == [1]
    assert bound.tell(state, child, jnp.ones((1, 1))).members.ids.tolist() == [0, 4, 2, 3]


def test_told_out_of_order_the_first_told_is_the_oldest():
    bound = compiled(regularized_evolution(3, 2), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 5)
    for row, expected in ((4, [4]), (1, [4, 1]), (0, [4, 1, 0]), (3, [3, 1, 0]), (2, [3, 2, 0])):
        state = bound.tell(state, candidates[row : row + 1], jnp.ones((1, 1)))
        assert state.members.ids.tolist()[: len(expected)] == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (functools.partial(regularized_evolution, 0), "population_size must be an integer of at least 1, got 0"),
        (functools.partial(regularized_evolution, 5, 0), "sample_size must be an integer of at least 1, got 0"),
    ],
)
def test_settings_without_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
