"""Metrics are those of the whole split: by hand, by NumPy, by scikit-learn."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import f1_score

from evonas.training.metrics import Sums, add_batch, example_losses, summarize


def classified(logits, labels, batch, weights=None):
    """Metrics of batches of a split whose last batch may be short."""
    weights = np.ones(len(labels), np.float32) if weights is None else weights
    sums = Sums.zero(logits.shape[1])
    for rows in np.split(np.arange(len(labels)), range(batch, len(labels), batch)):
        arrays = (jnp.asarray(array[rows]) for array in (logits, labels, weights))
        sums = add_batch(sums, *arrays, "classification")
    return {name: float(value) for name, value in summarize(sums, weights.sum(), "classification").items()}


def cross_entropy(logits, labels):
    logits = logits.astype(np.float64)
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]


def test_accuracy_loss_and_macro_f1_of_a_split_equal_numpy_and_scikit_learn():
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(53, 4)).astype(np.float32), random.integers(0, 4, 53)
    found = classified(logits, labels, batch=8)
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())
    assert found["macro_f1"] == pytest.approx(f1_score(labels, logits.argmax(1), average="macro"))
    assert found["loss"] == pytest.approx(cross_entropy(logits, labels).mean(), rel=1e-5)


@pytest.mark.parametrize("present", [(0, 2), (1,)])
def test_macro_f1_leaves_out_classes_that_neither_occur_nor_are_predicted(present):
    random = np.random.default_rng(1)
    labels, predicted = random.choice(present, 20), random.choice(present, 20)
    logits = np.eye(5, dtype=np.float32)[predicted]
    expected = f1_score(labels, predicted, average="macro")
    assert classified(logits, labels, batch=20)["macro_f1"] == pytest.approx(expected)


def test_padded_rows_add_nothing_even_if_they_are_not_numbers():
    random = np.random.default_rng(2)
    logits, labels = random.normal(size=(13, 3)).astype(np.float32), random.integers(0, 3, 13)
    padded = np.concatenate([logits, np.full((3, 3), np.nan, np.float32)]), np.concatenate([labels, [0, 1, 2]])
    weights = np.array([1] * 13 + [0] * 3, np.float32)
    assert classified(*padded, 16, weights) == pytest.approx(classified(logits, labels, 13))


def test_errors_of_regression_by_hand():
    outputs, targets = jnp.array([[1.0, 2.0], [0.0, 0.0], [9.0, jnp.nan]]), jnp.array([[0.0, 4.0], [3.0, 0.0], [0, 0]])
    sums = add_batch(Sums.zero(0), outputs, targets, jnp.array([1.0, 1.0, 0.0]), "regression")
    # squared: (1 + 4)/2 = 2.5 and (9 + 0)/2 = 4.5; absolute: (1 + 2)/2 = 1.5 and (3 + 0)/2 = 1.5
    assert summarize(sums, jnp.float32(2), "regression") == {"loss": 3.5, "mean_absolute_error": 1.5}


def test_smoothed_labels_give_the_hand_computed_cross_entropy():
    logits, label = np.array([2.0, 0.0, -1.0, 0.5]), 1
    logs = logits - np.log(np.exp(logits).sum())
    smoothed = np.array([0.05, 0.85, 0.05, 0.05])  # 0.2 shared by four classes
    (loss,) = example_losses(jnp.asarray(logits, jnp.float32)[None], jnp.array([label]), "classification", 0.2)
    assert loss == pytest.approx(-(smoothed * logs).sum(), rel=1e-6)
    (plain,) = example_losses(jnp.asarray(logits, jnp.float32)[None], jnp.array([label]), "classification")
    assert plain == pytest.approx(-logs[label], rel=1e-6)
