"""One program trains all candidates, and each result depends on the candidate alone."""

import dataclasses
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from training_cases import OwnSpace, ScaledSpace, candidates_of, evaluate, random_genomes

from evonas.data import Arrays
from evonas.data.dataset import Split
from evonas.nn import Linear, Style, winograd
from evonas.spaces import MLP, MacroCNN, NASBench201
from evonas.training import Training, TrainingEvaluator, evaluator
from evonas.training.optimizer import Hyperparameters
from evonas.training.program import device_data
from evonas.training.slices import SlicedTraining, candidate_key
from evonas.types import Failure

CELLS_TRAINING = Training(epochs=1, batch_size=32, learning_rate=0.05, flip=True, crop=1)
MLP_TRAINING = Training(epochs=3, batch_size=16, learning_rate=0.05)


@pytest.fixture(scope="module")
def cells_evaluator(cells, digits):
    return TrainingEvaluator(cells, digits, CELLS_TRAINING, seed=3)


@pytest.fixture(scope="module")
def mlp_evaluator(mlp, iris):
    return TrainingEvaluator(mlp, iris, MLP_TRAINING, seed=3)


@pytest.fixture(scope="module")
def measured(cells_evaluator, cells):
    """Eight cells, and what all eight at once gave."""
    genomes = random_genomes(cells, 8)
    return genomes, evaluate(cells_evaluator, genomes)


def compiled_programs(caplog, action):
    """What JAX says that it compiled in the action."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        action()
    return [record.getMessage() for record in caplog.records if "Compiling" in record.getMessage()]


@pytest.mark.usefixtures("measured")
def test_one_program_is_compiled_for_all_genomes_batches_and_a_partial_last_batch(cells_evaluator, cells, caplog):
    genomes = random_genomes(cells, 9, seed=1)
    batches = [candidates_of(genomes[:4]), candidates_of(genomes[4:5]), candidates_of(genomes[3:])]

    def train_three_batches():
        for batch in batches:
            list(cells_evaluator(batch))

    assert compiled_programs(caplog, train_three_batches) == []
    assert cells_evaluator.compilations == 1


def test_the_log_of_compilations_would_show_a_compilation_of_the_program(mlp, iris, caplog):
    evaluator = TrainingEvaluator(mlp, iris, MLP_TRAINING, devices=jax.local_devices()[:1])
    programs = compiled_programs(caplog, lambda: evaluate(evaluator, random_genomes(mlp, 1)))
    assert sum("Mesh('candidates'" in program for program in programs) == 1


def test_a_result_is_bit_identical_alone_and_among_eight(cells_evaluator, measured):
    genomes, together = measured
    for row in (0, 5, 7):
        assert evaluate(cells_evaluator, genomes[row : row + 1], [row]) == together[row : row + 1]


def test_a_result_is_bit_identical_in_any_order_and_in_a_partial_batch(cells_evaluator, measured):
    genomes, together = measured
    for rows in ([6, 2, 7, 0, 3, 1, 5, 4], [4, 1, 6, 3, 0], [7, 6, 5]):
        assert evaluate(cells_evaluator, genomes[rows], rows) == [together[row] for row in rows]


def test_different_candidates_of_one_genome_start_from_different_weights(cells_evaluator, measured):
    genomes, together = measured
    (again,) = evaluate(cells_evaluator, genomes[:1], [100])
    assert again.metrics["train_loss"] != together[0].metrics["train_loss"]


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_candidates_are_dealt_out_dearest_first_and_evenly(processes, mlp, mlp_evaluator):
    genomes = random_genomes(mlp, 11)
    groups = mlp_evaluator.groups(candidates_of(genomes), processes)
    sizes = [len(group) for group in groups]
    assert len(sizes) == processes
    assert max(sizes) - min(sizes) <= 1
    for rows in groups:
        costs = [mlp.count(genome).multiply_adds for genome in genomes[rows]]
        assert costs == sorted(costs, reverse=True)
    assert sorted(np.concatenate(groups)) == list(range(11))


def test_the_seconds_of_candidates_are_those_of_their_devices(mlp, iris):
    two = TrainingEvaluator(mlp, iris, MLP_TRAINING, devices=jax.local_devices()[:2])
    found = [each for _, measurements in two(candidates_of(random_genomes(mlp, 3))) for each in measurements]
    seconds = [measurement.seconds for measurement in found]
    assert min(seconds) > 0
    assert two.trained_seconds == pytest.approx(sum(seconds))
    assert two.held_seconds > two.trained_seconds  # of three, one trains beside nobody
    two.test(0, random_genomes(mlp, 1)[0])
    assert two.trained_seconds == pytest.approx(sum(seconds))


@pytest.mark.parametrize("devices", [1, 2])
def test_a_result_is_bit_identical_on_one_device_on_two_and_on_eight(mlp, iris, mlp_evaluator, devices):
    genomes = random_genomes(mlp, 5)
    fewer = TrainingEvaluator(mlp, iris, MLP_TRAINING, seed=3, devices=jax.local_devices()[:devices])
    assert evaluate(fewer, genomes) == evaluate(mlp_evaluator, genomes)


@pytest.mark.slow
def test_a_result_of_a_cell_is_bit_identical_on_one_device_and_on_eight(cells, digits, measured):
    genomes, together = measured
    fewer = TrainingEvaluator(cells, digits, CELLS_TRAINING, seed=3, devices=jax.local_devices()[:1])
    assert evaluate(fewer, genomes) == together


@pytest.fixture
def tiled_convolutions(monkeypatch):
    """As for images and batches larger than those of the tests."""
    monkeypatch.setattr(winograd, "LEAST_NUMBERS", 0)
    jax.clear_caches()
    yield
    jax.clear_caches()


@pytest.mark.slow
@pytest.mark.usefixtures("tiled_convolutions")
@pytest.mark.parametrize(
    ("space", "devices"),
    [
        (MacroCNN(2, 1, filters=(4, 16), kernels=(3, 5), activations=("relu",), norms=("batch",), dense=(0,)), 8),
        (NASBench201(channels=16, cells_per_stage=1), 2),
    ],
)
def test_a_result_of_a_convolutional_network_is_bit_identical_on_one_device_and_on_several(space, devices, digits):
    space = space.fitted(digits.input_shape, digits.classes)
    genomes = random_genomes(space, 4)
    one, several = (
        evaluate(TrainingEvaluator(space, digits, CELLS_TRAINING, devices=jax.local_devices()[:number]), genomes)
        for number in (1, devices)
    )
    assert one == several


def test_learning_rate_weight_decay_and_epochs_are_arguments_of_the_program(mlp, iris):
    genome = random_genomes(mlp, 1)[0]
    train = jax.jit(SlicedTraining(mlp, genome, iris, MLP_TRAINING).whole)
    data = device_data(iris, iris.validation)

    def run(learning_rate, weight_decay, epochs):
        given = Hyperparameters(jnp.float32(learning_rate), jnp.float32(weight_decay), jnp.int32(epochs))
        return jax.device_get(train(genome, jnp.int32(0), jnp.uint32(3), given, data))

    results = [run(*given) for given in [(0.05, 5e-4, 3), (0.2, 5e-4, 3), (0.05, 0.3, 3), (0.05, 5e-4, 5)]]
    assert [result["epochs"] for result in results] == [3, 3, 3, 5]
    assert len({float(result["train_loss"]) for result in results}) == 4
    varied = dataclasses.replace(MLP_TRAINING, learning_rate=0.2, weight_decay=0.3, epochs=5)
    (own,) = evaluate(TrainingEvaluator(mlp, iris, varied, seed=3, devices=jax.local_devices()[:1]), [genome])
    for name, value in run(0.2, 0.3, 5).items():
        assert own.metrics[name] == pytest.approx(float(value), rel=1e-5)
    assert train._cache_size() == 1


def test_a_space_without_a_supernet_compiles_a_program_for_each_canonical_genome(iris):
    evaluator = TrainingEvaluator(OwnSpace(), iris, MLP_TRAINING)
    genomes = [[0, 0], [1, 0], [0, 1], [1, 1], [0, 0]]
    measurements = evaluate(evaluator, genomes)
    assert evaluator.compilations == 2
    assert all(measurement.metrics["accuracy"] > 0.4 for measurement in measurements)
    alone = evaluate(evaluator, genomes[3:4], [3])
    assert alone == measurements[3:4]
    assert evaluator.compilations == 2


@dataclasses.dataclass(frozen=True)
class OneSignature(OwnSpace):
    def signature(self, genome):
        del genome
        return "the same for all"


@dataclasses.dataclass(frozen=True)
class SignatureOfScale(ScaledSpace):
    def signature(self, genome):
        return int(genome[0])


def test_a_signature_of_the_users_own_never_trains_another_architecture(iris):
    genomes = [[0, 0], [1, 0], [2, 0]]
    assert evaluate(TrainingEvaluator(OneSignature(), iris, MLP_TRAINING), genomes) == evaluate(
        TrainingEvaluator(OwnSpace(), iris, MLP_TRAINING), genomes
    )
    own = TrainingEvaluator(SignatureOfScale(), iris, MLP_TRAINING)
    assert evaluate(own, [[0], [1]]) == evaluate(TrainingEvaluator(ScaledSpace(), iris, MLP_TRAINING), [[0], [1]])
    assert own.compilations == 2


def test_the_keys_of_trainings_are_those_of_nothing_else():
    run, seeds = jax.random.key(3), range(8)
    trainings = [candidate_key(3, candidate) for candidate in seeds]
    proposals = [jax.random.fold_in(run, candidate) for candidate in seeds]
    proposals += [key for proposal in proposals for key in jax.random.split(proposal, 8)]
    known = {tuple(jax.random.key_data(key).tolist()) for key in proposals}
    assert not known & {tuple(jax.random.key_data(key).tolist()) for key in trainings}


def test_a_bounded_number_of_programs_is_kept(iris, monkeypatch):
    monkeypatch.setattr(evaluator, "PROGRAMS_KEPT", 1)
    own = TrainingEvaluator(OwnSpace(), iris, MLP_TRAINING, devices=jax.local_devices()[:1])
    first = [evaluate(own, [[width, 0]]) for width in (0, 1)]
    assert len(own._programs) == 1
    assert evaluate(own, [[1, 0]]) == first[1]
    assert own.compilations == 2
    assert evaluate(own, [[0, 0]]) == first[0]
    assert own.compilations == 3


def test_a_huge_learning_rate_is_recorded_as_divergence(mlp, iris):
    diverging = TrainingEvaluator(
        mlp, iris, dataclasses.replace(MLP_TRAINING, learning_rate=1e6, epochs=20), devices=jax.local_devices()[:1]
    )
    for measurement in evaluate(diverging, random_genomes(mlp, 3)):
        assert measurement.failure is Failure.DIVERGED
        assert measurement.fitness == ()


def test_a_diverging_candidate_leaves_those_beside_it_alone(iris):
    evaluator = TrainingEvaluator(ScaledSpace(), iris, dataclasses.replace(MLP_TRAINING, epochs=9))
    measurements = evaluate(evaluator, [[0], [2], [1]])
    assert measurements[1].failure is Failure.DIVERGED
    assert measurements[1].fitness == ()
    assert measurements[1].metrics["epochs"] < 9, "it goes on after its loss is lost"
    for row in (0, 2):
        assert measurements[row].failure is Failure.NONE
        assert evaluate(evaluator, [[row // 2]], [row]) == [measurements[row]]


def test_an_invalid_genome_is_recorded_and_not_trained(iris):
    evaluator = TrainingEvaluator(OwnSpace(max_width=8), iris, MLP_TRAINING)
    invalid, valid = evaluate(evaluator, [[2, 0], [0, 0]])
    assert (invalid.failure, invalid.fitness) == (Failure.INVALID, ())
    assert valid.failure is Failure.NONE
    assert evaluator.compilations == 1


def test_a_program_too_large_is_recorded_and_the_evaluator_goes_on(iris):
    space = OwnSpace(widths=(4, 20_000_000))  # 1.6 petabytes of weights: more than a process can address
    evaluator = TrainingEvaluator(space, iris, MLP_TRAINING, devices=jax.local_devices()[:2])
    before = evaluate(evaluator, [[0, 0]])
    found = evaluate(evaluator, [[0, 0], [1, 0], [1, 1]])
    assert [(m.failure, m.fitness) for m in found[1:]] == [(Failure.OUT_OF_MEMORY, ())] * 2
    assert found[0] == before[0]
    assert evaluate(evaluator, [[0, 0]]) == before


def test_errors_of_other_kinds_are_not_swallowed(iris, monkeypatch):
    class Broken(OwnSpace):
        def network(self, *_, **__):
            raise KeyError("a mistake of the user's")

    with pytest.raises(KeyError, match="a mistake of the user's"):
        evaluate(TrainingEvaluator(Broken(), iris, MLP_TRAINING), [[0, 0]])

    def fail(*_):
        raise jax.errors.JaxRuntimeError("INTERNAL: the device is gone")

    evaluator = TrainingEvaluator(OwnSpace(), iris, MLP_TRAINING)
    monkeypatch.setattr(evaluator._devices, "run", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="the device is gone"):
        evaluate(evaluator, [[0, 0]])


def test_fitness_has_the_objectives_in_order_with_costs_negated(mlp, iris):
    training = dataclasses.replace(MLP_TRAINING, objectives=("accuracy", "parameters", "loss", "multiply_adds"))
    genome = random_genomes(mlp, 1)[0]
    (measurement,) = evaluate(TrainingEvaluator(mlp, iris, training, devices=jax.local_devices()[:1]), [genome])
    metrics, count = measurement.metrics, mlp.count(genome)
    assert measurement.fitness == (metrics["accuracy"], -count.parameters, -metrics["loss"], -count.multiply_adds)


def test_objectives_that_the_task_has_not_are_refused(mlp, iris):
    training = dataclasses.replace(MLP_TRAINING, objectives=("mean_absolute_error",))
    with pytest.raises(ValueError, match="'mean_absolute_error' is not measured in classification; expected some of"):
        TrainingEvaluator(mlp, iris, training)
    with pytest.raises(ValueError, match="'accuracy' is not measured in regression; expected some of"):
        TrainingEvaluator(mlp, line(), dataclasses.replace(MLP_TRAINING, objectives=("accuracy",)))


def test_changes_of_images_are_refused_for_tables(mlp, iris):
    with pytest.raises(ValueError, match=r"flip and crop are for images .*\(4,\)"):
        TrainingEvaluator(mlp, iris, dataclasses.replace(MLP_TRAINING, flip=True))


def test_fitness_is_of_validation_data_and_never_reads_the_test_data(mlp, iris, mlp_evaluator):
    wrong = Split(iris.test.inputs[::-1].copy(), (iris.test.targets + 1) % 3)
    evaluator = TrainingEvaluator(mlp, dataclasses.replace(iris, test=wrong), MLP_TRAINING, seed=3)
    genomes = random_genomes(mlp, 4)
    assert evaluate(evaluator, genomes) == evaluate(mlp_evaluator, genomes)
    ours, theirs = evaluator.test(0, genomes[0]), mlp_evaluator.test(0, genomes[0])
    assert ours.metrics["train_loss"] == theirs.metrics["train_loss"]
    assert ours.metrics["accuracy"] != theirs.metrics["accuracy"]
    assert evaluator.compilations == 1


def test_the_test_measures_the_candidate_as_it_was_trained_in_the_search(mlp, iris):
    evaluator = TrainingEvaluator(mlp, dataclasses.replace(iris, test=iris.validation), MLP_TRAINING)
    genomes = random_genomes(mlp, 3)
    for candidate, measurement in enumerate(evaluate(evaluator, genomes)):
        assert evaluator.test(candidate, genomes[candidate])._replace(seconds=0.0) == measurement


def test_padding_between_splits_of_different_lengths_does_not_count(mlp, iris, mlp_evaluator):
    genomes = random_genomes(mlp, 4)
    without = TrainingEvaluator(mlp, dataclasses.replace(iris, test=None), MLP_TRAINING, seed=3)
    for ours, theirs in zip(evaluate(without, genomes), evaluate(mlp_evaluator, genomes), strict=True):
        assert ours.metrics == pytest.approx(theirs.metrics, rel=1e-5)
    with pytest.raises(ValueError, match="the data 'iris' has no test examples"):
        without.test(0, genomes[0])


def line(targets=2):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(200, 4))
    return Arrays(inputs, inputs @ random.normal(size=(4, targets))).load()


def test_regression_learns_a_linear_map_and_is_judged_by_the_mean_absolute_error():
    dataset = line()
    space = MLP(max_depth=1, widths=(16,), dropout=(0.0,), activations=("relu",)).fitted((4,), 2)
    evaluator = TrainingEvaluator(space, dataset, Training(epochs=40, batch_size=20, learning_rate=0.03))
    constant = np.abs(dataset.validation.targets - dataset.train.targets.mean(0)).mean()
    for measurement in evaluate(evaluator, random_genomes(space, 3)):
        assert measurement.fitness == (-measurement.metrics["mean_absolute_error"],)
        assert measurement.metrics["mean_absolute_error"] < 0.3 * constant


def test_regression_learns_targets_of_any_scale_with_the_default_settings():
    bunch = load_diabetes()  # targets from 25 to 346
    for scale, offset in ((1.0, 0.0), (1e-4, 0.0), (1e3, -1e5)):
        dataset = Arrays(bunch.data, bunch.target * scale + offset, validation_share=0.3).load()
        space = MLP(max_depth=2, widths=(16, 32)).fitted(dataset.input_shape, 1)
        constant = np.abs(dataset.validation.targets - dataset.train.targets.mean(0)).mean()
        for measurement in evaluate(TrainingEvaluator(space, dataset, Training()), random_genomes(space, 4)):
            assert measurement.metrics["mean_absolute_error"] < constant
            assert measurement.metrics["loss"] > scale**2


def test_tables_of_classes_are_learned_from_features_of_any_scale():
    bunch = load_wine()
    dataset = Arrays(bunch.data, bunch.target, validation_share=0.3).load()
    space = MLP(max_depth=1, widths=(16,), dropout=(0.0,)).fitted(dataset.input_shape, dataset.classes)
    evaluator = TrainingEvaluator(space, dataset, Training(epochs=20, batch_size=16, learning_rate=0.05))
    for measurement in evaluate(evaluator, random_genomes(space, 4)):
        assert measurement.metrics["accuracy"] > 0.9


def test_bfloat16_gives_nearly_the_result_of_float32(mlp, iris, mlp_evaluator):
    genomes = random_genomes(mlp, 4)
    half = TrainingEvaluator(mlp, iris, dataclasses.replace(MLP_TRAINING, precision="bfloat16"), seed=3)
    for ours, theirs in zip(evaluate(half, genomes), evaluate(mlp_evaluator, genomes), strict=True):
        assert ours.metrics["train_loss"] == pytest.approx(theirs.metrics["train_loss"], rel=0.05)
        assert ours.metrics["train_loss"] != theirs.metrics["train_loss"]


class SevenOutputs(OwnSpace):
    def network(self, genome, *, rngs, **style):
        del genome
        return Linear(4, 7, rngs=rngs, style=Style(**style))


def test_a_network_with_other_outputs_than_classes_is_refused(iris):
    evaluator = TrainingEvaluator(SevenOutputs(), iris, MLP_TRAINING, devices=jax.local_devices()[:1])
    with pytest.raises(ValueError, match=r"outputs are of shape \(\d+, 7\), for \d+ examples of data with 3 classes"):
        evaluate(evaluator, random_genomes(SevenOutputs(), 1))
