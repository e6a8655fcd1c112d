"""NAS-Bench-101's cells against the benchmark's own figures."""

import hashlib

import jax
import numpy as np
import pytest

from evonas.nn import count_module
from evonas.spaces import NASBench101
from evonas.spaces.nasbench101.graph import OPERATIONS, vertex_channels

SPACE = NASBench101()
INCEPTION = (
    [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    ["input", "conv1x1", "conv3x3", "conv3x3", "conv3x3", "maxpool3x3", "output"],
)


def keys(number, seed=0):
    return jax.random.split(jax.random.key(seed), number)


def valid(number, seed=0):
    genomes = np.asarray(jax.jit(jax.vmap(SPACE.sample))(keys(number, seed)))
    return genomes[np.asarray(jax.jit(jax.vmap(SPACE.is_valid))(genomes))]


def fifty(shared):
    """Matrix, operations and millions of parameters of each cell of the file."""
    with np.load(shared / "data/nas_tables/nasbench101_cells50.npz") as table:
        names = table["op_names"].tolist()
        for row, count in enumerate(table["n_vertices"].tolist()):
            operations = [names[kind] for kind in table["ops"][row, :count]]
            yield table["adjacency"][row, :count, :count], operations, float(table["params_m"][row])


def test_the_inception_like_cell_has_the_published_parameters():
    genome = SPACE.from_matrix(*INCEPTION)
    assert SPACE.count(genome).parameters == 2_694_282
    assert SPACE.is_valid(genome)


def test_fifty_cells_have_the_benchmarks_parameters(shared):
    cells = list(fifty(shared))
    assert len(cells) == 50
    for matrix, operations, millions in cells:
        assert SPACE.count(SPACE.from_matrix(matrix, operations)).parameters == round(millions * 1e6)


@pytest.mark.slow
def test_the_count_is_that_of_the_flax_network():
    space = NASBench101(10, 2, 2, input_shape=(9, 8, 3))
    for genome in [space.from_matrix(*INCEPTION), *valid(60)[:8]]:
        assert space.count(genome) == count_module(
            lambda rngs, g=genome: space.network(g, rngs=rngs), space.input_shape
        )


def test_the_hash_is_the_benchmarks_own_for_two_vertices():
    # By hand: input and output, joined; each vertex's degrees and label, then two rounds of its neighbours.
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    names = [md5("(1, 0, -1)"), md5("(0, 1, -2)")]
    for _ in range(2):
        names = [md5(f"|{names[1]}|{names[0]}"), md5(f"{names[0]}||{names[1]}")]
    genome = SPACE.from_matrix([[0, 1], [0, 0]], ["input", "output"])
    assert SPACE.hash(genome) == md5(str(sorted(names)))


def test_hashes_are_those_of_the_authors_code(shared):
    # Computed with hash_module of google-research/nasbench's lib/graph_util.py.
    assert SPACE.hash(SPACE.from_matrix(*INCEPTION)) == "28cfc7874f6d200472e1a9dcd8650aa0"
    hashes = [SPACE.hash(SPACE.from_matrix(matrix, operations)) for matrix, operations, _ in fifty(shared)]
    assert hashes[20] == "3dcaf4f61daaedf031977a4a42240fe0"
    assert hashlib.md5("".join(hashes).encode()).hexdigest() == "5368eac94464cd0577f7501f23cd7d3e"


def relabelled(random, matrix, operations):
    """The same cell with its interior vertices in another order that edges still follow."""
    count = len(operations)
    order, left = [0], set(range(1, count - 1))
    while left:
        ready = [v for v in left if all(w in order for w in range(count) if matrix[w][v])]
        order.append(random.choice(ready))
        left.remove(order[-1])
    order.append(count - 1)
    return np.asarray(matrix)[np.ix_(order, order)], [operations[v] for v in order]


def test_isomorphic_cells_have_one_hash_one_canonical_form_and_one_code():
    random, canonical, code = np.random.default_rng(0), jax.jit(SPACE.canonical), jax.jit(SPACE.code)
    for genome in [SPACE.from_matrix(*INCEPTION), *valid(40, 1)[:10]]:
        matrix, operations = SPACE.to_matrix(genome)
        for _ in range(4):
            other = SPACE.from_matrix(*relabelled(random, matrix, operations))
            np.testing.assert_array_equal(canonical(other), canonical(genome))
            assert SPACE.hash(other) == SPACE.hash(genome)
            assert code(other) == code(genome)
        np.testing.assert_array_equal(canonical(canonical(genome)), canonical(genome))


def test_cells_differ_by_hash_where_they_differ_by_code():
    genomes = valid(300, 2)
    codes = np.asarray(jax.jit(jax.vmap(SPACE.code))(genomes)).tolist()
    hashes = [SPACE.hash(genome) for genome in genomes]
    assert len(set(codes)) == len(set(hashes)) == len(set(zip(codes, hashes, strict=True)))


def test_text_and_matrix_read_back():
    random = np.random.default_rng(0)
    for genome in [*valid(60)[:20], *random.integers(0, SPACE.cardinalities, (30, 26), np.int32)]:
        np.testing.assert_array_equal(SPACE.parse(SPACE.format(genome)), genome)
    for genome in valid(60)[:20]:
        assert SPACE.hash(SPACE.from_matrix(*SPACE.to_matrix(genome))) == SPACE.hash(genome)


@pytest.mark.parametrize(
    ("matrix", "operations", "message"),
    [
        ([[0, 1]], ["input", "output"], r"expected a matrix \[V, V\] and V operations"),
        ([[0, 1], [1, 0]], ["input", "output"], "upper triangular"),
        ([[0, 2], [0, 0]], ["input", "output"], "zeros and ones"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "conv5x5", "output"], "unknown operation 'conv5x5'"),
    ],
)
def test_other_matrices_are_refused(matrix, operations, message):
    with pytest.raises(ValueError, match=message):
        SPACE.from_matrix(matrix, operations)


def test_a_cell_without_a_path_is_invalid_and_has_no_network():
    genome = np.zeros(26, np.int32)
    assert not SPACE.is_valid(genome)
    with pytest.raises(ValueError, match="no path leads from the input"):
        SPACE.count(genome)


def test_more_than_nine_edges_on_paths_are_invalid():
    full = np.ones(26, np.int32)
    assert not SPACE.is_valid(full)


def test_a_mutation_changes_an_edge_with_a_seventh_and_an_operation_with_a_fifth():
    genomes = np.repeat(valid(60)[:1], 4000, 0)
    changed = np.asarray(jax.jit(jax.vmap(SPACE.mutate))(keys(4000, 3), genomes)) != genomes
    np.testing.assert_allclose(changed[:, :21].mean(0), 1 / 7, atol=0.03)
    np.testing.assert_allclose(changed[:, 21:].mean(0), 1 / 5, atol=0.03)


def test_channels_are_split_among_the_outputs_vertices_the_remainder_to_the_first():
    # As the benchmark's own documentation has it: two ways of 4 and 3 channels, one vertex as wide as what it leads to.
    matrix = np.zeros((5, 5), int)
    matrix[0, 1] = matrix[0, 2] = matrix[1, 4] = matrix[2, 3] = matrix[3, 4] = 1
    assert [int(width) for width in vertex_channels(matrix, 7)[1:]] == [4, 3, 3, 7]


def test_operations_have_the_benchmarks_order():
    # Hashes are of these numbers.
    assert OPERATIONS == ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
