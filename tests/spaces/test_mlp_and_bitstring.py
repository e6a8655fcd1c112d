"""What is special about the small spaces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import merge, split
from evonas.spaces import MLP, BitString


def test_dropout_drops_only_in_training_and_with_a_key():
    space = MLP(dropout=(0.0, 0.5), input_shape=(4,))
    net = nnx.jit(lambda: space.supernet(rngs=nnx.Rngs(params=0)))()
    x = jnp.ones((8, 4))
    net.train()
    training = split(net)
    net.eval()
    evaluation = split(net)

    @jax.jit
    def run(genome, key):
        return [
            merge(*training)(x, genome, rngs=nnx.Rngs(dropout=key)),
            merge(*training)(x, genome),
            merge(*evaluation)(x, genome, rngs=nnx.Rngs(dropout=key)),
        ]

    genome = np.zeros(len(space.cardinalities), np.int32)
    dropped, without_key, evaluated = run(genome, jax.random.key(1))
    np.testing.assert_array_equal(dropped, evaluated)
    genome[1] = 1
    dropped, without_key, evaluated = run(genome, jax.random.key(1))
    np.testing.assert_array_equal(without_key, evaluated)
    assert np.abs(dropped - evaluated).max() > 1e-3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_depth", 0), ("max_depth", True), ("widths", ()), ("dropout", (1.0,)), ("dropout", ()),
        ("input_shape", (4, 4)), ("input_shape", (-3,)), ("input_shape", (0.5,)), ("max_parameters", 0),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=rf"MLP\.{field} must be .*, got"):
        MLP(**{field: value})


def test_a_budget_below_the_smallest_network_is_refused():
    smallest = MLP(max_depth=2, widths=(8, 4), input_shape=(5,), classes=3, max_parameters=5 * 4 + 4 + 4 * 3 + 3)
    assert any(smallest.is_valid(smallest.sample(jax.random.key(seed))) for seed in range(40))
    with pytest.raises(ValueError, match=r"max_parameters is 38, and the smallest network .* has 39 parameters"):
        MLP(max_depth=2, widths=(8, 4), input_shape=(5,), classes=3, max_parameters=38)


def test_a_budget_is_refused_where_networks_are_too_large_to_be_counted():
    MLP(widths=(30_000,), max_depth=2, input_shape=(5,), max_parameters=10**6)
    with pytest.raises(ValueError, match=r"allow about .* parameters: offer fewer or narrower layers"):
        MLP(widths=(16, 30_000), max_depth=3, input_shape=(5,), max_parameters=10**6)
    MLP(widths=(16, 30_000), max_depth=3, input_shape=(5,))


def test_mlp_layers_are_those_of_the_depth():
    space = MLP(input_shape=(4,), classes=1)
    genome = np.zeros(len(space.cardinalities), np.int32)
    genome[[0, 4, 5]] = 1
    assert space.layers(genome) == [
        "dense: relu, residual, to 16",
        "dense: relu, to 32",
        "linear, to 1",
        "dropout after each hidden layer: 0.0",
    ]


def test_bits_are_their_text_and_ones_are_good():
    space = BitString(dim=4)
    genome = space.parse("0110")
    assert space.format(genome) == "0110"
    assert space.accuracy(genome) == 0.5
    assert space.layers(genome) == ["linear: 2 of 4 inputs to 2"]


def test_noisy_accuracy_has_its_deviation_and_is_clipped():
    space = BitString(dim=100)
    keys = jax.random.split(jax.random.key(0), 4000)
    half = np.arange(100) % 2
    noisy = np.asarray(jax.vmap(space.noisy_accuracy, (0, None))(keys, half))
    assert noisy.mean() == pytest.approx(0.5, abs=1e-3)
    assert noisy.std() == pytest.approx(0.01, rel=0.05)
    full = jax.vmap(lambda key: space.noisy_accuracy(key, jnp.ones(100, jnp.int32), 0.1))(keys)
    assert full.max() == 1.0
    assert full.min() > 0.5


def test_a_bit_string_belongs_to_its_inputs():
    space = BitString(dim=8)
    assert space.fitted((8,), 5) == BitString(dim=8, classes=5)
    with pytest.raises(ValueError, match=r"\(8,\)"):
        space.fitted((9,), 5)


def test_the_classifier_reads_the_selected_inputs_only():
    space = BitString(dim=6)
    net = space.network(space.parse("010010"), rngs=nnx.Rngs(params=0))
    x = jnp.arange(12.0).reshape(2, 6)
    np.testing.assert_allclose(net(x), x[:, [1, 4]] @ net.head.kernel[...], rtol=1e-6)
    nothing = space.network(space.parse("000000"), rngs=nnx.Rngs(params=0))
    np.testing.assert_array_equal(nothing(x), 0)
