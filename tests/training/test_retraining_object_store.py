"""Final training in a bucket: Orbax's checkpoints, through tensorstore and epath, and the network that comes back."""

import jax
import numpy as np
import pytest
from test_retraining import TRAINING, Interruption, assert_same_outcome, interrupt_after

from evonas.training import load_network, retrain

DIRECTORY = "gs://bucket/run/retrain"


@pytest.fixture
def arguments(mlp, iris):
    genome = np.asarray(mlp.sample(jax.random.key(3)))
    return mlp, genome, iris, TRAINING


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_training_in_a_bucket_resumes_amid_failures_as_if_unbroken(object_store, arguments, tmp_path):
    with object_store.failing(0.03, 2):
        with pytest.raises(Interruption):
            retrain(*arguments, DIRECTORY, on_epoch=interrupt_after(3))
        assert object_store.names("run/retrain/checkpoints/2/") or object_store.names("run/retrain/checkpoints/3/")
        broken = retrain(*arguments, DIRECTORY)
    assert {carried_out for _, carried_out in object_store.failed} == {True, False}
    assert_same_outcome(broken, retrain(*arguments, tmp_path))
    kept = {name.split("/")[3] for name in object_store.names("run/retrain/checkpoints/")}
    assert kept == {str(TRAINING.epochs)}


def test_a_network_that_is_not_in_the_bucket_is_said(object_store):
    with pytest.raises(ValueError, match="gs://bucket/nowhere holds no network: expected a directory that `evonas ret"):
        load_network("gs://bucket/nowhere")
    assert object_store.names() == []
