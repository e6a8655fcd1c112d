"""The schedule's exact values, and updates equal to Optax's with constants."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from evonas.training import Training
from evonas.training.optimizer import Hyperparameters, hyperparameters_of, learning_rate_at, make_optimizer


def test_the_learning_rate_rises_in_the_warm_up_and_falls_by_a_cosine_to_zero():
    rates = [float(learning_rate_at(jnp.int32(step), 0.8, 12, 4)) for step in range(13)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8])
    assert rates[8] == pytest.approx(0.4)  # half way
    assert rates[6] == pytest.approx(0.4 * (1 + np.sqrt(0.5)))
    assert rates[12] == pytest.approx(0, abs=1e-7)


def test_without_a_warm_up_the_first_step_has_the_whole_learning_rate():
    assert learning_rate_at(jnp.int32(0), 0.1, 10, 0.0) == pytest.approx(0.1)
    assert learning_rate_at(jnp.int32(5), 0.1, 10, 0.0) == pytest.approx(0.05)


@pytest.mark.parametrize(("warmup", "steps"), [(1.5, 6), (0.5, 3), (2.3, 23), (7.9, 8)])
def test_the_learning_rate_never_exceeds_its_peak_whatever_the_warm_up(warmup, steps):
    rates = [float(learning_rate_at(jnp.int32(step), 0.3, steps, warmup)) for step in range(steps)]
    assert max(rates) <= 0.3 + 1e-7


def test_a_warm_up_longer_than_the_training_still_gives_numbers():
    rates = [float(learning_rate_at(jnp.int32(step), 1.0, 3, 9)) for step in range(4)]
    assert rates == pytest.approx([1 / 9, 2 / 9, 3 / 9, 4 / 9])


def reference(training, rates):
    """Optax with constants in place of arguments."""
    schedule = lambda step: jnp.asarray(rates)[step]  # noqa: E731
    if training.optimizer == "adamw":
        return optax.adamw(schedule, weight_decay=training.weight_decay)
    momentum = optax.trace(training.momentum, nesterov=True)
    return optax.chain(
        optax.add_decayed_weights(training.weight_decay), momentum, optax.scale_by_learning_rate(schedule)
    )


def path_of(optimizer, steps):
    """Positions on the way down a quadratic."""
    x = jnp.array([3.0, -1.0, 0.5])
    state, path = optimizer.init(x), []
    for _ in range(steps):
        slope = jnp.array([1.0, 10.0, 0.1]) * x
        updates, state = optimizer.update(slope, state, x)
        x = optax.apply_updates(x, updates)
        path.append(x)
    return jnp.stack(path)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_traced_hyperparameters_give_the_path_of_optax_with_constants(optimizer, weight_decay):
    training = Training(
        epochs=3, optimizer=optimizer, learning_rate=0.03, weight_decay=weight_decay, warmup_epochs=1, momentum=0.8
    )

    @jax.jit
    def path(hyperparameters):
        return path_of(make_optimizer(training, hyperparameters, steps_per_epoch=4), 12)

    rates = np.float32(0.03) * np.float32(
        [0.25, 0.5, 0.75, 1, *(0.5 * (1 + np.cos(np.pi * step / 8)) for step in range(8))]
    )
    np.testing.assert_allclose(path(hyperparameters_of(training)), path_of(reference(training, rates), 12), rtol=1e-5)


def test_the_first_step_of_sgd_by_hand():
    training = Training(epochs=1, learning_rate=0.1, weight_decay=0.01, momentum=0.9)
    optimizer = make_optimizer(training, hyperparameters_of(training), steps_per_epoch=10)
    x, slope = jnp.array([2.0]), jnp.array([1.0])
    updates, _ = optimizer.update(slope, optimizer.init(x), x)
    # gradient with L2 is 1 + 0.01 * 2; Nesterov looks ahead: (1 + momentum) of it in the first step
    assert updates[0] == pytest.approx(-0.1 * 1.9 * 1.02)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_gradient_of_all_weights_together_is_cut_to_its_greatest_norm(optimizer):
    training = Training(optimizer=optimizer, weight_decay=0.0)
    limited = make_optimizer(training, hyperparameters_of(training), 10, max_gradient_norm=1.0)
    free = make_optimizer(training, hyperparameters_of(training), 10)
    x = {"a": jnp.array([1.0]), "b": jnp.array([2.0])}
    large, cut = {"a": jnp.array([30.0]), "b": jnp.array([40.0])}, {"a": jnp.array([0.6]), "b": jnp.array([0.8])}
    for one, other in zip(
        jax.tree.leaves(limited.update(large, limited.init(x), x)[0]),
        jax.tree.leaves(free.update(cut, free.init(x), x)[0]),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    small = jax.tree.map(lambda value: value / 100, large)
    np.testing.assert_array_equal(
        limited.update(small, limited.init(x), x)[0]["a"], free.update(small, free.init(x), x)[0]["a"]
    )


def test_decay_of_adamw_is_decoupled_from_the_gradient():
    training = Training(epochs=1, optimizer="adamw")
    given = Hyperparameters(jnp.float32(0.1), jnp.float32(0.5), jnp.int32(1))
    optimizer = make_optimizer(training, given, steps_per_epoch=10)
    x, slope = jnp.array([2.0]), jnp.array([0.0])
    updates, _ = optimizer.update(slope, optimizer.init(x), x)
    assert updates[0] == pytest.approx(-0.1 * 0.5 * 2)
