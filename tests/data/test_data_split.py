import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evonas.data.dataset import Split
from evonas.data.split import divide, stratified


def numbered(labels):
    """A split whose input is the number of its example."""
    return Split.of(np.arange(len(labels))[:, None], np.asarray(labels))


def numbers(split):
    return split.inputs[:, 0].astype(int).tolist()


def test_a_draw_has_the_shares_of_the_classes():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    drawn, others = stratified(labels, 100, seed=0)
    assert np.bincount(labels[drawn]).tolist() == [50, 30, 20]
    assert sorted([*drawn, *others]) == list(range(1000))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.data())
def test_any_draw_keeps_each_class_and_its_share(sizes, data):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    assume(len(labels) > 1)
    count = data.draw(st.integers(1, len(labels) - 1))
    drawn, others = stratified(labels, count, seed=1)
    taken = np.bincount(labels[drawn], minlength=len(sizes))
    assert len(drawn) == count
    assert sorted([*drawn, *others]) == list(range(len(labels)))
    assert (np.diff(drawn) > 0).all()
    assert (np.diff(others) > 0).all()
    assert taken.min() >= 1 or count < len(sizes)
    if min(sizes) * min(count, len(others)) >= len(labels):
        assert np.abs(taken - np.array(sizes) * count / len(labels)).max() < 1
    else:  # A class is ahead of another by less than one of its own examples.
        assert ((taken - 1) / sizes).max() <= (taken / sizes).min()


def test_a_draw_depends_on_its_seed_only():
    labels = np.arange(100) % 10
    for count in (20, 9):
        np.testing.assert_array_equal(stratified(labels, count, 3)[0], stratified(labels, count, 3)[0])
        assert stratified(labels, count, 3)[0].tolist() != stratified(labels, count, 4)[0].tolist()


def test_validation_is_taken_first_and_the_limit_leaves_it_as_it_is():
    train = numbered(np.arange(200) % 4)
    whole, limited = divide("made", train, None, None), divide("made", train, None, None, limit=40)
    assert len(whole.validation) == 20
    assert numbers(whole.validation) == numbers(limited.validation)
    assert set(numbers(whole.train)).isdisjoint(numbers(whole.validation))
    assert set(numbers(limited.train)) < set(numbers(whole.train))
    assert np.bincount(limited.train.targets).tolist() == [10] * 4
    assert numbers(divide("made", train, None, None, limit=40).train) == numbers(limited.train)
    assert numbers(divide("made", train, None, None, limit=40, split_seed=1).train) != numbers(limited.train)


def test_a_limit_beyond_train_keeps_all_in_order():
    train = numbered(np.arange(20) % 4)
    assert numbers(divide("made", train, train, None, limit=500).train) == list(range(20))


def test_a_limit_by_one_less_than_all_is_possible():
    train = numbered(np.arange(20) % 4)
    assert len(divide("made", train, train, None, limit=19).train) == 19


def test_given_validation_is_kept_whole():
    train = numbered(np.arange(20) % 4)
    dataset = divide("made", train, numbered([3, 2]), None)
    assert (len(dataset.train), dataset.validation.targets.tolist()) == (20, [3, 2])


def test_a_class_of_one_example_stays_in_train():
    dataset = divide("made", numbered([0] * 60 + [1] * 39 + [2]), None, None, limit=10)
    assert dataset.classes == 3
    assert 99 in numbers(dataset.train)
    assert len(dataset.validation) == 10


def test_regression_is_drawn_without_strata():
    targets = np.linspace(0, 1, 50)
    dataset = divide("made", Split.of(np.arange(50)[:, None], targets), None, None, limit=7)
    assert (dataset.task, dataset.classes, dataset.label_names) == ("regression", 1, ())
    assert (len(dataset.train), len(dataset.validation)) == (7, 5)
    assert set(numbers(dataset.train)).isdisjoint(numbers(dataset.validation))


def test_classes_are_named_by_number_unless_named():
    assert divide("made", numbered([0, 1] * 10), None, None).label_names == ("0", "1")
    assert divide("made", numbered([0, 1] * 10), None, None, label_names=("no", "yes")).label_names == ("no", "yes")


@pytest.mark.parametrize(
    ("labels", "changes", "message"),
    [
        ([0, 1] * 10, {"validation_share": 0.0}, "`validation_share` must lie between 0 and 1, got 0.0; 0.1"),
        ([0, 1] * 10, {"validation_share": 1.5}, "`validation_share` must lie between 0 and 1, got 1.5"),
        (
            [0, 1] * 10,
            {"validation_share": 0.99},
            "`validation_share` 0.99 of 20 .* leaves 0 .* at least 2, one a class",
        ),
        ([0, 1, 2], {}, "`validation_share` 0.1 of 3 training examples leaves 2 for training"),
        ([0, 1] * 10, {"limit": 1}, "`limit` must be at least 2 training examples, one a class, got 1; None"),
        ([0, 1] * 10, {"limit": 0}, "`limit` must be at least 2"),
        ([0, 2] * 10, {}, "every label from 0 to 2, but none of its examples has label 1"),
        ([-1, 0] * 10, {}, "train labels must be 0 to K-1, got -1"),
        (
            [0, 1] * 10,
            {"label_names": ("a", "b", "c")},
            "every label from 0 to 2, but none of its examples has label 2",
        ),
        ([0, 1, 2] * 10, {"label_names": ("a", "b")}, "`label_names` has 2 names for 3 outputs"),
    ],
)
def test_what_cannot_be_divided_is_said(labels, changes, message):
    with pytest.raises(ValueError, match=message):
        divide("made", numbered(labels), None, None, **changes)
