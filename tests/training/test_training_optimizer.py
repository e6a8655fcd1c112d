"""The schedule's exact values, and updates equal to Optax's with constants."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from evonas.training import Training
from evonas.training.optimizer import hyperparameters_of, learning_rate_at, learning_rates, make_optimizer


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
    """Optax with constants in place of arguments, and a schedule."""
    schedule = lambda step: jnp.asarray(rates)[step]  # noqa: E731
    if training.optimizer == "adamw":
        return optax.adamw(schedule, weight_decay=training.weight_decay)
    momentum = optax.trace(training.momentum, nesterov=True)
    return optax.chain(
        optax.add_decayed_weights(training.weight_decay), momentum, optax.scale_by_learning_rate(schedule)
    )


def path_of(optimizer_of_step, steps):
    """Positions on the way down a quadratic."""
    x = jnp.array([3.0, -1.0, 0.5])
    state, path = optimizer_of_step(0).init(x), []
    for step in range(steps):
        slope = jnp.array([1.0, 10.0, 0.1]) * x
        updates, state = optimizer_of_step(step).update(slope, state, x)
        x = optax.apply_updates(x, updates)
        path.append(x)
    return jnp.stack(path)


def test_the_learning_rates_of_the_epochs_follow_each_other():
    training = Training(epochs=3, learning_rate=0.8, warmup_epochs=1)
    rates = [learning_rates(jnp.int32(epoch), training, hyperparameters_of(training), 4) for epoch in range(3)]
    expected = [learning_rate_at(jnp.int32(step), 0.8, 12, 4) for step in range(12)]
    np.testing.assert_allclose(np.concatenate(rates), expected, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_traced_hyperparameters_give_the_path_of_optax_with_constants(optimizer, weight_decay):
    training = Training(
        epochs=3, optimizer=optimizer, learning_rate=0.03, weight_decay=weight_decay, warmup_epochs=1, momentum=0.8
    )

    @jax.jit
    def path(given):
        rates = jnp.concatenate([learning_rates(jnp.int32(epoch), training, given, 4) for epoch in range(3)])
        return path_of(lambda step: make_optimizer(training, given.weight_decay, rates[step]), 12)

    rates = np.float32(0.03) * np.float32(
        [0.25, 0.5, 0.75, 1, *(0.5 * (1 + np.cos(np.pi * step / 8)) for step in range(8))]
    )
    known = reference(training, rates)
    np.testing.assert_allclose(path(hyperparameters_of(training)), path_of(lambda _: known, 12), rtol=1e-5)


def test_the_first_step_of_sgd_by_hand():
    optimizer = make_optimizer(Training(momentum=0.9), 0.01, 0.1)
    x, slope = jnp.array([2.0]), jnp.array([1.0])
    updates, _ = optimizer.update(slope, optimizer.init(x), x)
    # gradient with L2 is 1 + 0.01 * 2; Nesterov looks ahead: (1 + momentum) of it in the first step
    assert updates[0] == pytest.approx(-0.1 * 1.9 * 1.02)


@pytest.mark.parametrize(("nesterov", "factor"), [(True, 1.9), (False, 1.0)])
def test_classical_momentum_does_not_look_ahead(nesterov, factor):
    weights = jnp.array([2.0])
    optimizer = make_optimizer(Training(momentum=0.9, nesterov=nesterov), 0.0, 0.1)
    first, state = optimizer.update(jnp.array([1.0]), optimizer.init(weights), weights)
    np.testing.assert_allclose(first, -0.1 * factor, rtol=1e-6)
    second, _ = optimizer.update(jnp.array([1.0]), state, weights)
    np.testing.assert_allclose(second, -0.1 * (1 + 0.9 * (1.9 if nesterov else 1.0)), rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_gradient_of_all_weights_together_is_cut_to_its_greatest_norm(optimizer):
    training = Training(optimizer=optimizer)
    limited = make_optimizer(training, 0.0, 0.1, max_gradient_norm=1.0)
    free = make_optimizer(training, 0.0, 0.1)
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
    optimizer = make_optimizer(Training(optimizer="adamw"), 0.5, 0.1)
    x, slope = jnp.array([2.0]), jnp.array([0.0])
    updates, _ = optimizer.update(slope, optimizer.init(x), x)
    assert updates[0] == pytest.approx(-0.1 * 0.5 * 2)
