"""`Population` with candidates asked for one at a time: proposals made ahead show in nothing but time."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evonas
from evonas.types import NOBODY, Candidates

SPACE = evonas.spaces.BitString(10)
ALGORITHM = evonas.regularized_evolution(6, 2)
BOUND = ALGORITHM.bind(SPACE)
ASK, TELL = jax.jit(BOUND.ask, static_argnums=2), jax.jit(BOUND.tell)

ACTS = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 20)),
    st.tuples(st.just("ask"), st.integers(1, 3)),
    st.tuples(st.just("tell"), st.integers(0, 10)),
    st.just(("measure", 0)),
)


class Beside:
    """A population, and the pure core that is told each result at once; what they propose is compared."""

    def __init__(self, seed):
        self.population = evonas.Population(SPACE, ALGORITHM)
        self.key = self.population._key
        self.state = BOUND.init(self.key)
        self.rng = np.random.default_rng(seed)
        self.pending = []

    def ask(self, n):
        candidates = self.population.ask(n)
        for candidate in candidates:
            expected, self.state = ASK(self.key, self.state, 1)
            jax.tree.map(np.testing.assert_array_equal, candidate, expected)
            self.pending.append(candidate)

    def tell(self, which):
        candidate = self.pending.pop(which)
        fitness = [np.nan] if self.rng.random() < 0.1 else self.rng.integers(5, size=1).astype(np.float32)
        self.population.tell(candidate, fitness)
        self.state = TELL(self.state, candidate, np.array(fitness, np.float32)[:, None])

    def act(self, name, n):
        if name == "step":
            for _ in range(n):
                self.ask(1)
                self.tell(-1)
        elif name == "ask":
            self.ask(n)
        elif name == "tell" and self.pending:
            self.tell(n % len(self.pending))
        elif name == "measure":
            self.population.diversity()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(ACTS, min_size=30, max_size=60))
def test_each_candidate_is_the_cores_whatever_is_asked_and_told_in_whatever_order(seed, acts):
    beside = Beside(seed)
    for name, n in acts:
        beside.act(name, n)
    jax.tree.map(np.testing.assert_array_equal, beside.population.state, beside.state)


def test_one_at_a_time_is_not_a_call_of_the_program_at_a_time():
    population = evonas.Population(SPACE, evonas.regularized_evolution(100, 25))
    engine = population._engine
    calls, begin = [], engine._begin
    engine._begin = lambda *given, **named: calls.append(1) or begin(*given, **named)
    rng = np.random.default_rng(0)
    for _ in range(500):
        population.tell(population.ask(1), rng.random(1))
    assert len(calls) < 500 / 3


def test_results_told_in_any_numbers_compile_few_programs(caplog):
    population = evonas.Population(SPACE, evonas.regularized_evolution(100, 25))

    def rounds(numbers):
        for asked, told in numbers:
            population.ask(asked)
            candidates = population.pending[: min(told, len(population.pending))]
            population.tell(candidates, np.arange(len(candidates)))

    rounds([(4, 4), (4, 4), (1, 1), (4, 3), (4, 2)])
    with jax.log_compiles():
        evonas.Population(SPACE, ALGORITHM).ask(4)
        assert [message for message in caplog.messages if message.startswith("Compiling")]
        caplog.clear()
        rounds([(1, 2), (4, 1), (4, 4), (4, 6), (1, 1), (1, 1), (4, 5)])
    assert not [message for message in caplog.messages if message.startswith("Compiling")]


@pytest.mark.parametrize("at_once", [1, 4])
def test_repeats_are_resampled_from_the_state_of_the_moment(at_once):
    population = evonas.Population(SPACE, ALGORITHM, duplicates="resample", seed=3)
    seen = set()
    for _ in range(120 // at_once):
        candidates = population.ask(at_once)
        assert not {genome.tobytes() for genome in candidates.genomes} & seen
        seen |= {genome.tobytes() for genome in candidates.genomes}
        population.tell(candidates, candidates.genomes.sum(1))
        living = set(population.state.members.ids.tolist())
    last = population.ask(1)
    assert isinstance(last, Candidates)
    assert set(last.parents.ravel().tolist()) <= living | {NOBODY}
