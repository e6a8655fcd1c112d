"""Checkpoints of candidates: written whole, replaced, deleted but for the best, and never trusted blindly."""

import math

import jax
import numpy as np
import pytest

from evonas.training.checkpoints import Checkpoints

STATE = {"00000": np.arange(6, dtype=np.float32).reshape(2, 3), "00001": np.int32(4)}
SHAPES = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), STATE)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_state_comes_back_in_another_process_with_its_blocks(tmp_path):
    Checkpoints(tmp_path / "c", math.inf).save(3, 12, STATE)
    blocks, state = Checkpoints(tmp_path / "c", math.inf).load(3, SHAPES)
    assert blocks == 12
    for name, array in STATE.items():
        np.testing.assert_array_equal(state[name], array)
        assert np.asarray(state[name]).dtype == array.dtype


def test_nothing_is_made_before_something_is_saved_and_unknown_candidates_have_none(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c", math.inf)
    assert checkpoints.load(0, SHAPES) is None
    checkpoints.told([0, 1], [0.5, -math.inf])
    assert not (tmp_path / "c").exists()


def test_an_older_state_is_replaced(tmp_path):
    checkpoints = Checkpoints(tmp_path, math.inf)
    for blocks in (2, 10, 9):  # 9 < 10: from a checkpoint that was lost
        checkpoints.save(1, blocks, STATE)
    assert names(tmp_path / "1") == ["9"]


def test_what_is_in_the_history_is_deleted_but_for_the_best(tmp_path):
    checkpoints = Checkpoints(tmp_path, math.inf, keep=2)
    for candidate in range(5):
        checkpoints.save(candidate, 1, STATE)
    checkpoints.told([0, 1, 2], [0.1, 0.3, 0.2])
    assert names(tmp_path) == ["1", "2", "3", "4"]
    assert not checkpoints.is_kept(0.2)
    assert checkpoints.is_kept(0.25)
    checkpoints.told([3], [0.3])
    assert names(tmp_path) == ["1", "3", "4"]
    checkpoints.told([4], [-math.inf])
    assert names(tmp_path) == ["1", "3"]
    checkpoints.drop(1)
    assert names(tmp_path) == ["1", "3"]


def test_with_none_to_keep_none_is_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, math.inf)
    assert not checkpoints.is_kept(1.0)
    checkpoints.save(0, 1, STATE)
    checkpoints.told([0], [1.0])
    assert names(tmp_path) == []


def test_a_damaged_checkpoint_and_one_of_another_shape_are_told_and_passed_over(tmp_path):
    Checkpoints(tmp_path, math.inf).save(0, 1, STATE)
    other = {**SHAPES, "00002": jax.ShapeDtypeStruct((3,), np.float32)}
    with pytest.warns(UserWarning, match=r"the checkpoint .*/0/1 can't be read .*: its training starts over"):
        assert Checkpoints(tmp_path, math.inf).load(0, other) is None
    for file in (tmp_path / "0" / "1").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.warns(UserWarning, match="its training starts over"):
        assert Checkpoints(tmp_path, math.inf).load(0, SHAPES) is None


def test_a_checkpoint_that_was_not_finished_is_none(tmp_path):
    (tmp_path / "0" / "4.orbax-checkpoint-tmp").mkdir(parents=True)
    with pytest.warns(UserWarning, match="its training starts over"):
        assert Checkpoints(tmp_path, math.inf).load(0, SHAPES) is None


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_in_a_bucket_amid_failures_they_are_replaced_read_by_others_and_deleted(object_store):
    place = "gs://bucket/run/checkpoints"
    with object_store.failing(0.05, 3):
        first = Checkpoints(place, math.inf, keep=1)
        for candidate, blocks in ((0, 2), (0, 3), (1, 2), (2, 2)):
            first.save(candidate, blocks, STATE)
        other = Checkpoints(place, math.inf, keep=1)
        blocks, state = other.load(0, SHAPES)
        assert blocks == 3
        np.testing.assert_array_equal(state["00000"], STATE["00000"])
        other.told([0, 1], [0.1, 0.2])
    assert object_store.failed
    left = {tuple(name.split("/")[2:4]) for name in object_store.names("run/checkpoints/")}
    assert left == {("1", "2"), ("2", "2")}
