"""What holds for the pure core whatever the algorithm."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from evolution_cases import ALGORITHMS, Letters, assert_same, compilations, compiled

from evonas.evolution import regularized_evolution
from evonas.types import NOBODY

SPACE = Letters()
KEY = jax.random.key(5)
WEIGHTS = jnp.arange(1.0, 7.0)


def fitness_of(genomes):
    """Some number for each genome, NaN for a tenth."""
    values = (genomes * WEIGHTS).sum(-1)
    return jnp.where(values % 10 == 3, jnp.nan, values)[:, None]


# The others differ from these by a score or an operator alone.
@pytest.fixture(
    params=[
        "aging evolution",
        "non-aging evolution",
        "aging, novelty and reaction",
        "genetic algorithm",
        "NSGA-II with novelty",
    ],
    scope="module",
)
def bound(request):
    return compiled(ALGORITHMS[request.param], SPACE)


@pytest.fixture(scope="module")
def asked(bound):
    """60 candidates, all random as nobody is told yet."""
    parts, state = [], bound.init(KEY)
    for _ in range(3):
        part, state = bound.ask(KEY, state, 20)
        parts.append(part)
    return jax.tree.map(lambda *rows: jnp.concatenate(rows), *parts), state


@pytest.fixture(scope="module")
def evolved(bound, asked):
    """The state after they are told: at least one generation."""
    candidates, state = asked
    return bound.tell(state, candidates, fitness_of(candidates.genomes))


def test_proposals_are_the_same_asked_for_one_by_one_or_at_once(bound, evolved):
    at_once, after = bound.ask(KEY, evolved, 20)
    parts, state = [], evolved
    for _ in range(20):
        part, state = bound.ask(KEY, state, 1)
        parts.append(part)
    assert_same(jax.tree.map(lambda *rows: jnp.concatenate(rows), *parts), at_once)
    assert_same(state, after)


def test_proposals_are_the_same_three_by_three_and_sixteen_at_once():
    bound = compiled(regularized_evolution(4, 3), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 4)
    state = bound.tell(state, candidates, jnp.arange(4.0)[:, None])
    at_once, _ = bound.ask(KEY, state, 16)
    for start in range(0, 15, 3):
        part, state = bound.ask(KEY, state, 3)
        assert_same(part, at_once[start : start + 3])


def test_told_in_pieces_is_told_at_once(bound, asked, evolved):
    candidates, state = asked
    for start in range(0, 60, 20):
        rows = slice(start, start + 20)
        state = bound.tell(state, candidates[rows], fitness_of(candidates.genomes[rows]))
    assert_same(state, evolved)


def test_padded_rows_change_nothing(bound, evolved):
    candidates, state = bound.ask(KEY, evolved, 20)
    fitness = fitness_of(candidates.genomes)
    where = np.repeat(np.arange(20), 3)
    real = np.arange(60) % 3 == np.repeat(np.arange(20) % 3, 3)
    padded = candidates[where].replace(ids=jnp.where(real, candidates.ids[where], NOBODY))
    loud = jnp.where(real[:, None], fitness[where], 1e6)
    assert_same(bound.tell(state, padded, loud), bound.tell(state, candidates, fitness))


def test_a_state_keeps_its_shapes_and_types(bound, evolved):
    chex.assert_trees_all_equal_shapes_and_dtypes(bound.init(KEY), evolved)


def test_failed_members_are_no_parents_and_leave_no_trace_in_a_child(bound, evolved):
    fitness = jnp.where(jnp.arange(20)[:, None] == 7, -5.0, -jnp.inf)
    crippled = evolved.replace(members=evolved.members.replace(fitness=fitness))
    children, _ = bound.ask(KEY, crippled, 20)
    assert set(np.unique(children.parents)) <= {NOBODY, int(evolved.members.ids[7])}


def test_jit_changes_nothing():
    name = "aging, novelty and reaction"
    plain, jitted = ALGORITHMS[name].bind(SPACE), compiled(ALGORITHMS[name], SPACE)
    candidates, state = jitted.ask(KEY, jitted.init(KEY), 20)
    state = jitted.tell(state, candidates, fitness_of(candidates.genomes))
    candidates, after = plain.ask(KEY, state, 20)
    assert_same(jitted.ask(KEY, state, 20), (candidates, after))
    fitness = fitness_of(candidates.genomes)
    assert_same(jitted.tell(after, candidates, fitness), plain.tell(after, candidates, fitness))


@pytest.mark.slow
def test_many_runs_under_vmap_are_each_run_by_itself():
    bound = ALGORITHMS["NSGA-II with novelty"].bind(SPACE)

    def run(key):
        def step(state, _):
            candidates, state = bound.ask(key, state, 2)
            return bound.tell(state, candidates, fitness_of(candidates.genomes)), candidates

        return jax.lax.scan(step, bound.init(key), length=25)

    keys = jax.random.split(KEY, 3)
    together, alone = jax.jit(jax.vmap(run))(keys), jax.jit(run)
    for number, key in enumerate(keys):
        assert_same(jax.tree.map(lambda column, number=number: column[number], together), alone(key))


def test_asks_and_tells_of_known_sizes_compile_nothing():
    bound = regularized_evolution(8, 3).bind(SPACE)
    ask = jax.jit(chex.assert_max_traces(bound.ask, n=1), static_argnums=2)
    tell = jax.jit(chex.assert_max_traces(bound.tell, n=1))
    state = bound.init(KEY)
    fitness = np.zeros((4, 1), np.float32)
    with compilations() as compiled:
        candidates, state = ask(KEY, state, 4)
        state = tell(state, candidates, fitness)
        assert compiled
        compiled.clear()
        for _ in range(5):
            candidates, state = ask(KEY, state, 4)
            state = tell(state, candidates, fitness)
        assert not compiled


def test_a_fitness_of_another_shape_is_refused():
    bound = compiled(regularized_evolution(8, 3), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 4)
    with pytest.raises(AssertionError, match="shape"):
        bound.tell(state, candidates, jnp.zeros((4, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_a_failure(bad):
    bound = compiled(regularized_evolution(4, 3), SPACE)
    candidates, state = bound.ask(KEY, bound.init(KEY), 4)
    state = bound.tell(state, candidates, jnp.array([[1.0], [bad], [2.0], [3.0]]))
    assert state.members.fitness[:, 0].tolist() == [1.0, -np.inf, 2.0, 3.0]
    assert state.members.alive.tolist() == [True, False, True, True]


def test_candidates_are_indexed_by_numbers_lists_slices_and_arrays():
    bound = regularized_evolution(4, 2).bind(Letters())
    candidates, _ = bound.ask(jax.random.key(0), bound.init(jax.random.key(0)), 4)
    assert candidates[2].ids.tolist() == candidates[[2]].ids.tolist() == candidates[2:3].ids.tolist() == [2]
    assert candidates[np.array([True, False, False, True])].ids.tolist() == [0, 3]
    assert len(candidates[[]]) == 0
