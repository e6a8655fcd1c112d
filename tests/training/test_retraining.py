"""Final training resumes as if it had not been broken, and its network comes back from disk."""

import contextlib
import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest
from flax import nnx
from sklearn.datasets import load_diabetes
from training_cases import OwnSpace, random_genomes

import evonas
from evonas.nn import split
from evonas.spaces import MLP
from evonas.training import Training, load_network, retrain, retraining

# Where a restore fails, threads of Orbax that still read complain of the event loop that the error closed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TRAINING = Training(epochs=5, batch_size=16, learning_rate=0.05)


class Interruption(Exception):  # noqa: N818
    """What a preemption looks like from inside."""


def interrupt_after(epoch):
    def on_epoch(entry):
        if entry["epoch"] == epoch:
            raise Interruption

    return on_epoch


def without_seconds(curve):
    return [{name: value for name, value in entry.items() if name != "seconds"} for entry in curve]


def parameters_of(network):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(split(network).parameters)]


def assert_same_outcome(one, other):
    assert one.metrics == other.metrics
    assert without_seconds(one.curve) == without_seconds(other.curve)
    networks = load_network(one.network), load_network(other.network)
    for mine, theirs in zip(*map(parameters_of, networks), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture(scope="module")
def genome(mlp):
    return mlp.parse(
        "depth=2 dropout=0.1 layer1.width=8 layer1.activation=tanh layer1.skip=none "
        "layer2.width=4 layer2.activation=relu layer2.skip=residual"
    )


@pytest.fixture(scope="module")
def unbroken(mlp, genome, iris, tmp_path_factory):
    return retrain(mlp, genome, iris, TRAINING, tmp_path_factory.mktemp("unbroken"))


def test_the_curve_has_an_entry_for_each_epoch_and_the_files_hold_the_result(unbroken):
    assert [entry["epoch"] for entry in unbroken.curve] == [1, 2, 3, 4, 5]
    assert unbroken.curve[-1]["train_loss"] < unbroken.curve[0]["train_loss"]
    assert json.loads((unbroken.network.parent / "result.json").read_text()) == unbroken.metrics
    assert json.loads((unbroken.network.parent / "curve.json").read_text()) == unbroken.curve


@pytest.mark.parametrize(("epoch", "checkpoint_epochs"), [(4, 1), (3, 2)])
def test_a_resumed_training_equals_the_unbroken_one_bit_by_bit(
    epoch, checkpoint_epochs, mlp, genome, iris, unbroken, tmp_path
):
    with pytest.raises(Interruption):
        retrain(
            mlp,
            genome,
            iris,
            TRAINING,
            tmp_path,
            checkpoint_epochs=checkpoint_epochs,
            on_epoch=interrupt_after(epoch),
        )
    seen = []
    resumed = retrain(
        mlp,
        genome,
        iris,
        TRAINING,
        tmp_path,
        checkpoint_epochs=checkpoint_epochs,
        on_epoch=lambda entry: seen.append(entry["epoch"]),
    )
    checkpointed = epoch - epoch % checkpoint_epochs
    assert seen == list(range(checkpointed + 1, 6))
    assert_same_outcome(resumed, unbroken)


def test_a_training_told_to_end_amid_an_epoch_goes_on_there(mlp, genome, iris, unbroken, tmp_path, monkeypatch):
    monkeypatch.setattr("evonas.training.program.BLOCK", 2)
    monkeypatch.setattr(retraining, "SLICE_SECONDS", 1e-6)
    asked = itertools.count()
    monkeypatch.setattr(retraining, "noticing", lambda: contextlib.nullcontext(lambda: next(asked) == 6))
    with pytest.raises(evonas.Preempted):
        retrain(mlp, genome, iris, TRAINING, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["6"]  # of 4 blocks an epoch
    resumed = retrain(mlp, genome, iris, TRAINING, tmp_path)
    assert_same_outcome(resumed, unbroken)


def test_a_finished_training_called_again_trains_nothing_and_gives_the_same(mlp, genome, iris, unbroken, tmp_path):
    shutil.copytree(unbroken.network.parent, tmp_path / "again")
    seen = []
    again = retrain(mlp, genome, iris, TRAINING, tmp_path / "again", on_epoch=seen.append)
    assert seen == []
    assert again.curve == unbroken.curve
    assert_same_outcome(again, unbroken)


def test_a_lost_curve_costs_its_entries_only(mlp, genome, iris, unbroken, tmp_path):
    with pytest.raises(Interruption):
        retrain(mlp, genome, iris, TRAINING, tmp_path, on_epoch=interrupt_after(3))
    (tmp_path / "curve.json").unlink()
    resumed = retrain(mlp, genome, iris, TRAINING, tmp_path)
    assert [entry["epoch"] for entry in resumed.curve] == [4, 5]
    assert resumed.metrics == unbroken.metrics


KILLED = """
import os, signal, sys, time
import jax
jax.config.update("jax_num_cpu_devices", 4)
from sklearn.datasets import load_iris
import numpy as np
from evonas.data import Arrays
from evonas.spaces import MLP
from evonas.training import Training, retrain

inputs, labels = load_iris(return_X_y=True)
dataset = Arrays(inputs, labels, inputs[::5], labels[::5]).load()
space = MLP(max_depth=1, widths=(8,)).fitted(dataset.input_shape, dataset.classes)
kill_at = int(sys.argv[2])

def on_epoch(entry):
    if entry["epoch"] == kill_at:
        time.sleep(float(sys.argv[3]))
        os.kill(os.getpid(), signal.SIGKILL)

result = retrain(space, [0, 1, 0, 0, 0], dataset, Training(epochs=6, batch_size=16), sys.argv[1], on_epoch=on_epoch)
print(repr((result.metrics, [{k: v for k, v in entry.items() if k != "seconds"} for entry in result.curve])))
"""


def run_killed(directory, epoch, pause=0.0):
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", KILLED, str(directory), str(epoch), str(pause)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)


@pytest.mark.slow
def test_a_training_killed_in_its_middle_resumes_to_the_unbroken_result(tmp_path):
    whole = run_killed(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    # At once, most likely while the checkpoint is being written; and when it is.
    for epoch, pause in [(2, 0.0), (5, 0.5)]:
        killed = run_killed(tmp_path / "killed", epoch, pause)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "killed" / "checkpoints").exists()
    resumed = run_killed(tmp_path / "killed", 0)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": dataclasses.replace(TRAINING, learning_rate=0.1)}, "learning_rate was 0.05, now 0.1"),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"genome": [0] * 8}, "architecture was "),
    ],
)
def test_a_directory_of_other_settings_is_refused(changes, named, mlp, genome, iris, unbroken):
    given = {"genome": genome, "training": TRAINING, "seed": 0, **changes}
    with pytest.raises(ValueError, match=f"holds a training with other settings: .*{named}.*; give another directory"):
        retrain(mlp, given["genome"], iris, given["training"], unbroken.network.parent, seed=given["seed"])


def test_a_directory_of_other_data_is_refused(mlp, genome, iris, unbroken):
    other = dataclasses.replace(iris, train=iris.test)
    with pytest.raises(ValueError, match="holds a training with other settings: data_fingerprint was"):
        retrain(mlp, genome, other, TRAINING, unbroken.network.parent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checkpoint_epochs": 0}, "checkpoint_epochs must be an integer of at least 1, got 0"),
        ({"seed": -1}, "seed must be an integer from 0"),
        ({"seed": 2**32}, "seed must be an integer from 0"),
        ({"genome": [0, 1]}, "a genome of MLP is 8 integers"),
        ({"data": "flowers"}, "data must be"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_made(changes, message, mlp, genome, iris, tmp_path):
    given = {"space": mlp, "genome": genome, "data": iris, "training": TRAINING, "directory": tmp_path / "new"}
    with pytest.raises(ValueError, match=message):
        retrain(**given | changes)
    assert not (tmp_path / "new").exists()


def test_a_space_that_is_not_fitted_yet_numpy_seeds_and_names_of_data_will_do(mlp, genome, iris, unbroken, tmp_path):
    space = dataclasses.replace(mlp, classes=7, input_shape=(9,))
    trained = retrain(space, genome, iris, TRAINING, tmp_path / "iris", seed=np.int64(0))
    assert trained.metrics == unbroken.metrics
    small = MLP(max_depth=1, widths=(4,))
    table = (iris.train.inputs, iris.train.targets)
    assert "accuracy" in retrain(small, [0, 0, 0, 0, 0], table, Training(epochs=1), tmp_path / "arrays").metrics


def test_two_trainings_in_one_directory_are_refused(mlp, genome, iris, tmp_path):
    def again(_):
        retrain(mlp, genome, iris, TRAINING, tmp_path)

    with pytest.raises(ValueError, match="another process is running in"):
        retrain(mlp, genome, iris, TRAINING, tmp_path, on_epoch=again)


def test_a_damaged_checkpoint_is_named_with_what_to_do(mlp, genome, iris, tmp_path):
    with pytest.raises(Interruption):
        retrain(mlp, genome, iris, TRAINING, tmp_path, on_epoch=interrupt_after(3))
    (metadata,) = (tmp_path / "checkpoints").glob("*/default/_METADATA")
    whole = metadata.read_bytes()
    for damage in (lambda: metadata.write_bytes(whole[:40]), metadata.unlink):
        damage()
        with pytest.raises(ValueError, match=r"the checkpoint .* is damaged .*: delete .*checkpoints to train from"):
            retrain(mlp, genome, iris, TRAINING, tmp_path)
    shutil.rmtree(tmp_path / "checkpoints")
    assert len(retrain(mlp, genome, iris, TRAINING, tmp_path).curve) == 5


def test_a_network_of_a_regression_gives_targets_in_their_units(tmp_path):
    bunch = load_diabetes()
    data = evonas.data.Arrays(bunch.data[:300], bunch.target[:300], bunch.data[300:], bunch.target[300:])
    trained = retrain(MLP(max_depth=1, widths=(16,)), [0, 0, 0, 0, 0], data, Training(epochs=20), tmp_path)
    predicted = np.asarray(load_network(trained.network)(bunch.data[300:]))[:, 0]
    error = np.abs(predicted - bunch.target[300:]).mean()
    assert error == pytest.approx(trained.metrics["mean_absolute_error"], rel=1e-4)
    assert error < 60


def test_a_loaded_network_names_the_shape_that_its_inputs_must_have(unbroken, iris):
    network = load_network(unbroken.network)
    assert network(iris.test.inputs[:2]).shape == (2, 3)
    for wrong in (iris.test.inputs[0], iris.test.inputs[:, :3], iris.test.inputs[None]):
        with pytest.raises(ValueError, match=r"inputs must be a batch of shape \[B, 4\], got \["):
            network(wrong)


def test_damaged_settings_are_refused_in_a_sentence(mlp, genome, iris, tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(ValueError, match=r"settings.json is damaged"):
        retrain(mlp, genome, iris, TRAINING, tmp_path)


def test_a_diverging_training_is_refused_in_a_sentence(mlp, genome, iris, tmp_path):
    with pytest.raises(ValueError, match=r"diverged in epoch \d+ at learning rate 1e\+30: lower it"):
        retrain(mlp, genome, iris, dataclasses.replace(TRAINING, learning_rate=1e30), tmp_path / "many")
    last_step = dataclasses.replace(TRAINING, learning_rate=1e30, epochs=1, batch_size=119)
    with pytest.raises(ValueError, match=r"diverged in epoch 1 at learning rate 1e\+30"):
        retrain(mlp, genome, iris, last_step, tmp_path / "one step, whose loss is still that of the first weights")


def accuracy(network, part):
    return (np.asarray(network(part.inputs)).argmax(-1) == part.targets).mean()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_loaded_network_has_the_recorded_accuracy_on_test_data_and_the_counted_parameters(
    precision, mlp, genome, iris, tmp_path
):
    training = dataclasses.replace(TRAINING, precision=precision)
    trained = retrain(mlp, genome, iris, training, tmp_path)
    network = load_network(trained.network)
    assert isinstance(network, nnx.Module)
    assert accuracy(network, iris.test) == pytest.approx(trained.metrics["accuracy"])
    assert sum(leaf.size for leaf in parameters_of(network)) == mlp.count(genome).parameters
    assert network.architecture == mlp.format(genome)
    assert network.label_names == iris.label_names


def test_without_test_data_the_result_is_of_validation_data_kept_out_of_training(mlp, genome, iris, tmp_path):
    trained = retrain(mlp, genome, dataclasses.replace(iris, test=None), TRAINING, tmp_path / "without")
    assert accuracy(load_network(trained.network), iris.validation) == pytest.approx(trained.metrics["accuracy"])
    other = dataclasses.replace(iris, test=None, validation=iris.test)
    assert without_seconds(retrain(mlp, genome, other, TRAINING, tmp_path / "other").curve) == without_seconds(
        trained.curve
    )


def test_with_test_data_validation_data_are_trained_on_and_test_data_are_not(mlp, genome, iris, unbroken, tmp_path):
    other_test = dataclasses.replace(iris, test=iris.train)
    assert without_seconds(retrain(mlp, genome, other_test, TRAINING, tmp_path / "test").curve) == without_seconds(
        unbroken.curve
    )
    other_validation = dataclasses.replace(iris, validation=iris.validation.take(np.arange(23)[::-1]))
    changed = retrain(mlp, genome, other_validation, TRAINING, tmp_path / "validation")
    assert without_seconds(changed.curve) != without_seconds(unbroken.curve)


def test_loading_from_a_directory_without_a_network_is_refused_in_a_sentence(unbroken, tmp_path):
    for place in (tmp_path, tmp_path / "missing", unbroken.network.parent):
        with pytest.raises(ValueError, match="holds no network: expected a directory that `evonas retrain` wrote"):
            load_network(place)
    (tmp_path / "network.json").write_text('{"name": "of another program"}')
    with pytest.raises(ValueError, match="does not describe a network: expected architecture, deviation"):
        load_network(tmp_path)


@pytest.mark.parametrize("how", ["missing", "cut short", "garbled"])
@pytest.mark.parametrize("file", ["network.json", "weights/_METADATA", "weights/manifest.ocdbt", "weights/d/*"])
def test_loading_a_damaged_network_is_refused_in_a_sentence(file, how, unbroken, tmp_path):
    directory = tmp_path / "network"
    shutil.copytree(unbroken.network, directory)
    (path,) = directory.glob(file)
    content = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes(content[: len(content) // 2] if how == "cut short" else bytes(255 - byte for byte in content))
    with pytest.raises(ValueError, match=r"is damaged|are missing, damaged, or of another network|holds no network"):
        load_network(directory)


def test_loading_weights_of_another_architecture_is_refused_in_a_sentence(unbroken, tmp_path):
    directory = tmp_path / "network"
    shutil.copytree(unbroken.network, directory)
    description = json.loads((directory / "network.json").read_text())
    for architecture in ("layer1.width=4", "depth=1"):
        name = architecture.partition("=")[0]
        words = [architecture if word.startswith(name) else word for word in description["architecture"].split()]
        (directory / "network.json").write_text(json.dumps(description | {"architecture": " ".join(words)}))
        with pytest.raises(ValueError, match="missing, damaged, or of another network"):
            load_network(directory)


@pytest.mark.slow
def test_a_loaded_cell_has_the_recorded_accuracy_on_test_data(cells, digits, tmp_path):
    genome = random_genomes(cells, 1)[0]
    trained = retrain(cells, genome, digits, Training(epochs=2, batch_size=32, flip=True, crop=1), tmp_path)
    network = load_network(trained.network)
    assert accuracy(network, digits.test) == pytest.approx(trained.metrics["accuracy"])
    assert sum(leaf.size for leaf in parameters_of(network)) == cells.count(genome).parameters


def test_a_users_network_with_dropout_of_flax_trains_resumes_and_is_loaded(iris, tmp_path):
    space = OwnSpace(widths=(8, 16), dropout=0.3)
    unbroken = retrain(space, [1, 0], iris, TRAINING, tmp_path / "unbroken")
    with pytest.raises(Interruption):
        retrain(space, [1, 0], iris, TRAINING, tmp_path / "broken", on_epoch=interrupt_after(2))
    resumed = retrain(space, [1, 0], iris, TRAINING, tmp_path / "broken")
    assert resumed.metrics == unbroken.metrics
    assert without_seconds(resumed.curve) == without_seconds(unbroken.curve)
    undropped = retrain(OwnSpace(widths=(8, 16)), [1, 0], iris, TRAINING, tmp_path / "undropped")
    assert undropped.curve[0]["train_loss"] != unbroken.curve[0]["train_loss"]

    network = load_network(resumed.network, space=space)
    assert accuracy(network, iris.test) == pytest.approx(resumed.metrics["accuracy"])
    np.testing.assert_array_equal(network(iris.test.inputs), network(iris.test.inputs))
    with pytest.raises(ValueError, match="is not a class of evonas: pass the object itself"):
        load_network(resumed.network)
    with pytest.raises(ValueError, match=r"is a network of the space .*, not of "):
        load_network(resumed.network, space=OwnSpace())
