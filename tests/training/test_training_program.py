"""One training as pure functions: order of examples, exact evaluation, and the shared network's equality."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from sklearn.metrics import f1_score
from training_cases import random_genomes

from evonas.data.dataset import Scales
from evonas.nn import WithAuxiliary, inherit, split
from evonas.spaces import MLP
from evonas.training import Training
from evonas.training.model import Model
from evonas.training.optimizer import hyperparameters_of
from evonas.training.program import DeviceData, Examples, Program, device_data, has_ended


class Recorder(nnx.Module):
    """Takes examples for row numbers; keeps each batch's rows, and the share of training done, in its statistics."""

    def __init__(self, steps, batch):
        self.weight = nnx.Param(jnp.zeros(1))
        self.rows = nnx.Variable(jnp.full((steps, batch), -1))
        self.done = nnx.Variable(jnp.full(steps, -1.0))
        self.step = nnx.Variable(jnp.int32(0))

    def __call__(self, x, progress=1.0):
        self.rows.set_value(self.rows[...].at[self.step[...]].set(x[:, 0].astype(jnp.int32)))
        self.done.set_value(self.done[...].at[self.step[...]].set(progress))
        self.step.set_value(self.step[...] + 1)
        return x * self.weight[...]


class Twofold(nnx.Module):
    """A linear classifier, and in training a second one of half the weight."""

    def __init__(self, inputs, outputs):
        self.first, self.second = (nnx.Param(jnp.zeros((inputs, outputs))) for _ in range(2))
        self.deterministic = False

    def __call__(self, x):
        outputs = x @ self.first[...]
        return outputs if self.deterministic else WithAuxiliary(outputs, x @ self.second[...], 0.5)


def recorded(examples, batch, epochs, seed):
    """The statistics of a `Recorder` after training, by the number of their axes."""
    steps = examples // batch
    training = Training(epochs=epochs, batch_size=batch)
    program = Program(Model(lambda _: Recorder(epochs * steps, batch)), training, "regression", 1)
    every = Examples(jnp.arange(examples, dtype=jnp.float32)[:, None], jnp.zeros((examples, 1)), jnp.int32(examples))
    data = DeviceData(every, every, Scales(*(jnp.zeros(1), jnp.ones(1)) * 2))
    key, given = jax.random.key(seed), hyperparameters_of(training)
    progress = program.start(key)
    epoch = jax.jit(program.epoch)
    for _ in range(epochs):
        progress = epoch(progress, key, given, data)
    return {leaf.ndim: np.asarray(leaf) for leaf in jax.tree.leaves(progress.statistics)}


def rows_of_epochs(examples, batch, epochs, seed):
    """Rows ``[epochs, steps, batch]`` in the order of training."""
    return recorded(examples, batch, epochs, seed)[2].reshape(epochs, -1, batch)


def test_each_epoch_is_a_permutation_of_its_own():
    rows = rows_of_epochs(12, 4, epochs=3, seed=0).reshape(3, 12)
    assert [sorted(epoch) for epoch in rows.tolist()] == [list(range(12))] * 3
    assert len({tuple(epoch) for epoch in rows.tolist()}) == 3


def test_no_example_comes_twice_in_an_epoch_whose_last_batch_is_left_out():
    rows = rows_of_epochs(11, 4, epochs=4, seed=0).reshape(4, 8)
    assert all(len(set(epoch)) == 8 for epoch in rows.tolist())
    assert set(rows.ravel().tolist()) == set(range(11)), "the same examples are left out each time"


def test_the_key_decides_the_order():
    first = rows_of_epochs(12, 4, 2, seed=0)
    assert (rows_of_epochs(12, 4, 2, seed=0) == first).all()
    assert (rows_of_epochs(12, 4, 2, seed=1) != first).any()


def test_a_module_that_asks_for_it_is_told_how_much_of_the_training_is_done():
    np.testing.assert_allclose(recorded(12, 4, epochs=2, seed=0)[1], np.arange(6) / 6, rtol=1e-6)


def test_a_second_classifier_is_trained_along_and_not_measured(iris):
    training = Training(epochs=1, batch_size=96, learning_rate=0.1)
    program = Program(Model(lambda _: Twofold(4, 3)), training, iris.task, iris.classes)
    data = jax.tree.map(jnp.asarray, device_data(iris, iris.validation))
    progress = jax.jit(program.epoch)(program.start(key := jax.random.key(0)), key, hyperparameters_of(training), data)
    assert progress.loss == pytest.approx(1.5 * np.log(3))
    first, second = jax.tree.leaves(progress.parameters)
    assert np.abs(second).max() > 0
    np.testing.assert_allclose(second, first / 2, atol=1e-6)
    mean, deviation = iris.statistics()
    logits = np.asarray((iris.validation.inputs - mean) / deviation @ first, np.float64)
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), iris.validation.targets]
    assert jax.jit(program.measure)(progress, data)["loss"] == pytest.approx(losses.mean(), rel=1e-5)


def own_program(space, genome, dataset, training):
    style = {"dtype": jnp.dtype(training.precision), "initializer": training.initializer}
    return Program(
        Model(lambda rngs: space.network(genome, rngs=rngs, **style)), training, dataset.task, dataset.classes
    )


def shared_program(space, dataset, training):
    style = {"dtype": jnp.dtype(training.precision), "initializer": training.initializer}
    return Program(Model(lambda rngs: space.supernet(rngs=rngs, **style)), training, dataset.task, dataset.classes)


@pytest.mark.parametrize("padding", [0, 50])
def test_metrics_of_a_split_equal_numpy_on_the_whole_of_it(padding, mlp, iris):
    """150 examples are measured in batches of 128, and so a last one of 22."""
    whole = dataclasses.replace(
        iris.train,
        inputs=np.concatenate([part.inputs for part in iris.splits().values()]),
        targets=np.concatenate([part.targets for part in iris.splits().values()]),
    )
    training = Training(epochs=1, batch_size=32, label_smoothing=0.1)
    program = own_program(mlp, random_genomes(mlp, 1)[0], iris, training)
    data = jax.tree.map(jnp.asarray, device_data(iris, whole, 150 + padding))
    key, given = jax.random.key(0), hyperparameters_of(training)
    progress = jax.jit(program.epoch)(program.start(key), key, given, data)
    found = jax.jit(program.measure)(progress, data)

    mean, deviation = iris.statistics()
    logits = program.model.evaluate(progress.parameters, progress.statistics, (whole.inputs - mean) / deviation)
    logits, labels = np.asarray(logits, np.float64), whole.targets
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(150), labels]
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())
    assert found["macro_f1"] == pytest.approx(f1_score(labels, logits.argmax(1), average="macro"))
    assert found["loss"] == pytest.approx(losses.mean(), rel=1e-5)  # without the smoothing


def check_equality_with_the_own_program(space, dataset, training, genomes):
    """From the same weights, one epoch of both programs gives the same loss, weights and metrics up to rounding."""
    data = jax.tree.map(jnp.asarray, device_data(dataset, dataset.validation))
    key, given = jax.random.key(0), hyperparameters_of(training)
    together = shared_program(space, dataset, training)
    epoch, measure = jax.jit(together.epoch), jax.jit(together.measure)
    for genome in genomes:
        start = jax.jit(together.start)(key, genome)
        mine = epoch(start, key, given, data, genome)

        alone = own_program(space, genome, dataset, training)
        network = nnx.eval_shape(lambda genome=genome: space.network(genome, rngs=nnx.Rngs(params=0)))
        inherited = split(inherit(network, together.model.module(start.parameters, start.statistics)))
        began = jax.jit(alone.start)(key)._replace(parameters=inherited.parameters, statistics=inherited.statistics)
        theirs = jax.jit(alone.epoch)(began, key, given, data)
        assert float(mine.loss) == pytest.approx(float(theirs.loss), rel=1e-4)
        cut = split(inherit(network, together.model.module(mine.parameters, mine.statistics)))
        for one, other in zip(
            jax.tree.leaves(cut), jax.tree.leaves((theirs.parameters, theirs.statistics)), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=2e-4)
        measured = jax.jit(alone.measure)(theirs, data)
        for name, value in measure(mine, data, genome).items():
            assert float(value) == pytest.approx(float(measured[name]), rel=1e-3)


def test_a_shared_and_an_own_program_train_a_perceptron_alike(mlp, iris):
    training = Training(epochs=1, batch_size=32, learning_rate=0.05)
    check_equality_with_the_own_program(mlp, iris, training, random_genomes(mlp, 2, seed=4))


@pytest.mark.slow
def test_a_shared_and_an_own_program_train_a_cell_alike(cells, digits):
    training = Training(epochs=1, batch_size=80, learning_rate=0.05, flip=True, crop=1)
    check_equality_with_the_own_program(cells, digits, training, random_genomes(cells, 1, seed=4))


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [("he", lambda i, _: 2 / i), ("glorot", lambda i, o: 2 / (i + o)), ("lecun", lambda i, _: 1 / i)],
    ids=["he", "glorot", "lecun"],
)
def test_candidates_of_any_width_begin_with_the_variance_of_their_initialiser(initializer, variance, iris):
    """In a shared program too, whose weights are those of the greatest widths."""
    space = MLP(max_depth=2, widths=(64, 256), dropout=(0.0,), input_shape=(100,), classes=10)
    training = Training(initializer=initializer)
    program = shared_program(space, iris, training)
    start = jax.jit(program.start)
    for genome in ([1, 0, 0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]):
        genome = np.array(genome, np.int32)
        progress = start(jax.random.key(0), genome)
        network = nnx.eval_shape(lambda genome=genome: space.network(genome, rngs=nnx.Rngs(params=0)))
        inherited = inherit(network, program.model.module(progress.parameters, progress.statistics))
        kernels = [leaf for leaf in jax.tree.leaves(split(inherited).parameters) if leaf.ndim == 2]
        assert len(kernels) == genome[0] + 2
        for kernel in kernels:
            assert kernel.var() == pytest.approx(variance(*kernel.shape), rel=0.2)


def test_parameters_and_statistics_stay_float32_where_the_computation_is_bfloat16(cells, digits):
    training = Training(epochs=1, batch_size=32, precision="bfloat16")
    program = shared_program(cells, digits, training)
    data = jax.tree.map(jnp.asarray, device_data(digits, digits.validation))
    given, key = hyperparameters_of(training), jax.random.key(0)

    def trained(genome):
        return program.epoch(program.start(key, genome), key, given, data, genome)

    genome = jax.ShapeDtypeStruct((6,), jnp.int32)
    progress = jax.eval_shape(trained, genome)
    leaves = jax.tree.leaves((progress.parameters, progress.statistics))
    assert {leaf.dtype.name for leaf in leaves} == {"float32"}
    assert "bf16" in str(jax.make_jaxpr(trained)(jnp.zeros(6, jnp.int32)))


def test_training_stops_once_its_loss_is_not_finite(mlp, iris):
    training = Training(epochs=50, batch_size=16, learning_rate=1e6)
    program = own_program(mlp, random_genomes(mlp, 1)[0], iris, training)
    data = jax.tree.map(jnp.asarray, device_data(iris, iris.validation))
    given, key = hyperparameters_of(training), jax.random.key(0)
    progress = jax.jit(program.advance)(program.start(key), key, given, data, blocks=10_000)
    assert has_ended(progress, given)
    assert not np.isfinite(progress.loss)
    assert progress.epoch < 50


def sliced(program, training, data, blocks):
    """Progress after as many slices as there are numbers."""
    given, key = hyperparameters_of(training), jax.random.key(0)
    advance, progress = jax.jit(program.advance), program.start(key)
    for number in blocks:
        progress = advance(progress, key, given, data, blocks=number)
    return progress


@pytest.mark.parametrize("steps", [7, 24, 48])
def test_the_slices_that_a_training_is_done_in_change_nothing(steps, mlp, iris, monkeypatch):
    monkeypatch.setattr("evonas.training.program.BLOCK", 10)
    training = Training(epochs=3, batch_size=len(iris.train) // steps, learning_rate=0.05)
    program = own_program(mlp, random_genomes(mlp, 1)[0], iris, training)
    data = jax.tree.map(jnp.asarray, device_data(iris, iris.validation))
    blocks = program.blocks_per_epoch(data)
    assert blocks == {7: 1, 24: 3, 48: 6}[program.steps_per_epoch(data)]
    whole = sliced(program, training, data, [3 * blocks])
    assert whole.epoch == 3
    assert whole.block == 0
    for slices in ([1] * (3 * blocks), [2] * (3 * blocks), [blocks + 1, 100, 100]):
        parts = sliced(program, training, data, slices)
        for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
            np.testing.assert_array_equal(one, other)
    amid = sliced(program, training, data, [blocks, 1])
    assert (int(amid.epoch), int(amid.block)) == ((1, 1) if blocks > 1 else (2, 0))


def test_a_network_that_is_no_module_is_refused():
    with pytest.raises(ValueError, match="network must return a flax"):
        Model(lambda _: None)
