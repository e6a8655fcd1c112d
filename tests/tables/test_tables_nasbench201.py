import numpy as np
import pytest

from evonas.genome import enumerate_genomes, genome_index
from evonas.spaces import NASBench201
from evonas.tables import nasbench201, read_nasbench201

CELLS = enumerate_genomes((5,) * 6)
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
TABLE = "data/nas_tables/nasbench201.npz"


def row(text):
    return int(genome_index(NASBench201().parse(text), (5,) * 6))


def test_the_optimum_of_cifar10_is_the_published_one(shared):
    test = nasbench201(shared / TABLE, "test_acc_200")
    assert test.shape == (15625,)
    assert test.dtype == np.float32
    # Another cell has the same test accuracy; the best by validation is this one alone.
    assert test[row(BEST)] == test.max() == pytest.approx(94.37, abs=0.005)
    assert int(nasbench201(shared / TABLE, "val_acc_200").argmax()) == row(BEST)


@pytest.mark.parametrize(("dataset", "best"), [("cifar100", 73.51), ("ImageNet16-120", 47.31)])
def test_each_data_set_has_its_own_optimum(shared, dataset, best):
    assert nasbench201(shared / TABLE, "test_acc_200", dataset).max() == pytest.approx(best, abs=0.005)


def test_trials_are_averaged_over_those_that_there_are(shared):
    validation = nasbench201(shared / TABLE, "val_acc_200")
    assert validation[row(BEST)] == pytest.approx(91.61, abs=0.005)
    assert np.isfinite(validation).all()


def test_every_row_is_at_its_genomes_place(shared):
    # Each convolution adds its weights, whatever the edge: the file's own derivation.
    parameters = nasbench201(shared / TABLE, "params")
    expected = 73306 + 28000 * (CELLS == 2).sum(1) + 243040 * (CELLS == 3).sum(1)
    np.testing.assert_array_equal(parameters, expected.astype(np.float32))


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_rows_in_any_order_come_out_by_genome(tmp_path):
    order = np.random.default_rng(0).permutation(15625)
    path = save(tmp_path / "t.npz", ops=CELLS[order].astype(np.uint8), value=order.astype(float))
    np.testing.assert_array_equal(nasbench201(path, "value"), np.arange(15625))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz does not exist"):
        nasbench201(tmp_path / "nothing.npz", "val_acc_12")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"value": np.zeros(15625)}, "needs `ops`"),
        ({"ops": CELLS[:-1], "value": np.zeros(15624)}, "needs `ops`"),
        ({"ops": CELLS}, "has no column 'value'; it has ops"),
        ({"ops": CELLS, "value": np.zeros(3)}, "has no column 'value'"),
        ({"ops": CELLS, "value": np.float32(3)}, "has no column 'value'"),
        ({"ops": CELLS, "value": np.zeros((15625, 2))}, "value of 2 data sets, expected 3"),
        ({"ops": np.zeros_like(CELLS), "value": np.zeros(15625)}, "not each cell once"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        nasbench201(save(tmp_path / "t.npz", **arrays), "value")


def test_genomes_are_no_column_and_epochs_are_positive(tmp_path):
    table = read_nasbench201(save(tmp_path / "t.npz", ops=CELLS, train_seconds_200=np.zeros(15625)))
    with pytest.raises(ValueError, match="has no column 'ops'"):
        table.column("ops")
    with pytest.raises(ValueError, match="epochs must be an integer of at least 1, got -5"):
        table.seconds(epochs=-5)


def test_a_folder_without_the_files_says_which_are_expected(tmp_path):
    (tmp_path / "NATS-tss-v1_0-3ffb9-simple").mkdir()
    with pytest.raises(ValueError, match=r"neither NATS-Bench's files 000000.pickle.pbz2"):
        read_nasbench201(tmp_path)


def test_an_unknown_data_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown data set 'mnist'; expected one of cifar10, cifar100"):
        nasbench201(save(tmp_path / "t.npz", ops=CELLS, value=np.zeros(15625)), "value", "mnist")


@pytest.mark.parametrize("damage", ["garbage", "cut", "npy", "objects"])
def test_a_damaged_file_gives_one_sentence(tmp_path, damage):
    path = save(tmp_path / "t.npz", ops=CELLS, value=np.zeros(15625))
    if damage == "garbage":
        path.write_bytes(b"no archive at all")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-500])
    elif damage == "npy":
        with path.open("wb") as file:
            np.save(file, CELLS)
    else:
        save(path, ops=CELLS, value=np.array([print] * 15625, object))
    with pytest.raises(ValueError, match=r"t\.npz is not an \.npz file of plain arrays, or is damaged"):
        nasbench201(path, "value")
