import numpy as np
import pytest

from evonas.data import Dataset, Split


def images(n, seed=0, shape=(4, 4, 3)):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def labels(n, classes=3):
    return (np.arange(n) % classes).astype(np.int32)


def classification(**changes):
    split = Split(images(9), labels(9))
    given = {"name": "made", "train": split, "validation": split, "test": split}
    return Dataset(**{**given, "task": "classification", "classes": 3, **changes})


def regression(targets):
    split = Split.of(np.ones((len(targets), 2)), targets)
    return Dataset("made", split, split, None, "regression", split.targets.shape[1])


def test_a_split_knows_its_length_and_prints_its_shapes_only():
    split = Split(images(9), labels(9))
    assert len(split) == 9
    assert repr(split) == "Split(inputs=uint8[9, 4, 4, 3], targets=int32[9])"


def test_take_keeps_inputs_with_their_targets():
    split = Split(images(9), labels(9)).take(np.array([4, 2]))
    np.testing.assert_array_equal(split.inputs, images(9)[[4, 2]])
    assert split.targets.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("inputs", "targets", "dtypes", "shapes"),
    [
        (np.zeros((5, 8, 8), np.uint8), np.arange(5, dtype=np.uint8), "uint8 int32", [(5, 8, 8, 1), (5,)]),
        (np.zeros((5, 8, 8, 3)), np.arange(5), "float32 int32", [(5, 8, 8, 3), (5,)]),
        (np.zeros((5, 7), np.uint8), np.arange(5)[:, None], "float32 int32", [(5, 7), (5,)]),
        (np.zeros((5, 7), ">f8"), np.zeros(5), "float32 float32", [(5, 7), (5, 1)]),
        ([[1, 2], [3, 4]], [[0.5, 1, 2], [1, 2, 3]], "float32 float32", [(2, 2), (2, 3)]),
        (np.zeros((2, 7), bool), np.array([False, True]), "float32 int32", [(2, 7), (2,)]),
    ],
)
def test_split_of_converts_to_the_types_of_training(inputs, targets, dtypes, shapes):
    split = Split.of(inputs, targets)
    assert f"{split.inputs.dtype} {split.targets.dtype}" == dtypes
    assert [split.inputs.shape, split.targets.shape] == shapes


def test_split_of_takes_arrays_of_jax():
    import jax.numpy as jnp

    split = Split.of(jnp.ones((3, 2), jnp.bfloat16), jnp.ones(3, jnp.bfloat16))
    assert split.inputs.dtype == split.targets.dtype == np.float32


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.zeros(5), np.arange(5), r"test inputs must have shape \[n, H, W, C\].*got \[5\]; reshape"),
        (np.zeros((5, 1, 1, 1, 1)), np.arange(5), r"test inputs must have shape.*got \[5, 1, 1, 1, 1\]"),
        ([["a"]], [0], "test inputs must be an array of real numbers, got <U1; encode"),
        (np.array([[None]]), [0], "test inputs must be an array of real numbers, got object"),
        (np.zeros((1, 1), complex), [0], "test inputs must be an array of real numbers, got complex128"),
        ([[1.0], [1.0, 2.0]], [0, 1], "test inputs must be one array of numbers, got rows of differing lengths"),
        (np.zeros((2, 2)), 3, "test targets must be an array whose first axis counts the examples"),
        (np.zeros((2, 2)), ["cat", "dog"], "test targets must be an array of real numbers, got <U3"),
        (np.zeros((2, 2)), np.eye(2, dtype=int), r"class labels of shape \[n\], got \[2, 2\]; take the argmax"),
        (np.zeros((2, 2)), np.zeros((2, 2, 2)), r"shape \[n\] or \[n, K\] for regression, got \[2, 2, 2\]"),
        (np.zeros((2, 2)), [0, 2**40], "test targets must be labels 0 to K-1, got 1099511627776"),
        (np.zeros((5, 2)), np.arange(4), "test has 5 inputs and 4 targets; give exactly one"),
        (np.zeros((0, 2)), np.arange(0), "test is empty; give at least one example"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "test is empty"),
        (np.zeros((3, 0)), np.arange(3), r"test has inputs \[3, 0\] .* an axis is empty"),
        (np.zeros((3, 2)), np.zeros((3, 0)), r"targets \[3, 0\]: an axis is empty"),
        (
            [[0.0], [np.nan], [np.inf]],
            [0, 1, 2],
            r"test inputs must be finite.*got 2 that are not \(first in example 1\)",
        ),
        ([[1e300]], [0], "test inputs must be finite float32"),
        ([[0.0]], [np.inf], "test targets must be finite"),
    ],
)
def test_split_of_says_what_it_refuses(inputs, targets, message):
    with pytest.raises(ValueError, match=message):
        Split.of(inputs, targets, "test")


def test_a_split_itself_takes_no_other_types():
    with pytest.raises(ValueError, match=r"inputs must be float32 of rank 2 or .*, got float64 of rank 2; `Split.of`"):
        Split(np.zeros((3, 2)), labels(3))
    with pytest.raises(ValueError, match=r"targets must be int32 of rank 1 or float32 of rank 2, got list of rank 1"):
        Split(images(3), [0, 1, 2])


def test_a_dataset_knows_its_shape_and_its_splits():
    dataset = classification(test=None)
    assert dataset.input_shape == (4, 4, 3)
    assert list(dataset.splits()) == ["train", "validation"]
    assert list(classification().splits()) == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 4}, "train must have every label from 0 to 3, but none of its examples has label 3; number"),
        ({"classes": 2}, "`classes` is 2, but train has 3 classes"),
        ({"train": Split(images(4), np.int32([0, 1, 3, 3]))}, "every label from 0 to 3, but none.* has label 2"),
        ({"train": Split(images(4), np.int32([5, 6, 2**30, 7]))}, "but none of its examples has label 0"),
        ({"train": Split(images(2), np.int32([-1, 0]))}, "train labels must be 0 to K-1, got -1; number"),
        ({"test": Split(images(2), np.int32([0, 3]))}, r"test has label 3, which train never has \(.* 0 to 2\)"),
        ({"test": Split(images(2), np.int32([0, -3]))}, "test labels must be 0 to K-1, got -3"),
        (
            {"test": Split(images(3, shape=(5, 4, 3)), labels(3))},
            r"test inputs are uint8 of shape \[5, 4, 3\] each, but",
        ),
        ({"validation": Split(np.float32(images(3)), labels(3))}, "validation inputs are float32 of shape.*uint8"),
        ({"test": Split(images(3), np.ones((3, 1), np.float32))}, "test targets are float32.* train targets are int32"),
        ({"task": "regression"}, "`task` is 'regression', but int32 targets mean 'classification'"),
        ({"label_names": ("a", "b")}, "`label_names` has 2 names for 3 outputs"),
    ],
)
def test_a_dataset_says_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        classification(**changes)


def test_a_regression_has_as_many_outputs_as_targets():
    split = Split.of(np.ones((4, 2)), np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"`classes` is 2, but train has 3 targets"):
        Dataset("made", split, split, None, "regression", 2)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_statistics_are_those_of_train_alone(kind):
    train = images(3000).astype(kind)
    other = Split(np.zeros((3, 4, 4, 3), kind), labels(3))
    mean, deviation = classification(train=Split(train, labels(3000)), validation=other, test=other).statistics()
    assert mean.dtype == deviation.dtype == np.float32
    np.testing.assert_allclose(mean, train.mean((0, 1, 2), dtype=float), rtol=1e-6)
    np.testing.assert_allclose(deviation, train.astype(float).std((0, 1, 2)), rtol=1e-6)


def test_statistics_of_features_have_one_number_a_feature_and_no_zero_deviation():
    inputs = np.random.default_rng(0).normal(1e4, 1, (500, 3)).astype(np.float32)
    inputs[:, 1] = 0.1
    split = Split.of(inputs, np.zeros(500))
    mean, deviation = Dataset("made", split, split, None, "regression", 1).statistics()
    assert deviation[1] == 1
    np.testing.assert_allclose(mean, inputs.mean(0, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(deviation[[0, 2]], inputs[:, [0, 2]].std(0, dtype=float), rtol=1e-6)


def test_the_fingerprint_tells_any_change_and_nothing_else():
    changed = images(9)
    changed[8, 3, 3, 2] ^= 1
    transposed = np.asfortranarray(images(9))
    original = classification().fingerprint()
    assert len(original) == 16
    assert int(original, 16) >= 0
    assert classification(name="other", train=Split(transposed, labels(9))).fingerprint() == original
    others = [
        classification(train=Split(changed, labels(9))),
        classification(train=Split(images(9), labels(9)[::-1].copy())),
        classification(test=Split(changed, labels(9))),
        classification(test=None),
        classification(
            **{part: Split(images(9).reshape(9, 2, 8, 3), labels(9)) for part in ("train", "validation", "test")}
        ),
    ]
    assert len({original, *(other.fingerprint() for other in others)}) == 6
    assert regression(np.zeros(4)).fingerprint() != regression(np.ones(4)).fingerprint()
