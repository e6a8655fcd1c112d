"""NAS-Bench-201 against the benchmark's records."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.genome import genome_index
from evonas.nn import count_module, split
from evonas.spaces import NASBench201

DATA = {
    "cifar10": NASBench201(),
    "cifar100": NASBench201(classes=100),
    "ImageNet16-120": NASBench201(classes=120, input_shape=(16, 16, 3)),
}


@pytest.fixture(scope="module")
def table(shared):
    with np.load(shared / "data" / "nas_tables" / "nasbench201.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("column", range(3), ids=DATA)
def test_counts_equal_the_records_of_all_cells(table, column):
    space = DATA[str(table["datasets"][column])]
    counts = np.array([space.count(genome) for genome in table["ops"].astype(np.int32)])
    np.testing.assert_array_equal(counts[:, 0], table["params"][:, column])
    np.testing.assert_allclose(counts[:, 1] / 1e6, table["flops_m"][:, column], rtol=1e-12)


def test_counts_equal_those_of_the_flax_module(table):
    for row in np.random.default_rng(0).choice(15625, 12, replace=False):
        genome = table["ops"][row].astype(np.int32)
        column = int(row) % 3
        space = DATA[str(table["datasets"][column])]
        module = nnx.eval_shape(lambda space=space, genome=genome: space.network(genome, rngs=nnx.Rngs(params=0)))
        leaves = jax.tree.leaves(split(module).parameters)
        assert sum(leaf.size for leaf in leaves) == table["params"][row, column]
        traced = count_module(lambda rngs, s=space, g=genome: s.network(g, rngs=rngs), space.input_shape)
        assert traced.multiply_adds + space.classes == pytest.approx(table["flops_m"][row, column] * 1e6, abs=1e-3)


def test_canonical_partition_is_that_of_the_benchmark(table):
    genomes = table["ops"].astype(np.int32)
    space = DATA["cifar10"]
    canonical = np.asarray(jax.vmap(space.canonical)(genomes))
    mine = np.asarray(genome_index(canonical, space.cardinalities))
    assert len(np.unique(mine)) == 6466
    pairs = np.unique(np.stack([mine, table["unique_rep"]]), axis=1)
    assert pairs.shape[1] == 6466


def test_structure_is_constant_within_each_class(table):
    genomes = table["ops"].astype(np.int32)
    features = np.asarray(jax.vmap(DATA["cifar10"].structure)(genomes))
    np.testing.assert_array_equal(features, features[table["unique_rep"].astype(int)])
    assert features.shape[1] == 40
    assert len(np.unique(features, axis=0)) > 1000


def test_text_is_the_benchmarks():
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
    np.testing.assert_array_equal(DATA["cifar10"].parse(text), [3, 0, 1, 4, 2, 0])
    assert DATA["cifar10"].format([3, 0, 1, 4, 2, 0]) == text
    assert "node 3: avg_pool_3x3(node 0) + nor_conv_1x1(node 1)" in DATA["cifar10"].layers([3, 0, 1, 4, 2, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|conv_7x7~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation 'conv_7x7'"),
        ("|none~0|+|none~0|none~1|", "expected"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "expected"),
        ("none", "expected"),
    ],
)
def test_wrong_texts_say_what_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        DATA["cifar10"].parse(text)


def test_gene_out_of_range_is_named():
    with pytest.raises(ValueError, match="'0->1' is 5"):
        DATA["cifar10"].count([5, 0, 0, 0, 0, 0])


def test_operations_that_lead_nowhere_change_nothing_in_a_shared_network():
    space = NASBench201(channels=2, cells_per_stage=1, classes=3, input_shape=(8, 8, 3))
    network = space.supernet(rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (2, 8, 8, 3))
    # Nothing leaves node 2, and node 1 leads to it alone.
    outputs = [network(x, jnp.asarray(genome)) for genome in ([3, 2, 3, 3, 0, 0], [0, 0, 0, 3, 0, 0])]
    np.testing.assert_array_equal(*outputs)
    assert not np.array_equal(outputs[0], network(x, jnp.asarray([3, 2, 3, 3, 1, 0])))
