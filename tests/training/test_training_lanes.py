"""Candidates on devices: interrupted trainings go on where they were, and memory that runs out is a failure of one."""

import dataclasses
import itertools
import math

import jax
import numpy as np
import pytest
from training_cases import OwnSpace, candidates_of, evaluate, random_genomes

from evonas.preemption import Preempted
from evonas.training import Training, TrainingEvaluator, pace
from evonas.training.checkpoints import Checkpoints
from evonas.types import Failure

TRAINING = Training(epochs=6, batch_size=4, learning_rate=0.05)


@pytest.fixture(autouse=True)
def short_slices(monkeypatch):
    """So short that each is a block, of 26 steps: a training takes several."""
    monkeypatch.setattr(pace, "SLICE_SECONDS", 1e-6)


class NoticeAfter:
    """The notice is given when it has been asked for so many times; 0: never."""

    def __init__(self, asked):
        self.left = asked

    def __call__(self):
        self.left -= 1
        return self.left == 0


def evaluator_on(devices, mlp, iris, **given):
    return TrainingEvaluator(mlp, iris, TRAINING, seed=3, devices=jax.local_devices()[:devices], **given)


def until_preempted(evaluator, genomes):
    """Measurements by row before the notice; None for the rows that have none yet."""
    found = [None] * len(genomes)
    measured = evaluator(candidates_of(genomes))
    with pytest.raises(Preempted):
        collect(measured, found)
    return found


def collect(measured, found):
    for rows, measurements in measured:
        for row, measurement in zip(rows, measurements, strict=True):
            found[int(row)] = measurement._replace(seconds=0.0)


@pytest.fixture(scope="module")
def unbroken(mlp, iris):
    genomes = random_genomes(mlp, 5)
    return genomes, evaluate(evaluator_on(3, mlp, iris), genomes)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (3, 1), (2, 3)])
def test_trainings_go_on_from_checkpoints_on_another_number_of_devices(before, after, mlp, iris, unbroken, tmp_path):
    genomes, expected = unbroken
    found, held = [None] * 5, 0.0
    for asked in (4, 9):
        first = evaluator_on(before, mlp, iris, checkpoints=Checkpoints(tmp_path, math.inf), notice=NoticeAfter(asked))
        found = [known or new for known, new in zip(found, until_preempted(first, genomes), strict=True)]
        held += first.trained_seconds
    assert any(found[row] is None for row in range(5))
    assert [each or expected[row] for row, each in enumerate(found)] == expected
    saved = {int(path.name): int(next(path.iterdir()).name) for path in tmp_path.iterdir()}
    assert saved
    assert all(0 < blocks < 6 for candidate, blocks in saved.items() if found[candidate] is None)

    rest = [row for row in range(5) if found[row] is None]
    second = evaluator_on(after, mlp, iris, checkpoints=Checkpoints(tmp_path, math.inf))
    begun = []
    load = second.checkpoints.load
    second.checkpoints.load = lambda candidate, shapes: begun.append(load(candidate, shapes)) or begun[-1]
    assert evaluate(second, genomes[rest], rest) == [expected[row] for row in rest]
    assert sum(kept is not None for kept in begun) == len(set(saved) & set(rest)) > 0


def test_a_checkpoint_is_written_as_often_as_is_asked_for_and_replaces_the_last(mlp, iris, unbroken, tmp_path):
    genomes, expected = unbroken
    each, saved = Checkpoints(tmp_path, seconds=1e-9), []
    save = each.save
    each.save = lambda candidate, blocks, state: saved.append((candidate, blocks)) or save(candidate, blocks, state)
    assert evaluate(evaluator_on(1, mlp, iris, checkpoints=each), genomes[:1]) == expected[:1]
    assert saved == [(0, blocks) for blocks in range(1, 6)]
    assert [path.name for path in (tmp_path / "0").iterdir()] == ["5"]
    each.told([0], [0.9])
    assert list(tmp_path.iterdir()) == []


def test_the_best_keep_their_last_state_and_are_tested_without_training(mlp, iris, unbroken, tmp_path):
    genomes, expected = unbroken
    kept = Checkpoints(tmp_path, math.inf, keep=2)
    evaluator = evaluator_on(2, mlp, iris, checkpoints=kept)
    assert evaluate(evaluator, genomes) == expected
    fitness = [measurement.fitness[0] for measurement in expected]
    kept.told(range(5), fitness)
    best = sorted(range(5), key=lambda row: (-fitness[row], row))[:2]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(map(str, best))
    trained = evaluator_on(2, mlp, iris).test(best[0], genomes[best[0]])
    notice = NoticeAfter(4)  # a training would ask more often
    again = evaluator_on(2, mlp, iris, checkpoints=Checkpoints(tmp_path, math.inf, keep=2), notice=notice)
    again.told(range(5), fitness)
    assert again.test(best[0], genomes[best[0]])._replace(seconds=0.0) == trained._replace(seconds=0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(map(str, best))


def test_an_interrupted_test_goes_on_too(mlp, iris, unbroken, tmp_path):
    genomes, _ = unbroken
    expected = evaluator_on(1, mlp, iris).test(7, genomes[0])
    notice = NoticeAfter(4)
    with pytest.raises(Preempted):
        evaluator_on(1, mlp, iris, checkpoints=Checkpoints(tmp_path, math.inf), notice=notice).test(7, genomes[0])
    assert [path.name for path in (tmp_path / "7").iterdir()] == ["2"]
    again = evaluator_on(1, mlp, iris, checkpoints=Checkpoints(tmp_path, math.inf)).test(7, genomes[0])
    assert again._replace(seconds=0.0) == expected._replace(seconds=0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_notice_before_a_program_is_compiled_is_taken(mlp, iris, unbroken):
    evaluator = evaluator_on(1, mlp, iris, notice=lambda: True)
    assert until_preempted(evaluator, unbroken[0]) == [None] * 5
    assert evaluator.compilations == 0


def test_each_stay_on_a_device_is_a_span_also_one_that_a_notice_ends(mlp, iris, unbroken):
    genomes, _ = unbroken
    stopped, whole = evaluator_on(2, mlp, iris, notice=NoticeAfter(5)), evaluator_on(2, mlp, iris)
    until_preempted(stopped, genomes)
    spans = stopped.take_spans()
    assert [(span.kind, span.device, len(span.candidates)) for span in spans] == [
        ("compile", 0, 1), ("compile", 1, 1), ("train", 0, 1), ("train", 1, 1),
    ]  # fmt: skip
    assert stopped.take_spans() == []
    evaluate(whole, genomes)
    trained = [span for span in whole.take_spans() if span.kind == "train"]
    assert sorted(span.candidates for span in trained) == [(0,), (1,), (2,), (3,), (4,)]
    assert sum(span.busy for span in trained) == pytest.approx(whole.trained_seconds)
    assert all(0 < span.busy <= span.seconds + 1e-3 for span in trained)
    for first, second in itertools.combinations(trained, 2):
        apart = first.started + first.seconds <= second.started + 1e-3
        assert apart or first.device != second.device or second.started + second.seconds <= first.started + 1e-3


def test_who_runs_out_of_memory_alone_has_failed_and_the_others_are_trained_one_by_one(
    mlp, iris, unbroken, monkeypatch
):
    genomes, expected = unbroken
    evaluator = evaluator_on(3, mlp, iris)
    run = evaluator._devices.run

    def short_of_memory(program, state, part, *arguments):
        active = {int(row) for row, blocks in zip(part.candidate, part.blocks, strict=True) if blocks}
        if len(active) > 1 or active == {2}:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return run(program, state, part, *arguments)

    monkeypatch.setattr(evaluator._devices, "run", short_of_memory)
    found = evaluate(evaluator, genomes)
    assert found[2].failure is Failure.OUT_OF_MEMORY
    assert [found[row] for row in (0, 1, 3, 4)] == [expected[row] for row in (0, 1, 3, 4)]


def test_keys_in_a_modules_state_go_through_a_checkpoint(iris, tmp_path):
    space, genome = OwnSpace(dropout=0.5), np.array([[0, 0]])
    training = dataclasses.replace(TRAINING, epochs=3)
    devices = jax.local_devices()[:1]
    expected = evaluate(TrainingEvaluator(space, iris, training, devices=devices), genome)
    kept, notice = Checkpoints(tmp_path, math.inf), NoticeAfter(4)
    until_preempted(TrainingEvaluator(space, iris, training, devices=devices, checkpoints=kept, notice=notice), genome)
    kept = Checkpoints(tmp_path, math.inf)
    assert evaluate(TrainingEvaluator(space, iris, training, devices=devices, checkpoints=kept), genome) == expected
