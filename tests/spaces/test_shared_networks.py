"""A shared network computes, for each genome, what the genome's own network computes with the same weights."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Draws, WithAuxiliary, inherit, merge, split
from evonas.nn.inheritance import written_out
from evonas.spaces import DARTS, MLP, BitString, MacroCNN, NASBench101, NASBench201, NASNet
from evonas.spaces.nasnet.genes import unfold
from evonas.training.model import Model

SPACES = {
    "nasbench201": NASBench201(channels=4, cells_per_stage=1, classes=3, input_shape=(6, 6, 3)),
    "macro": MacroCNN(filters=(4, 8), kernels=(1, 3), dense=(0, 8), classes=3, input_shape=(7, 7, 3)),
    "macro deep": MacroCNN(stages=1, layers_per_stage=4, filters=(2, 5, 3), classes=3, input_shape=(5, 6, 4)),
    "macro narrow": MacroCNN(
        filters=(3,), norms=("layer",), connections=("residual",), dense=(6, 3), classes=3, input_shape=(6, 6, 3)
    ),
    "nasnet": NASNet(
        *(3, 4),
        stem_filters=28,
        searched=("none", "max_pool_3x3", "separable_3x3_2"),
        classes=3,
        input_shape=(9, 10, 3),
        auxiliary_weight=0.4,
        drop_path=0.5,
    ),
    "nasnet imagenet": NASNet(1, 8, "imagenet", 8, 3, (20, 20, 3), searched=("none", "1x7_7x1", "dilated_3x3_rate_2")),
    "darts": DARTS(3, 4, classes=3, input_shape=(8, 8, 3)),
    "nasbench101": NASBench101(7, 2, 1, classes=3, input_shape=(6, 6, 3)),
    "nasbench101 one end": NASBench101(7, 2, 1, classes=3, input_shape=(6, 6, 3)),
    "nasbench101 three ends": NASBench101(7, 2, 1, classes=3, input_shape=(6, 6, 3)),
    "mlp": MLP(widths=(8, 4, 12), classes=3, input_shape=(5,)),
    "bits": BitString(dim=6, classes=3),
}
SIGNATURES = {"nasbench101": (2,), "nasbench101 one end": (1,), "nasbench101 three ends": (3,)}
"""Of the genomes that are looked at, where a space has several."""
MANY = {
    "nasnet": 3,
    "nasnet imagenet": 1,
    "darts": 1,
    "nasbench101": 4,
    "nasbench101 one end": 2,
    "nasbench101 three ends": 2,
    "nasbench201": 22,
    "macro": 6,
    "macro deep": 4,
    "macro narrow": 4,
    "mlp": 12,
    "bits": 20,
}
"""Genomes beside the eight of the quick test."""
OF_EQUAL_SHAPES = {"nasbench101", "nasbench101 one end", "nasbench201", "mlp", "bits"}
"""Where genomes share most shapes, so that after the first of them, running one eagerly compiles little."""
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def both_modes(module, genome_matters):
    """Loss, training logits, changed statistics and gradients, and the logits in evaluation mode."""
    graphs = []
    for mode in ("train", "eval"):
        getattr(module, mode)()
        graphs.append(split(module).graph)

    def run(parameters, statistics, x, genome, key):
        def output(graph, parameters):
            module = merge(graph, parameters, statistics)
            logits = module(x, genome if genome_matters else None, rngs=nnx.Rngs(dropout=key))
            if isinstance(logits, WithAuxiliary):
                logits = jnp.concatenate([logits.outputs, logits.weight * logits.auxiliary], -1)
            return logits, split(module).statistics

        def loss(parameters):
            logits, changed = output(graphs[0], parameters)
            return (logits * jnp.sin(jnp.arange(logits.size).reshape(logits.shape))).sum(), (logits, changed)

        (value, (logits, changed)), slopes = jax.value_and_grad(loss, has_aux=True)(parameters)
        return (value, logits, output(graphs[1], parameters)[0]), changed, slopes

    return run


def supernet(name, **style):
    """A shared network without arrays."""
    return nnx.eval_shape(lambda: SPACES[name].supernet(rngs=Draws(jax.random.key(0)), **of_signature(name), **style))


def of_signature(name):
    return {"signature": SIGNATURES[name]} if name in SIGNATURES else {}


@functools.cache
def shared(name):
    """Weights of the shared network, none of them a scale of 1 or a bias of 0, and its program.

    They are NumPy's: what is done to them here then compiles nothing.
    """
    space = SPACES[name]
    module, parameters = supernet(name), started(name)
    random = np.random.default_rng(0)
    parameters = jax.tree.map(lambda leaf: disturbed(random, np.asarray(leaf)), parameters)
    statistics = jax.tree.map(lambda leaf: 0.5 + random.random(leaf.shape, np.float32), split(module).statistics)
    arguments = (parameters, statistics, examples(space), genomes_of(name, 1, 0)[0], jax.random.key(0))
    return parameters, statistics, jax.jit(both_modes(module, True)).lower(*arguments).compile(QUICK)


def started(name):
    """Weights of a new shared network."""
    make = functools.partial(SPACES[name].supernet, **of_signature(name))
    model = Model(lambda rngs: make(rngs=rngs))
    return jax.jit(lambda key: model.init(key)[0]).lower(jax.random.key(0)).compile(QUICK)(jax.random.key(0))


def disturbed(random, leaf):
    """Scales stay far from zero, where rounding would be magnified."""
    return leaf * (0.75 + 0.5 * random.random(leaf.shape, np.float32)) + 0.1 * random.random(leaf.shape, np.float32)


def examples(space):
    return np.random.default_rng(1).normal(size=(16, *space.input_shape)).astype(np.float32)


def difference(one, other):
    """The largest, as a share of the largest value where that is above 1."""
    return float(np.abs(one - other).max(initial=0)) / max(1.0, float(np.abs(other).max(initial=0)))


def difference_of_leaves(wanted, shared_leaves, zero_elsewhere):
    """Of leaves and the leading corners of the shared ones; outside, those are zero if so asked."""
    own, differences = dict(jax.tree.leaves_with_path(wanted)), [0.0]
    for path, leaf in jax.tree.leaves_with_path(shared_leaves):
        rest = np.array(leaf)
        if path in own:
            corner = tuple(slice(0, size) for size in own[path].shape)
            differences.append(difference(rest[corner], own.pop(path)))
            rest[corner] = 0
        if zero_elsewhere:
            assert not rest.any(), f"{jax.tree_util.keystr(path)} is not zero outside the weights in use"
    assert not own
    return max(differences)


def without_dead_ends(statistics, shared_statistics, slopes):
    """Both trees' leaves by path, less those of modules all of whose parameters have a slope of zero."""
    slopes = [(path[:-1], np.any(slope)) for path, slope in jax.tree.leaves_with_path(slopes)]
    still = {module for module, _ in slopes} - {module for module, moved in slopes if moved}
    return [
        {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.leaves_with_path(tree) if path[:-1] not in still}
        for tree in (statistics, shared_statistics)
    ]


def as_numpy(tree):
    return jax.tree.map(np.asarray, tree)


def nudged(random, tree):
    """Each number less, the same, or more, by about its last bit."""
    return jax.tree.map(lambda leaf: leaf * (1 + np.float32(2**-23) * random.integers(-1, 2, leaf.shape)), tree)


def rounding(run, parameters, statistics, x, genome, key, expected):
    """How much the results change if the last bits of weights and inputs do: what float32 can promise."""
    random = np.random.default_rng(2)
    again = [as_numpy(run(*nudged(random, (parameters, statistics, x)), genome, key)) for _ in range(3)]
    return max(jax.tree.leaves(jax.tree.map(difference, again, [expected] * 3)))


def check_genome(name, genome):
    """The shared network's results are those of the own one but for rounding.

    Where batch normalisation of a few nearly equal numbers magnifies it, by how much is measured. Operations without
    a slope lead nowhere: a shared network need not run them, so their statistics are not looked at.
    """
    space, key = SPACES[name], jax.random.key(5)
    parameters, statistics, program = shared(name)
    x = examples(space)
    network = nnx.eval_shape(lambda: space.network(genome, rngs=Draws(jax.random.key(0))))
    graph = split(supernet(name)).graph
    own = split(inherit(network, merge(graph, parameters, statistics)))
    arguments = (own.parameters, own.statistics, x, genome, key)
    run = both_modes(network, False)
    if name not in OF_EQUAL_SHAPES:
        run = jax.jit(run).lower(*arguments).compile(QUICK)
    expected = as_numpy(run(*arguments))
    outputs, changed, slopes = as_numpy(program(parameters, statistics, x, genome, key))
    slopes, changed = split(written_out(merge(graph, slopes, changed)))[1:]
    found = max(
        *jax.tree.leaves(jax.tree.map(difference, outputs, expected[0])),
        difference_of_leaves(*without_dead_ends(expected[1], changed, expected[2]), zero_elsewhere=False),
        difference_of_leaves(expected[2], slopes, zero_elsewhere=True),
    )
    assert found <= 1e-5 or found <= 10 * rounding(run, *arguments, expected)


def genomes_of(name, number, seed):
    space = SPACES[name]
    drawn = np.asarray(jax.vmap(space.sample)(jax.random.split(jax.random.key(seed), 40 * number)))
    fitting = [
        genome for genome in drawn if space.signature(genome) == SIGNATURES.get(name, ()) and space.is_valid(genome)
    ]
    return [with_exceptions(space, genome, i) for i, genome in enumerate(fitting[:number])]


def with_exceptions(space, genome, number):
    """Of a NASNet's genomes the odd ones, as published cells have: states output though taken, or dropped."""
    if not isinstance(space, NASNet) or number % 2 == 0:
        return genome
    changed, exceptions = genome.copy(), np.array(["exception" in name for name in space.genes])
    if number == 1:
        # One output of each cell: as wide as what the next cell makes of it.
        for cell, start in ((cells, exceptions.nonzero()[0][7 * i]) for i, cells in enumerate(unfold(genome))):
            changed[start : start + 7] = cell.outputs != (np.arange(7) == 6)
    else:
        changed[exceptions] = np.random.default_rng(number).integers(0, 2, exceptions.sum())
    return changed if space.is_valid(changed) else genome


@pytest.mark.parametrize("name", ["nasbench201", "macro", "mlp", "bits"])
def test_shared_network_equals_the_own_network_of_eight_genomes(name):
    for genome in genomes_of(name, 8, seed=0):
        check_genome(name, genome)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_shared_network_equals_the_own_network_of_many_genomes(name):
    for genome in genomes_of(name, MANY[name], seed=1):
        check_genome(name, genome)


@pytest.mark.parametrize("name", ["nasnet", "nasbench101", "macro", "mlp", "bits"])
@pytest.mark.parametrize("initializer", ["he", "glorot"])
def test_narrowed_weights_have_the_variance_of_the_own_network(name, initializer):
    space = SPACES[name]
    genome = genomes_of(name, 1, seed=3)[0]
    parts = split(supernet(name, initializer=initializer))
    before = jax.tree.map(lambda leaf: jnp.ones(leaf.shape), parts.parameters)
    shared_network = merge(parts.graph, before, parts.statistics)
    shared_network.narrow(genome)
    own = split(nnx.eval_shape(lambda: space.network(genome, rngs=Draws(jax.random.key(0))))).parameters
    own = {path: leaf for path, leaf in jax.tree.leaves_with_path(own) if len(leaf.shape) > 1}
    after = dict(jax.tree.leaves_with_path(split(shared_network).parameters))
    assert own
    for path, old in jax.tree.leaves_with_path(before):
        if path in own:
            ratio = fan(old.shape, initializer) / fan(own[path].shape, initializer)
            np.testing.assert_allclose(after[path], old * np.sqrt(ratio), rtol=1e-5)


def fan(shape, initializer):
    """Depthwise kernels have one input a channel in both networks."""
    area = np.prod(shape[:-2])
    return area * shape[-2] if initializer == "he" else area * (shape[-2] + shape[-1]) / 2


@pytest.mark.parametrize("name", ["nasnet", "darts", "nasbench201", "macro", "mlp", "bits"])
def test_shared_network_asks_for_a_genome(name):
    space = SPACES[name]
    parts = split(supernet(name))
    with pytest.raises(ValueError, match="genome"):
        jax.eval_shape(lambda p, s, x: merge(parts.graph, p, s)(x), parts.parameters, parts.statistics, examples(space))
