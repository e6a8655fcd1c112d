"""Exact properties of the genome's array functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.genome import (
    change_each,
    change_one,
    enumerate_genomes,
    genome_index,
    one_hot,
    one_point_crossover,
    random_genome,
    random_index,
    redraw_one,
    two_point_crossover,
    uniform_crossover,
)

# One length, so that each function compiles once: the sizes are an argument.
LENGTH = 6
sizes = st.lists(st.integers(1, 7), min_size=LENGTH, max_size=LENGTH)
seeds = st.integers(0, 2**31 - 1)
quick = settings(max_examples=60, deadline=None)
compiled = {f: jax.jit(f) for f in (
    random_genome,
    random_index, change_one, redraw_one, change_each, uniform_crossover, one_point_crossover, two_point_crossover,
)}  # fmt: skip


def case(cardinalities, seed):
    key, other = jax.random.split(jax.random.key(seed))
    array = np.array(cardinalities, np.int32)
    return array, key, compiled[random_genome](other, array)


@quick
@given(sizes, seeds)
def test_random_genomes_and_mutants_are_in_range(cardinalities, seed):
    array, key, genome = case(cardinalities, seed)
    for made in (
        genome,
        compiled[change_one](key, genome, array),
        compiled[redraw_one](key, genome, array),
        compiled[change_each](key, genome, array, 0.5),
    ):
        assert made.dtype == jnp.int32
        assert ((made >= 0) & (made < array)).all()


@quick
@given(sizes, seeds)
def test_change_one_changes_exactly_one_gene_if_any_can(cardinalities, seed):
    array, key, genome = case(cardinalities, seed)
    changes = (compiled[change_one](key, genome, array) != genome).sum()
    assert changes == (1 if max(cardinalities) > 1 else 0)


@quick
@given(sizes, seeds)
def test_redraw_one_changes_at_most_one_gene(cardinalities, seed):
    array, key, genome = case(cardinalities, seed)
    assert (compiled[redraw_one](key, genome, array) != genome).sum() <= 1


@quick
@given(sizes, seeds)
def test_change_each_changes_none_or_all_at_the_ends(cardinalities, seed):
    array, key, genome = case(cardinalities, seed)
    assert (compiled[change_each](key, genome, array, 0.0) == genome).all()
    np.testing.assert_array_equal(compiled[change_each](key, genome, array, 1.0) != genome, array > 1)


def runs(mask):
    """Number of stretches of true values round a ring."""
    return int((mask & ~np.roll(mask, 1)).sum())


@quick
@given(seeds)
def test_crossovers_take_each_gene_from_a_parent_in_its_place(seed):
    first, second = np.zeros(LENGTH, np.int32), np.ones(LENGTH, np.int32)
    key = jax.random.key(seed)
    assert set(np.asarray(compiled[uniform_crossover](key, first, second)).tolist()) <= {0, 1}
    one = np.asarray(compiled[one_point_crossover](key, first, second))
    assert 0 < one.sum() < LENGTH
    assert (np.diff(one) >= 0).all()
    two = np.asarray(compiled[two_point_crossover](key, first, second)).astype(bool)
    assert 0 < two.sum() < LENGTH
    assert runs(two) == 1


@quick
@given(sizes, seeds)
def test_index_and_enumeration_are_inverse(cardinalities, seed):
    cardinalities = tuple(cardinalities)[:4]
    genomes = enumerate_genomes(cardinalities)
    assert len(genomes) == np.prod(cardinalities)
    row = seed % len(genomes)
    assert genome_index(genomes[row], cardinalities) == row


def test_index_of_many_genomes_is_their_row():
    np.testing.assert_array_equal(genome_index(enumerate_genomes((3, 1, 4)), (3, 1, 4)), np.arange(12))
    assert genome_index(np.array([2, 0, 3]), (3, 1, 4)) == 11


def test_a_space_too_large_for_a_table_is_refused():
    with pytest.raises(ValueError, match="2\\^31"):
        genome_index(np.zeros(31, np.int32), (2,) * 31)
    assert genome_index(np.ones(30, np.int32), (2,) * 30) == 2**30 - 1


def test_one_hot_has_a_one_a_gene():
    np.testing.assert_array_equal(one_hot(np.array([1, 0, 2]), (2, 1, 3)), [0, 1, 1, 0, 0, 1])


def test_mutations_are_uniform_over_genes_and_other_values():
    keys = jax.random.split(jax.random.key(0), 6000)
    genome, cardinalities = jnp.array([0, 0, 1]), (3, 1, 2)
    mutants = np.asarray(jax.vmap(lambda key: change_one(key, genome, cardinalities))(keys))
    found, counts = np.unique(mutants, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, [[0, 0, 0], [1, 0, 1], [2, 0, 1]])
    np.testing.assert_allclose(counts / 6000, [0.5, 0.25, 0.25], atol=0.03)


@pytest.mark.parametrize("size", [1, 3, 100, 2**20 + 1])
def test_an_index_is_uniform_and_below_the_size(size):
    drawn = np.asarray(random_index(jax.random.key(0), (20_000,), size))
    assert drawn.dtype == np.int32
    assert drawn.min() >= 0
    assert drawn.max() < size
    assert abs(drawn.mean() - (size - 1) / 2) < 4 * size / np.sqrt(12 * 20_000)


def test_the_largest_random_number_is_still_below_every_size():
    largest = np.float32(1) - np.float32(2**-23)
    sizes = np.arange(1, 2**23, 977, dtype=np.float32)
    assert ((largest * sizes).astype(np.int32) < sizes).all()
