import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.evolution.pareto import crowded_order, crowded_survivors, crowding_distance, pareto_front, pareto_rank

# Few values, so that there are ties; two that a float32 sum with 1 doesn't tell apart; what is not finite.
NUMBERS = st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, 1e8, 3e38, np.nan, np.inf, -np.inf])
RANKED = st.sampled_from([0.0, 1.0, 2.0, 3.0, -np.inf])

rank_of = jax.jit(pareto_rank)


def dominates(first, second):
    return all(a >= b for a, b in zip(first, second, strict=True)) and tuple(first) != tuple(second)


def on_front(rows):
    return [not any(dominates(other, row) for other in rows) for row in rows]


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 3).flatmap(lambda m: st.lists(st.tuples(*[NUMBERS] * m), min_size=1, max_size=12)))
def test_the_front_is_what_no_finite_row_dominates(rows):
    finite = [row for row in rows if np.isfinite(row).all()]
    expected = [bool(np.isfinite(row).all()) and not any(dominates(other, row) for other in finite) for row in rows]
    assert pareto_front(np.array(rows, np.float32)).tolist() == expected


def test_a_row_that_rounding_hides_in_the_sum_is_still_dominated():
    assert pareto_front(np.array([[1e8, 0.0], [1e8, 1.0]], np.float32)).tolist() == [False, True]


def test_the_front_of_a_hundred_thousand_rows_needs_no_matrix_of_pairs():
    rows = np.random.default_rng(0).normal(size=(100_000, 2)).astype(np.float32)
    front = rows[pareto_front(rows)]
    descending = front[np.argsort(-front[:, 0])]
    assert (np.diff(descending[:, 1]) > 0).all()
    best_second = np.maximum.accumulate(rows[np.argsort(-rows[:, 0]), 1])
    assert len(front) == 1 + (np.diff(best_second) > 0).sum()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(RANKED, RANKED), min_size=10, max_size=10))
def test_ranks_are_those_of_peeling_front_by_front(rows):
    expected, left, front = [0] * len(rows), list(range(len(rows))), 0
    while left:
        keep = on_front([rows[i] for i in left])
        for i in [i for i, kept in zip(left, keep, strict=True) if kept]:
            expected[i] = front
        left, front = [i for i, kept in zip(left, keep, strict=True) if not kept], front + 1
    assert rank_of(jnp.array(rows, jnp.float32)).tolist() == expected


# Two fronts, worked out by hand; the first has range 10 in both objectives.
#            f0   f1  rank  crowding
FRONTS = [
    (10.0, 0.0, 0, np.inf),
    (1.0, 6.0, 0, (4 - 0) / 10 + (10 - 3) / 10),
    (0.0, 5.0, 1, np.inf),
    (0.0, 10.0, 0, np.inf),
    (4.0, 3.0, 0, (10 - 1) / 10 + (6 - 0) / 10),
    (3.0, 2.0, 1, np.inf),
]


def test_crowding_distances_of_two_fronts_equal_those_worked_out_by_hand():
    table = np.array(FRONTS)
    fitness = jnp.asarray(table[:, :2], jnp.float32)
    rank = pareto_rank(fitness)
    assert rank.tolist() == table[:, 2].tolist()
    np.testing.assert_allclose(crowding_distance(fitness, rank), table[:, 3], rtol=1e-6)


def test_the_crowded_order_is_by_rank_then_by_crowding_and_equals_score_the_same():
    order = crowded_order(jnp.asarray(np.array(FRONTS)[:, :2], jnp.float32))
    assert order.tolist() == [3, 1, 0, 3, 2, 0]


@pytest.mark.parametrize("failed", [1, 3])
def test_failed_rows_are_last_in_the_crowded_order(failed):
    rows = jnp.array([[-np.inf, -np.inf]] * failed + [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [-9.0, -9.0]])
    order = crowded_order(rows)
    assert order[:failed].max() < order[failed:].min()


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([1, 3]).flatmap(lambda m: st.lists(st.tuples(*[RANKED] * m), min_size=10, max_size=10)))
def test_one_objective_or_three_are_ranked_as_two_are(rows):
    ranks = rank_of(jnp.array(rows, jnp.float32)).tolist()
    for row, rank in zip(rows, ranks, strict=True):
        above = [other for other, front in zip(rows, ranks, strict=True) if front == rank - 1]
        beside = [other for other, front in zip(rows, ranks, strict=True) if front == rank]
        assert rank == 0 or any(dominates(other, row) for other in above)
        assert not any(dominates(other, row) for other in beside)


def test_survivors_of_a_hundred_thousand_need_no_matrix_of_pairs():
    rows = jax.random.normal(jax.random.key(0), (100_000, 2))
    kept = jax.jit(crowded_survivors, static_argnums=2)(rows, jnp.arange(100_000), 50_000)
    ranks = rank_of(rows)
    assert len(np.unique(kept)) == 50_000
    assert ranks[kept].max() <= np.delete(ranks, kept).min()
    front = pareto_front(np.asarray(rows))
    np.testing.assert_array_equal(ranks == 0, front)
