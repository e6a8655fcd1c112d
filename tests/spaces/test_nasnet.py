"""The space of NASNet and AmoebaNet against published figures, and its own rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Draws, count_module
from evonas.spaces import AMOEBANET_A, NASNET_A, NASNet
from evonas.spaces.nasnet.genes import OPERATIONS, SEARCHED, fold, unfold

SPACE = NASNet()
PUBLISHED = [
    ("NASNet-A, 6 @ 768", NASNet(), NASNET_A, 3_346_538, "544.3"),
    (
        "NASNet-A mobile, 4 @ 1056",
        NASNet(4, 44, "imagenet", classes=1000, input_shape=(224, 224, 3)),
        *(NASNET_A, 5_289_978, "563.6"),
    ),
    ("AmoebaNet-A, N=6 F=32", NASNet(), AMOEBANET_A, 2_567_754, "407.7"),
    ("AmoebaNet-A, N=6 F=36", NASNet(filters=36), AMOEBANET_A, 3_218_266, "509.7"),
    ("AmoebaNet-A, N=3 F=24", NASNet(3, 24), AMOEBANET_A, 843_322, "139.3"),
]
# Cells of the authors' model_specs.py, with operations that no search of evonas draws.
AMOEBANET_B = """
normal ops 1x1 max_pool_3x3 | none separable_3x3_2 | 1x1 separable_3x3_2 | 1x1 none | avg_pool_3x3 1x1
       idx 1 1 | 1 0 | 1 0 | 2 2 | 1 5 used 0 1 1 0 0 1 0
reduce ops max_pool_2x2 max_pool_3x3 | none 3x3 | dil_2_separable_5x5_2 max_pool_3x3 | none separable_3x3_2
         | avg_pool_3x3 1x1 idx 0 0 | 2 1 | 2 2 | 3 1 | 4 3 used 1 1 1 1 1 0 0
"""
AMOEBANET_C = """
normal ops avg_pool_3x3 separable_3x3_2 | none separable_3x3_2 | avg_pool_3x3 separable_3x3_2 | none separable_3x3_2
         | avg_pool_3x3 separable_3x3_2 idx 0 0 | 0 0 | 2 1 | 0 1 | 3 0 used 1 0 0 1 0 0 0
reduce ops max_pool_3x3 max_pool_3x3 | separable_7x7_2 separable_3x3_2 | separable_7x7_2 max_pool_3x3
         | separable_5x5_2 separable_5x5_2 | max_pool_3x3 separable_3x3_2
       idx 0 0 | 2 0 | 0 1 | 4 4 | 1 1 used 0 1 0 0 0 0 0
"""
AMOEBANET_D = """
normal ops 1x1 max_pool_3x3 | none 1x7_7x1 | 1x1 1x7_7x1 | max_pool_3x3 none | avg_pool_3x3 1x1
       idx 1 1 | 1 0 | 0 0 | 2 2 | 1 5 used 0 1 1 0 0 1 0
reduce ops max_pool_2x2 max_pool_3x3 | none 3x3 | 1x7_7x1 max_pool_3x3 | none max_pool_2x2 | avg_pool_3x3 1x1
       idx 0 0 | 2 1 | 2 2 | 3 1 | 2 3 used 1 1 1 1 0 0 0
"""
# PNASNet-5's normal cell, with a reduction cell that has what no published one has.
WITH_OTHERS = """
normal ops separable_5x5_2 max_pool_3x3 | separable_7x7_2 max_pool_3x3 | separable_5x5_2 separable_3x3_2
         | separable_3x3_2 max_pool_3x3 | separable_3x3_2 none idx 1 1 | 0 0 | 0 0 | 4 0 | 1 0 used 1 1 0 0 0 0 0
reduce ops separable_5x5_2 max_pool_3x3 | separable_7x7_2 max_pool_3x3 | separable_5x5_2 separable_3x3_2
         | 1x3_3x1 3x3 | dilated_3x3_rate_4 1x1 idx 1 1 | 0 0 | 0 0 | 4 0 | 1 0 used 1 1 0 0 0 0 0
"""


TEXTS = [AMOEBANET_A, AMOEBANET_B, AMOEBANET_C, AMOEBANET_D, NASNET_A, WITH_OTHERS]


def keys(number, seed=0):
    return jax.random.split(jax.random.key(seed), number)


def sampled(number=100, seed=0):
    return np.asarray(jax.jit(jax.vmap(SPACE.sample))(keys(number, seed)))


@pytest.mark.parametrize(
    ("space", "text", "parameters", "millions"), [row[1:] for row in PUBLISHED], ids=[row[0] for row in PUBLISHED]
)
def test_published_networks_have_their_parameters_and_multiply_adds(space, text, parameters, millions):
    count = space.count(space.parse(text))
    assert count.parameters == parameters
    assert abs(count.multiply_adds / 1e6 - float(millions)) < 0.0501


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "space", [NASNet(1, 12, input_shape=(16, 16, 3)), NASNet(1, 16, "imagenet", input_shape=(40, 42, 3))]
)
def test_the_count_is_that_of_the_flax_network(space, text):
    genome = space.parse(text)
    traced = count_module(lambda rngs: space.network(genome, rngs=rngs), space.input_shape)
    assert space.count(genome) == traced


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "text", "parameters", "millions"), [row[1:] for row in PUBLISHED], ids=[row[0] for row in PUBLISHED]
)
def test_published_flax_networks_have_them_too(space, text, parameters, millions):
    genome = space.parse(text)
    traced = count_module(lambda rngs: space.network(genome, rngs=rngs), space.input_shape)
    assert traced.parameters == parameters
    assert abs(traced.multiply_adds / 1e6 - float(millions)) < 0.0501


@pytest.mark.parametrize("text", TEXTS)
def test_published_text_reads_and_writes(text):
    genome = SPACE.parse(text)
    assert SPACE.format(genome).replace("|", "").split() == text.replace("|", "").split()
    np.testing.assert_array_equal(SPACE.parse(SPACE.format(genome)), genome)


def test_every_genome_writes_and_reads():
    random = np.random.default_rng(0)
    for genome in [*sampled(50), *random.integers(0, SPACE.cardinalities, (50, 54), np.int32)]:
        np.testing.assert_array_equal(SPACE.parse(SPACE.format(genome)), genome)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 'normal ops', as in normal ops OP OP .* got ''"),
        (AMOEBANET_A.replace("idx", "of"), "expected 10 ops of the normal cell, got 21: "),
        (
            AMOEBANET_A.replace("idx 0 0 |", "idx 0 |", 1),
            "expected 10 idx of the normal cell, got 9: '0 1 1 0 1 0 2 5 0'",
        ),
        (AMOEBANET_A + " 1", "expected 7 used of the reduce cell, got 8: "),
        (AMOEBANET_A + " normal", "'normal' behind it"),
        (AMOEBANET_A.replace("1x7_7x1", "1x9_9x1"), "unknown operation '1x9_9x1'; expected one of none"),
        (AMOEBANET_A.replace("idx 0 0", "idx 0 2", 1), "state 2 is made of states 0 to 1, got 2"),
        (AMOEBANET_A.replace("used 1", "used 2", 1), "used is 0 for each state that is concatenated"),
    ],
)
def test_other_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        SPACE.parse(text)


def test_a_cell_without_output_has_no_network_and_no_cost():
    dropped = AMOEBANET_A.replace("used 1 1 0 0 0 0 0", "used 1 1 1 1 1 1 1")
    assert not SPACE.is_valid(SPACE.parse(dropped))
    with pytest.raises(ValueError, match="the reduce cell has no output"):
        SPACE.network(SPACE.parse(dropped), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="the reduce cell has no output"):
        SPACE.count(SPACE.parse(dropped))


def test_samples_are_valid_and_output_what_nothing_takes():
    genomes = sampled()
    assert jax.vmap(SPACE.is_valid)(genomes).all()
    for genome in genomes[:20]:
        for cell in unfold(genome):
            taken = set(cell.sources.ravel().tolist())
            assert set(np.flatnonzero(cell.outputs).tolist()) == set(range(7)) - taken
            assert {OPERATIONS[kind] for kind in cell.operations.ravel()} <= set(SEARCHED)


def test_a_mutation_is_one_hidden_state_or_one_operation():
    genomes = sampled(2000, 1)
    changed = np.asarray(jax.jit(jax.vmap(SPACE.mutate))(keys(2000, 2), genomes))
    assert jax.vmap(SPACE.is_valid)(changed).all()
    places = changed != genomes
    is_source = np.array(["source" in name for name in SPACE.genes])
    sources, operations = places[:, is_source].sum(1), places[:, ~is_source].sum(1)
    assert set(zip(sources.tolist(), operations.tolist(), strict=True)) == {(1, 0), (0, 1), (0, 0)}
    # Half are hidden states, always others; of the other half an eighth draws the operation that was there.
    assert abs(sources.mean() - 1 / 2) < 0.05
    assert abs(operations.mean() - 7 / 16) < 0.05
    assert (places.mean(0)[is_source] > 0.01).all()


def test_the_rule_decides_of_states_that_are_newly_taken_or_no_longer():
    genome = SPACE.parse(NASNET_A)
    changed = np.asarray(jax.jit(jax.vmap(lambda key: SPACE.mutate(key, genome)))(keys(500, 3)))
    before = unfold(genome)
    for child in changed:
        for cell, parent in zip(unfold(child), before, strict=True):
            changed_states = cell.taken != parent.taken
            np.testing.assert_array_equal(cell.outputs[changed_states], ~cell.taken[changed_states])
            np.testing.assert_array_equal(cell.outputs[~changed_states], parent.outputs[~changed_states])


def permuted(random, cell):
    """The same cell, its combinations in another order that leads from earlier states to later ones, pairs swapped."""
    order, left = [], set(range(5))
    while left:
        ready = [i for i in left if all(s < 2 or s - 2 in order for s in cell.sources[i])]
        order.append(random.choice(ready))
        left.remove(order[-1])
    place = [0, 1, *(2 + order.index(i) for i in range(5))]
    sources = np.array([[place[s] for s in cell.sources[i]] for i in order])
    operations = np.array([cell.operations[i] for i in order])
    for pair in random.integers(0, 2, 5).nonzero()[0]:
        sources[pair], operations[pair] = sources[pair, ::-1].copy(), operations[pair, ::-1].copy()
    exceptions = cell.exceptions[[0, 1, *(2 + i for i in order)]]
    return cell._replace(sources=sources, operations=operations, exceptions=exceptions)


def test_the_order_of_combinations_and_of_pairs_does_not_matter():
    random, canonical = np.random.default_rng(0), jax.jit(SPACE.canonical)
    for genome in [SPACE.parse(NASNET_A), SPACE.parse(AMOEBANET_A), *sampled(20, 4)]:
        once = np.asarray(canonical(genome))
        np.testing.assert_array_equal(canonical(once), once)
        assert SPACE.count(once) == SPACE.count(genome)
        for _ in range(5):
            other = np.asarray(fold(tuple(permuted(random, cell) for cell in unfold(genome))))
            np.testing.assert_array_equal(canonical(other), once)


def test_different_cells_stay_different():
    genomes = sampled(200, 5)
    canonical = np.asarray(jax.jit(jax.vmap(SPACE.canonical))(genomes))
    assert len(np.unique(canonical, axis=0)) == 200


def test_unsearched_operations_have_another_program():
    assert SPACE.signature(SPACE.parse(AMOEBANET_A)) == SPACE.signature(SPACE.parse(NASNET_A)) == ()
    other = SPACE.parse(WITH_OTHERS)
    assert SPACE.signature(other) == ("every operation",)
    assert SPACE.is_valid(other)


@pytest.mark.slow
def test_the_program_of_every_operation_takes_published_cells():
    space = NASNet(1, 8, classes=7, input_shape=(8, 8, 3))
    signature = space.signature(space.parse(AMOEBANET_B))
    network = nnx.eval_shape(lambda: space.supernet(rngs=Draws(jax.random.key(0)), signature=signature))
    genome = jax.ShapeDtypeStruct((54,), jnp.int32)
    y = nnx.eval_shape(lambda network, genome: network(jnp.ones((2, 8, 8, 3)), genome), network, genome)
    assert y.shape == (2, 7)


def test_a_network_reads_images():
    space = NASNet(1, 8, classes=7, input_shape=(9, 10, 3))
    network = nnx.eval_shape(lambda: space.network(space.parse(AMOEBANET_A), rngs=Draws(jax.random.key(0))))
    y = nnx.eval_shape(lambda network: network(jnp.ones((2, 9, 10, 3))), network)
    assert y.shape == (2, 7)


@pytest.mark.parametrize("shape", [(20, 21, 3), (23, 26, 3)])
def test_an_imagenet_stem_has_no_padding(shape):
    stem = NASNet(1, 8, "imagenet", 5, 3, shape).network(NASNet().parse(NASNET_A), rngs=nnx.Rngs(0)).stem
    stem.eval()
    x = jax.random.normal(jax.random.key(1), (2, *shape))
    layout = ("NHWC", "HWIO", "NHWC")
    wanted = jax.lax.conv_general_dilated(x, stem.convolution.kernel[...], (2, 2), "VALID", dimension_numbers=layout)
    np.testing.assert_allclose(stem(x), stem.norm(wanted), atol=1e-5)


POOL = ("max_pool_3x3",)


def logits(space, progress=1.0, *, seed=0, train=True):
    """Of a network of pools with the weights of key 0, in training mode with paths dropped by the seed's key."""
    network = space.network(space.sample(jax.random.key(0)), rngs=nnx.Rngs(0))
    network.train() if train else network.eval()
    x = jax.random.normal(jax.random.key(1), (4, *space.input_shape))
    return network(x, rngs=nnx.Rngs(dropout=seed), progress=progress)


@pytest.mark.slow
def test_paths_are_dropped_more_and_more_in_training_alone():
    plain, dropping = (
        NASNet(1, 4, classes=3, input_shape=(8, 8, 3), drop_path=rate, searched=POOL) for rate in (0.0, 0.5)
    )
    np.testing.assert_array_equal(logits(dropping, 0.0), logits(plain))
    np.testing.assert_array_equal(logits(dropping, train=False), logits(plain, train=False))
    np.testing.assert_array_equal(logits(dropping, 1.0), logits(dropping, 1.0))
    assert (logits(dropping, 1.0) != logits(dropping, 1.0, seed=1)).any()
    little, much = (np.abs(logits(dropping, progress) - logits(plain)).mean() for progress in (0.02, 1.0))
    assert little < much


def test_gates_keep_the_mean_and_all_identities():
    space = NASNet(1, 4, classes=3, input_shape=(8, 8, 3))
    cell = space.network(space.parse(NASNET_A), rngs=nnx.Rngs(0)).cells[0]
    gates = np.asarray(cell.gates(jax.random.key(0), 10_000, 0.25))
    identity = np.array([OPERATIONS[kind] == "none" for kind in unfold(space.parse(NASNET_A))[0].operations.ravel()])
    assert identity.sum() == 2
    assert (gates[identity] == 1).all()
    assert set(np.unique(gates[~identity]).tolist()) == {0.0, float(np.float32(1 / 0.75))}
    np.testing.assert_allclose(gates[~identity].mean(1), 1, atol=0.03)


@pytest.mark.slow
def test_the_auxiliary_head_is_there_in_training_alone():
    space = NASNet(1, 4, classes=3, input_shape=(32, 32, 3), auxiliary_weight=0.4, searched=POOL)
    outputs = logits(space)
    assert (outputs.outputs.shape, outputs.auxiliary.shape, outputs.weight) == ((4, 3), (4, 3), 0.4)
    plain = NASNet(1, 4, classes=3, input_shape=(32, 32, 3), searched=POOL)
    assert logits(space, train=False).shape == logits(plain, train=False).shape
    assert space.count(space.parse(AMOEBANET_A)) == plain.count(space.parse(AMOEBANET_A))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"filters": 0}, "filters must be an integer of at least 1"),
        ({"stem": "mnist"}, "stem must be one of cifar, imagenet, got 'mnist'"),
        ({"stem": "imagenet", "filters": 2, "input_shape": (64, 64, 3)}, "filters must be an integer of at least 4"),
        ({"stem_filters": 0}, "stem_filters must be an integer of at least 1"),
        ({"drop_path": 1.5}, "drop_path must be a number from 0 to 1"),
        ({"auxiliary_weight": 0.4, "input_shape": (8, 8, 3)}, r"windows of 5 x 5.* are \(4, 4\) where it reads"),
        ({"drop_path": 1.0}, "the rate of paths dropped, below 1"),
        ({"input_shape": (2, 8, 3)}, "can't be halved 2 times behind the stem"),
        ({"searched": ("conv",)}, "searched"),
    ],
)
def test_wrong_settings_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        NASNet(**fields)
