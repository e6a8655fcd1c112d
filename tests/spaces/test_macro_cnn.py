"""What is special about whole networks layer by layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import merge, split
from evonas.spaces import MacroCNN
from evonas.spaces.macro_cnn.cost import greatest_cost, least_cost

SPACE = MacroCNN(stages=2, filters=(4, 8), kernels=(1, 3), dense=(0, 16), classes=3, input_shape=(5, 5, 2))


def outputs(text, weight=0.5):
    """The network's outputs, all kernels the same and all biases zero."""
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5, 5, 2)), jnp.float32)
    module = nnx.eval_shape(lambda: SPACE.network(SPACE.parse(text), rngs=nnx.Rngs(params=0)))
    parts = split(module)
    fill = lambda leaf: jnp.full(leaf.shape, weight if len(leaf.shape) > 1 else 0.0)  # noqa: E731
    return x, merge(parts.graph, jax.tree.map(fill, parts.parameters), parts.statistics)(x)


def head(y, reduce=jax.lax.max):
    window = jax.lax.reduce_window(y, -jnp.inf, reduce, (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0), (0, 1), (0, 1), (0, 0)))
    return jnp.repeat(0.5 * window.mean((1, 2)).sum(-1, keepdims=True), 3, 1)


def pointwise(x, filters):
    return jnp.repeat(0.5 * x.sum(-1, keepdims=True), filters, -1)


def widened(x, channels):
    return jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, max(0, channels - x.shape[-1]))))[..., :channels]


def test_connections_add_the_input_or_the_one_before():
    conv = "conv1x1-{}-tanh-none-{}"
    rest = " / max / none | none / linear"
    for connection in ("plain", "residual", "skip"):
        x, y = outputs(f"{conv.format(8, 'plain')} | {conv.format(4, connection)}{rest}")
        first = jnp.tanh(pointwise(x, 8))
        added = {"plain": 0, "residual": widened(first, 4), "skip": widened(x, 4)}[connection]
        np.testing.assert_allclose(y, head(jnp.tanh(pointwise(first, 4)) + added), rtol=1e-5)


def test_pools_keep_the_channels_and_may_be_connected():
    x, y = outputs("max_pool-residual | none / max / none | none / linear")
    pooled = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")
    np.testing.assert_allclose(y, head(pooled + x), rtol=1e-5)


def test_text_is_short_where_genes_do_not_matter():
    text = "separable3x3-8-silu-layer-skip | avg_pool-residual / average / none | none / dense16-gelu"
    genome = SPACE.parse(text)
    assert SPACE.format(genome) == text
    np.testing.assert_array_equal(SPACE.canonical(genome)[12:24], 0)


def test_canonical_form_moves_absent_layers_back_and_forgets():
    genome = SPACE.parse(
        "none3x3-8-tanh-layer-skip | conv3x3-8-relu-batch-skip / max / max_pool3x3-8-silu-none-plain | none"
        " / dense0-sigmoid"
    )
    wanted = "conv3x3-8-relu-batch-residual | none / max / max_pool-plain | none / linear"
    assert SPACE.format(np.asarray(SPACE.canonical(genome))) == wanted


def test_layers_tell_the_shapes():
    text = "separable3x3-8-silu-layer-plain | avg_pool-residual / average / none | none / dense16-gelu"
    assert SPACE.layers(SPACE.parse(text)) == [
        "stage 1: separable convolution 3x3, layer norm, silu, plain, to 5x5x8",
        "stage 1: average pool 3x3, residual, to 5x5x8",
        "halve: average of 2x2 blocks, to 3x3x8",
        "average over the image, to 8",
        "dense: gelu, to 16",
        "linear, to 3",
    ]


def test_a_network_of_pools_is_not_valid():
    text = "max_pool-plain | none / max / none | none / linear"
    assert not SPACE.is_valid(SPACE.parse(text))
    assert SPACE.is_valid(SPACE.parse(text.replace("none /", "conv1x1-4-relu-none-plain /", 1)))


def test_count_stays_exact_beyond_int32():
    space = MacroCNN(
        stages=1, layers_per_stage=2, filters=(4096,), kernels=(11,), dense=(0,), input_shape=(512, 512, 3)
    )
    layer = "conv11x11-4096-relu-none-plain"
    weights = 121 * 4096 * (3 + 4096)
    count = space.count(space.parse(f"{layer} | {layer} / linear"))
    assert count == (weights + 40970, weights * 512 * 512 + 40970)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none | none / max / none | none", "expected 2 stages"),
        ("none | none / mean / none | none / linear", "no reduction 'mean'"),
        ("conv3x5-4-relu-none-plain | none / max / none | none / linear", "expected a layer"),
        ("conv7x7-4-relu-none-plain | none / max / none | none / linear", "no kernel '7'"),
        ("none | none / max / none | none / dense32-relu", "no dense '32'"),
        ("none | none / max / none | none / softmax", "expected a head"),
    ],
)
def test_wrong_texts_say_what_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        SPACE.parse(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stages", 0), ("layers_per_stage", 1.5), ("classes", -1), ("filters", ()), ("filters", (8, 8)),
        ("filters", (0,)), ("kernels", (2,)), ("kernels", (3, "5")), ("activations", ("swish",)), ("norms", ()),
        ("connections", ("dense",)), ("dense", (-1,)), ("input_shape", (32, 32)), ("input_shape", (32, 0, 3)),
        ("max_parameters", 0),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=rf"MacroCNN\.{field} must be .*, got"):
        MacroCNN(**{field: value})


def test_a_budget_is_refused_where_networks_are_too_large_to_be_counted():
    with pytest.raises(ValueError, match=r"allow about .* parameters: offer fewer or narrower layers"):
        MacroCNN(filters=(8, 4096), kernels=(3, 11), max_parameters=10**6)


def test_a_budget_below_the_smallest_network_is_refused():
    with pytest.raises(ValueError, match=r"max_parameters is 3, and the smallest network of these choices, for inputs"):
        MacroCNN(max_parameters=3)


def test_no_network_has_more_or_fewer_parameters_than_the_bounds():
    rng = np.random.default_rng(0)
    for kernels, filters, dense in [((1,), (1,), (0,)), ((1,), (7,), (9,)), ((3, 5), (1, 2), (0, 3))]:
        space = MacroCNN(stages=2, kernels=kernels, filters=filters, dense=dense, input_shape=(8, 8, 3))
        genomes = rng.integers(0, space.cardinalities, (200, len(space.cardinalities)), np.int32)
        valid = [space.count(genome).parameters for genome in genomes if space.is_valid(genome)]
        assert least_cost(space) <= min(valid) <= max(valid) <= greatest_cost(space)


def test_lists_become_tuples_so_that_the_space_hashes():
    assert hash(MacroCNN(filters=[4, 8])) == hash(MacroCNN(filters=(4, 8)))
