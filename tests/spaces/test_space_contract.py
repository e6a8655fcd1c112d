"""What holds for every space."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from evonas.nn import Draws, count_module, split
from evonas.spaces import DARTS, MLP, BitString, MacroCNN, NASBench101, NASBench201, NASNet

SPACES = {
    "nasbench201": NASBench201(channels=4, cells_per_stage=1, input_shape=(8, 8, 3)),
    "macro": MacroCNN(),
    "macro within a budget": MacroCNN(stages=2, layers_per_stage=3, input_shape=(15, 12, 1), max_parameters=4000),
    "macro without choices": MacroCNN(
        stages=1, layers_per_stage=1, filters=(4,), kernels=(3,), activations=("tanh",), norms=("none",),
        connections=("plain",), dense=(16,), input_shape=(5, 5, 2),
    ),
    "mlp": MLP(),
    "mlp within a budget": MLP(max_depth=2, dropout=(0.5,), classes=1, input_shape=(7,), max_parameters=2000),
    "bits": BitString(dim=12),
    "nasnet": NASNet(1, 4, classes=3, input_shape=(8, 9, 3)),
    "darts": DARTS(3, 4, classes=3, input_shape=(9, 8, 3)),
    "nasbench101": NASBench101(7, 2, 1, classes=3, input_shape=(6, 6, 3)),
}  # fmt: skip
GRAPHS = NASNet, DARTS, NASBench101
"""Their canonical form numbers states anew; what they are, and their mutations, their own tests tell."""
each_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


@functools.cache
def operators(space):
    lifted = (space.sample, space.mutate, space.crossover, space.canonical, space.is_valid, space.structure)
    return [jax.jit(jax.vmap(lambda *a, f=f: jnp.asarray(f(*a)))) for f in lifted]


@functools.cache
def sampled(space, number=200, seed=0):
    return np.asarray(operators(space)[0](keys(number, seed)))


def keys(number, seed):
    return jax.random.split(jax.random.key(seed), number)


def uniform(space, number=200, seed=1):
    """Genomes of which every one is as likely, those included that `sample` makes rare."""
    return np.random.default_rng(seed).integers(0, space.cardinalities, (number, len(space.cardinalities)), np.int32)


@each_space
def test_text_reads_back_to_the_same_genome(space):
    for genome in [*uniform(space), *sampled(space)[:50], *np.asarray(operators(space)[3](uniform(space)[:50]))]:
        text = space.format(genome)
        read = space.parse(text)
        assert read.dtype == np.int32
        np.testing.assert_array_equal(read, genome, err_msg=text)


@each_space
def test_operators_stay_in_range(space):
    sample, mutate, crossover = operators(space)[:3]
    first, second = sample(keys(200, 2)), sample(keys(200, 3))
    for genomes in (first, mutate(keys(200, 4), first), crossover(keys(200, 5), first, second)):
        assert genomes.dtype == jnp.int32
        assert (genomes >= 0).all()
        assert (np.asarray(genomes) < space.cardinalities).all()


@each_space
def test_sampled_genomes_are_valid_often_enough_to_draw_again(space):
    assert operators(space)[4](sampled(space)).mean() > 0.2


@each_space
def test_mutation_changes_exactly_one_gene(space):
    if isinstance(space, NASNet | NASBench101):
        return  # their papers' mutations may change none, or several
    genomes = sampled(space)
    changed = operators(space)[1](keys(200, 6), genomes)
    assert ((np.asarray(changed) != genomes).sum(1) == 1).all()


@each_space
def test_canonical_is_idempotent_and_keeps_what_the_architecture_is(space):
    canonical, valid, structure = operators(space)[3:]
    genomes = uniform(space)
    once = np.asarray(canonical(genomes))
    np.testing.assert_array_equal(canonical(once), once)
    np.testing.assert_array_equal(valid(once), valid(genomes))
    np.testing.assert_array_equal(structure(once), structure(genomes))
    if isinstance(space, NASBench201):
        return  # its cells of one class differ in operations that lead nowhere, which the benchmark counts
    for genome, same in zip(genomes, once, strict=True):
        if not space.is_valid(genome) or isinstance(space, NASBench101):
            continue  # where a remainder of channels goes is decided by the order of vertices
        assert space.count(genome) == space.count(same)
        assert isinstance(space, GRAPHS) or space.layers(genome) == space.layers(same)


@each_space
def test_validity_is_the_budget_of_the_count(space):
    budget = getattr(space, "max_parameters", None)
    if budget is None:
        return
    genomes = uniform(space)
    valid = np.asarray(operators(space)[4](genomes))
    within = [space.count(genome).parameters <= budget for genome in genomes]
    assert 0 < sum(within) < len(within)
    if isinstance(space, MacroCNN):
        within = [fits and "convolution" in str(space.layers(g)) for fits, g in zip(within, genomes, strict=True)]
    np.testing.assert_array_equal(valid, within)


@each_space
def test_count_is_that_of_the_built_module(space):
    genomes = [*uniform(space, 12), *sampled(space)[:4]]
    if isinstance(space, GRAPHS):
        genomes = [genome for genome in genomes if space.is_valid(genome)][:6]
    for genome in genomes:
        module = nnx.eval_shape(lambda genome=genome: space.network(genome, rngs=Draws(jax.random.key(0))))
        parameters = split(module).parameters
        count = space.count(genome)
        assert count.parameters == sum(leaf.size for leaf in jax.tree.leaves(parameters))
        traced = count_module(lambda rngs, genome=genome: space.network(genome, rngs=rngs), space.input_shape)
        assert traced.parameters == count.parameters
        biases = 0 if isinstance(space, GRAPHS) else biases_of_linear_layers(parameters)
        assert traced.multiply_adds == count.multiply_adds - biases


def biases_of_linear_layers(parameters):
    """A linear layer's kernel has two axes and its bias lies beside it."""
    leaves = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.leaves_with_path(parameters)}
    kernels = [path for path, leaf in leaves.items() if len(leaf.shape) == 2 and path.endswith("['kernel']")]
    return sum(leaves[path.replace("['kernel']", "['bias']")].size for path in kernels)


@each_space
def test_one_program_trains_all(space):
    if isinstance(space, NASBench101):
        return  # cells of as many ends share one
    assert space.signature(sampled(space)[0]) == space.signature(sampled(space)[1])


@each_space
def test_network_is_float32_outside_and_of_its_dtype_inside(space):
    genome = sampled(space)[0]
    signature = {"signature": space.signature(genome)} if space.signature(genome) else {}
    parts = split(
        nnx.eval_shape(lambda: space.supernet(rngs=Draws(jax.random.key(0)), dtype=jnp.bfloat16, **signature))
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(parts.parameters)} == {jnp.dtype("float32")}
    x = jax.ShapeDtypeStruct((2, *space.input_shape), jnp.float32)
    run = lambda p, s, x, g: nnx.merge(parts.graph, p, s)(x, g, rngs=nnx.Rngs(dropout=0))  # noqa: E731
    y = jax.eval_shape(run, parts.parameters, parts.statistics, x, genome)
    assert y.dtype == jnp.float32
    assert y.shape == (2, space.classes)
    assert "bf16" in str(jax.make_jaxpr(run)(parts.parameters, parts.statistics, x, genome))


@each_space
@pytest.mark.parametrize("wrong", ["length", "range", "negative", "float"])
def test_genomes_that_do_not_fit_are_refused(space, wrong):
    genome = np.zeros(len(space.cardinalities), np.int32)
    if wrong == "length":
        genome = genome[1:]
    elif wrong == "float":
        genome = genome.astype(float)
    else:
        genome[-1] = space.cardinalities[-1] if wrong == "range" else -1
    with pytest.raises(ValueError, match=r"gene|genome|integers"):
        space.check(genome)


@each_space
def test_texts_that_do_not_fit_are_refused(space):
    text = space.format(sampled(space)[0])
    for wrong in ("", text + " x", text[: len(text) // 2], "2" * len(text)):
        with pytest.raises(ValueError, match=r"expected|no choice"):
            space.parse(wrong)
